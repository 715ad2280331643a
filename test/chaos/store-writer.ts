import { withAccount, withLogin } from '../../lib/accounts/edits.js'
import { createAccountStore } from '../../lib/accounts/store/store.js'
import { systemClock } from '../../lib/kernel/clock.js'

/** Adds accounts and changes them as fast as it can, until it is killed. Says on stdout what is surely stored. */
const [file = '', backupsDir = '', name = ''] = process.argv.slice(2)
// Pauses of the lock do not keep a process alive; the host does.
setInterval(() => undefined, 60_000)
const store = createAccountStore({ path: file, backupsDir, clock: systemClock })
for (let turn = 0; ; turn += 1) {
  const pool = await store.update((before) => {
    const { pool: after, account } = withLogin(before, {
      refreshToken: `rt-${name}-${turn}`,
      accountId: name,
      accountUserId: name,
      addedAt: 1,
      lastUsed: 0,
    })
    return withAccount(after, account.uid, (one) => ({ ...one, accountNote: 'x'.repeat(2000) }))
  })
  process.stdout.write(`${pool.accounts.length} ${turn}\n`)
}
