import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

import type { Keychain } from '../../lib/accounts/keychain/keychain.js'
import { createAccountStore } from '../../lib/accounts/store/store.js'
import { createVault } from '../../lib/accounts/keychain/vault.js'
import { sealPoolFile, unsealPoolFile } from '../../lib/tokens/sealing.js'
import { systemClock } from '../../lib/kernel/clock.js'

/** Seals and unseals an account file in turn, or renews its tokens, until it is killed. Its keychain is a folder that outlives it. */
const [folder = '', mode = 'seal'] = process.argv.slice(2)
setInterval(() => undefined, 60_000)
const items = path.join(folder, 'keychain')
await mkdir(items, { recursive: true })
const keychain: Keychain = {
  via: 'folder',
  get: (name) => readFile(path.join(items, name), 'utf8').catch(() => undefined),
  set: (name, secret) => writeFile(path.join(items, name), secret),
  delete: (name) =>
    rm(path.join(items, name)).then(
      () => true,
      () => false,
    ),
}
const vault = createVault({ keychain, clock: systemClock, optedIn: true })
const backupsDir = path.join(folder, 'backups')
const store = createAccountStore({
  path: path.join(folder, 'accounts.json'),
  backupsDir,
  clock: systemClock,
  vault,
})
const deps = { store, vault, backupsDir, refreshDir: path.join(folder, 'refresh') }
for (let turn = 1; mode === 'renew'; turn += 1) {
  await store.update((pool) => ({
    ...pool,
    accounts: pool.accounts.map((account) => ({
      ...account,
      accessToken: `at-${process.pid}-${turn}`,
    })),
  }))
  process.stdout.write(`${turn}\n`)
  await systemClock.sleep(5)
}
for (;;) {
  await sealPoolFile({ ...deps, nowMs: Date.now() })
  process.stdout.write('sealed\n')
  await unsealPoolFile({ ...deps, nowMs: Date.now() })
  process.stdout.write('plain\n')
}
