import { createAccountStore } from '../../lib/accounts/store/store.js'
import { OAuthClient } from '../../lib/oauth/oauth-client.js'
import { Tokens } from '../../lib/tokens/tokens.js'
import { systemClock } from '../../lib/kernel/clock.js'
import { silentLogger } from '../../lib/kernel/logger.js'

/** One window: asks for tokens of the first account several times at once and prints what it got. */
const [file = '', dir = '', issuer = '', requests = '5'] = process.argv.slice(2)
setInterval(() => undefined, 60_000)
const store = createAccountStore({ path: file, backupsDir: `${file}.backups`, clock: systemClock })
const tokens = new Tokens({
  store,
  clock: systemClock,
  random: Math.random,
  log: silentLogger,
  label: () => 'Account 1',
  dir,
  refreshGrant: new OAuthClient({
    endpoints: { issuer, backend: issuer },
    fetch,
    clock: systemClock,
    userAgent: 'test',
  }).refresh,
  settings: { refreshSkewMs: 60_000 },
})
await store.read()
// The second look asks the drive alone, which may remember the answer.
const [account] = (await store.read()).accounts
if (account === undefined) throw new Error('no account')
process.stdout.write('ready\n')
await new Promise((resolve) => process.stdin.once('data', resolve))
// For a window that is asked a while after it read the file.
await new Promise((resolve) => setTimeout(resolve, Number(process.env.GO_AFTER_MS ?? 0)))
const results = await Promise.allSettled(
  Array.from({ length: Number(requests) }, async () => {
    const grant = await tokens.access(account)
    return { token: grant.token, atMs: Date.now() }
  }),
)
process.stdout.write(`${JSON.stringify(results)}\n`)
await tokens.close()
process.exit(0)
