import { readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import type { Keychain } from '../../lib/accounts/keychain/keychain.js'
import { createAccountStore } from '../../lib/accounts/store/store.js'
import { createVault } from '../../lib/accounts/keychain/vault.js'
import { RefreshJournal } from '../../lib/tokens/journal/journal.js'
import { systemClock } from '../../lib/kernel/clock.js'
import { bundledWorker } from '../support/bundled-worker.js'
import { startProcess } from '../support/child-process.js'
import { temporaryFolder } from '../support/temporary.js'
import { SOAK } from './soak.js'
import { writePool } from '../support/records.js'

const ROUNDS = 15 * SOAK
const MODES = ['seal', 'seal', 'renew']
const TOKENS = ['rt-a', 'rt-b', 'rt-c']

describe('sealing and unsealing under SIGKILL', () => {
  const worker = bundledWorker('test/chaos/keychain-worker.ts')

  it(
    'leave a pool that opens, copies that open and a journal entry that opens, wherever they are cut off',
    async () => {
      const folder = await temporaryFolder()
      const file = path.join(folder, 'accounts.json')
      const accounts = TOKENS.map((refreshToken) => ({
        refreshToken,
        accountId: refreshToken,
        addedAt: 1,
        lastUsed: 0,
      }))
      for (const name of [
        file,
        path.join(folder, 'backups', 'accounts-20260101-000000000-abcdef.json'),
      ])
        await writePool(name, accounts)
      const fingerprint = '0'.repeat(32)
      const refreshDir = path.join(folder, 'refresh')
      const tokens = { accessToken: 'at', refreshToken: 'rt', expiresAt: 1 }
      await new RefreshJournal(refreshDir).write(fingerprint, {
        state: 'received',
        pool: file,
        uid: 'x',
        startedAt: 1,
        tokens,
      })
      const keychain: Keychain = {
        via: 'folder',
        get: (name) => readFile(path.join(folder, 'keychain', name), 'utf8').catch(() => undefined),
        set: async () => undefined,
        delete: async () => false,
      }
      let renewals = 0
      const found = { sealed: 0, plain: 0 }
      for (let round = 0; round < ROUNDS; round += 1) {
        const workers = MODES.map((mode) =>
          startProcess({
            file: process.execPath,
            args: [worker(), folder, mode],
            cwd: folder,
            env: {},
          }),
        )
        await Promise.race(workers.slice(0, 2).map((running) => running.waitFor(/sealed\n/)))
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 80))
        for (const running of workers) running.kill()
        const [, , renewing] = await Promise.all(workers.map((running) => running.ended))
        renewals += renewing?.stdout.match(/\n/g)?.length ?? 0
        const vault = createVault({ keychain, clock: systemClock, optedIn: false })
        const where = `round ${round}`
        for (const one of [
          file,
          ...(await readdir(path.join(folder, 'backups')))
            .filter((name) => name.endsWith('.json'))
            .map((name) => path.join(folder, 'backups', name)),
        ]) {
          const store = createAccountStore({
            path: one,
            backupsDir: path.join(folder, 'none'),
            clock: systemClock,
            vault,
          })
          expect(
            (await store.read()).accounts.map(({ refreshToken }) => refreshToken),
            `${where}, ${one}`,
          ).toEqual(TOKENS)
          if (one === file && renewals > 0)
            expect((await store.read()).accounts[0]?.accessToken, where).toMatch(/^at-\d+-\d+$/)
          if (one === file) found[(await store.key()) === undefined ? 'plain' : 'sealed'] += 1
        }
        const journal = new RefreshJournal(refreshDir, {
          current: async () => undefined,
          key: (id) => vault.key(id),
        })
        expect(await journal.read(fingerprint), where).toMatchObject({ tokens })
        // What the killed held goes stale by itself; the test does not wait for it.
        await rm(`${file}.transaction.lock`, { recursive: true, force: true })
        await rm(path.join(refreshDir, `${fingerprint}.lock`), { recursive: true, force: true })
      }
      console.log(
        `sealing: ${ROUNDS * MODES.length} kills, found sealed ${found.sealed} and plain ${found.plain} times, ${renewals} renewals between, everything opened`,
      )
    },
    170_000 * SOAK,
  )
})
