import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { newDataKey } from '../../lib/accounts/keychain/data-key.js'
import { createVault, type Vault } from '../../lib/accounts/keychain/vault.js'
import { sealPoolFile } from '../../lib/tokens/sealing.js'
import { systemClock } from '../../lib/kernel/clock.js'
import { memoryKeychain } from '../support/memory-keychain.js'
import { tokenStage } from '../support/token-stage.js'

async function sealWith(changed: (vault: Vault) => Partial<Vault>) {
  const stage = await tokenStage()
  const before = await readFile(stage.file, 'utf8')
  const real = createVault({ keychain: memoryKeychain(), clock: systemClock, optedIn: true })
  const vault: Vault = {
    keychain: real.keychain,
    optedIn: real.optedIn,
    key: (id) => real.key(id),
    fetchKey: (id) => real.fetchKey(id),
    create: () => real.create(),
    probe: () => real.probe(),
    forget: (id) => real.forget(id),
    ensureStored: (id) => real.ensureStored(id),
    bind: (key) => real.bind(key),
    open: (pool, where) => real.open(pool, where),
    ...changed(real),
  }
  const sealing = sealPoolFile({
    store: stage.store,
    vault,
    backupsDir: path.join(stage.folder, 'backups'),
    refreshDir: stage.dir,
    nowMs: Date.now(),
  })
  const result = await sealing.catch((error: unknown) => error)
  return { result, before, after: await readFile(stage.file, 'utf8') }
}

describe('an account file that is about to be sealed', () => {
  it('stays as it is when its copy does not open with the key that the keychain gives back', async () => {
    const { result, before, after } = await sealWith(() => ({
      fetchKey: async (id) => ({ ...newDataKey(), id }),
    }))
    expect(result).toMatchObject({
      code: 'keychain_unreachable',
      message: expect.stringContaining('could not be opened again'),
    })
    expect(after).toBe(before)
  })

  it('is sealed when it does, and holds no token in the clear any more', async () => {
    const { result, after } = await sealWith(() => ({}))
    expect(result).toMatchObject({ changed: true, accounts: 1, copies: 0, warnings: [] })
    expect(after).not.toContain('at_first')
    expect(after).toContain('sealedWith')
  })
})
