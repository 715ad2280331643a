import { withAccount } from '../accounts/edits.js'
import type { Account, AccountPool } from '../accounts/account.js'
import { accountName } from '../accounts/labels.js'
import type { Runtime } from '../runtime.js'
import { findAccount } from './account-ref.js'

/** What a change of one account came to. */
export interface EditData {
  /** From 1. */
  readonly index: number
  readonly account: string
  readonly changed: boolean
  /** One sentence. */
  readonly message: string
}

/**
 * Changes one account in the pool on disk.
 * @param change pure; returning its argument changes nothing
 * @param say the sentence for the user, from the name of the account and whether anything changed
 * @param check throws for a change that may not be made to this pool
 * @throws CodexError `invalid_input` for an unknown account, and those of the store; nothing is changed then
 */
export async function editAccount(
  runtime: Runtime,
  wanted: string | number,
  change: (account: Account) => Account,
  say: (name: string, changed: boolean) => string,
  check: (pool: AccountPool) => void = () => undefined,
): Promise<EditData> {
  let index = 0
  let name = ''
  let changed = false
  await runtime.store.update((pool) => {
    check(pool)
    const { account, position } = findAccount(pool, wanted, runtime.config.maskEmail)
    const after = withAccount(pool, account.uid, change)
    changed = after !== pool
    index = position + 1
    name = accountName(after.accounts[position] ?? account, position, runtime.config)
    return after
  })
  return { index, account: name, changed, message: say(name, changed) }
}

/** The record without a field, or with it. */
export function withField<Key extends keyof Account>(
  account: Account,
  key: Key,
  value: Account[Key] | undefined,
): Account {
  if (value !== undefined) return { ...account, [key]: value }
  const { [key]: _dropped, ...rest } = account
  return rest as Account
}
