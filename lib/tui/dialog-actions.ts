import type { AccountPool } from '../accounts/account.js'
import { withAccount, withActive } from '../accounts/edits.js'
import { rulesOf, withRules } from '../accounts/rules.js'

/** What can be done with an account from the keyboard. */
export type Action = 'switch' | 'pin' | 'unpin' | 'toggle'

/** The pool after an action. Pure. */
export function changed(pool: AccountPool, uid: string, action: Action): AccountPool {
  const { pin: _pin, ...rest } = rulesOf(pool)
  switch (action) {
    case 'switch':
      return withActive(pool, uid)
    case 'pin':
      return withRules(withActive(pool, uid), { ...rest, pin: { uid, mode: 'soft' } })
    case 'unpin':
      return withRules(pool, rest)
    case 'toggle':
      return withAccount(pool, uid, ({ enabled, ...account }) =>
        enabled === false ? account : { ...account, enabled: false },
      )
  }
}
