import { withLogin } from '../../lib/accounts/edits.js'
import { createAccountStore } from '../../lib/accounts/store/store.js'
import { systemClock } from '../../lib/kernel/clock.js'

/** Adds so many accounts to a file, each in an update of its own. */
const [file = '', backupsDir = '', name = '', count = '0'] = process.argv.slice(2)
// Pauses of the lock do not keep a process alive; the host does.
const host = setInterval(() => undefined, 60_000)
const store = createAccountStore({ path: file, backupsDir, clock: systemClock })
for (let turn = 0; turn < Number(count); turn += 1)
  await store.update(
    (pool) =>
      withLogin(pool, {
        refreshToken: `rt-${name}-${turn}`,
        accountId: `${name}-${turn}`,
        accountUserId: `${name}-${turn}`,
        addedAt: 1,
        lastUsed: 0,
      }).pool,
  )
clearInterval(host)
