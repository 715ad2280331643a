import { writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import type { Keychain } from '../../lib/accounts/keychain/keychain.js'
import { guarded } from '../../lib/accounts/keychain/keychain-guard.js'
import { bunKeychain } from '../../lib/accounts/keychain/keychain-open.js'
import { moduleKeychain } from '../../lib/accounts/keychain/keychain-module.js'
import { newDataKey, textOfKey } from '../../lib/accounts/keychain/data-key.js'
import { createAccountStore } from '../../lib/accounts/store/store.js'
import { createVault, keyItemName } from '../../lib/accounts/keychain/vault.js'
import { systemClock } from '../../lib/kernel/clock.js'
import { memoryKeychain } from '../support/memory-keychain.js'
import { temporaryFolder } from '../support/temporary.js'

const PATIENCE = { limitMs: 5_000 }

/**
 * The credential store of Windows as both runtimes see it: items go by their target alone. `Entry.withTarget` of
 * `@napi-rs/keyring` behaves as the real one does: it writes an empty secret in its constructor.
 */
function windowsStore() {
  const targets = new Map<string, Buffer>()
  class Entry {
    readonly target: string
    constructor(service: string, user: string, target = `${user}.${service}`) {
      this.target = target
    }
    static withTarget(target: string, service: string, user: string): Entry {
      targets.set(target, Buffer.alloc(0))
      return new Entry(service, user, target)
    }
    getSecret(): number[] | null {
      const secret = targets.get(this.target)
      return secret === undefined ? null : [...secret]
    }
    setSecret(secret: Uint8Array): void {
      targets.set(this.target, Buffer.from(secret))
    }
    deletePassword(): boolean {
      return targets.delete(this.target)
    }
  }
  const secrets = {
    get: async ({ service, name }: { service: string; name: string }) =>
      targets.get(`${service}/${name}`)?.toString('utf8') ?? null,
    set: async ({ service, name, value }: { service: string; name: string; value: string }) =>
      void targets.set(`${service}/${name}`, Buffer.from(value)),
    delete: async ({ service, name }: { service: string; name: string }) =>
      targets.delete(`${service}/${name}`),
  }
  const inNode = async (): Promise<Keychain> =>
    guarded((await moduleKeychain(async () => ({ Entry })))!, PATIENCE)
  return { targets, inBun: guarded(bunKeychain(secrets), PATIENCE), inNode, secrets }
}

const vaultOf = (keychain: Keychain, said: string[] = [], clock = systemClock) =>
  createVault({
    keychain,
    clock,
    optedIn: true,
    log: { log: (_level, text) => void said.push(text) },
  })

describe('the key of a sealed pool on Windows', () => {
  it('is the same item in OpenCode and under Node, there and back, and looking at it never empties it', async () => {
    const { targets, inBun, inNode } = windowsStore()
    const made = await vaultOf(inBun).create()
    expect([...targets.keys()]).toEqual([`oc-codex-multi-auth/pool-key.${made.id}`])
    expect((await vaultOf(await inNode()).key(made.id)).bytes).toEqual(made.bytes)
    expect((await vaultOf(inBun).key(made.id)).bytes).toEqual(made.bytes)
    const other = await vaultOf(await inNode()).create()
    expect((await vaultOf(inBun).key(other.id)).bytes).toEqual(other.bytes)
    await vaultOf(await inNode()).forget(made.id)
    expect([...targets.keys()]).toEqual([`oc-codex-multi-auth/pool-key.${other.id}`])
  })

  it('that lies under its earlier name is left alone by Node, which cannot look there without emptying it', async () => {
    const { targets, inBun, inNode } = windowsStore()
    const key = newDataKey()
    await inBun.set(`pool-key-${key.id}`, textOfKey(key))
    await expect(vaultOf(await inNode()).key(key.id)).rejects.toMatchObject({
      code: 'keychain_unreachable',
    })
    expect(targets.get(`oc-codex-multi-auth/pool-key-${key.id}`)?.toString()).toBe(textOfKey(key))
    expect((await vaultOf(inBun).key(key.id)).bytes).toEqual(key.bytes)
  })
})

describe('an empty item of the keychain', () => {
  it.each(['', ' ', '\n'])('(%j) counts as missing and never as a key', async (secret) => {
    const keychain = memoryKeychain()
    keychain.items.set(keyItemName('abcd'), secret)
    await expect(vaultOf(keychain).key('abcd')).rejects.toMatchObject({
      code: 'keychain_unreachable',
      message: expect.stringContaining('has no item'),
    })
    const key = newDataKey()
    keychain.items.set(keyItemName(key.id), secret)
    keychain.items.set(`pool-key-${key.id}`, textOfKey(key))
    expect((await vaultOf(keychain).key(key.id)).bytes).toEqual(key.bytes)
  })
})

describe('a key that is in memory', () => {
  function clockAt() {
    let nowMs = 1_000_000
    return { clock: { ...systemClock, now: () => nowMs }, pass: (ms: number) => void (nowMs += ms) }
  }

  it.each(['removed', 'emptied'])(
    'is put back when its item was %s, once, with one line in the log',
    async (how) => {
      const keychain = memoryKeychain()
      const said: string[] = []
      const { clock, pass } = clockAt()
      const vault = vaultOf(keychain, said, clock)
      const key = await vault.create()
      if (how === 'removed') keychain.items.clear()
      else keychain.items.set(keyItemName(key.id), '')
      expect(await vault.ensureStored(key.id)).toBe('unknown')
      pass(61_000)
      expect(await vault.ensureStored(key.id)).toBe('rescued')
      expect(keychain.items.get(keyItemName(key.id))).toBe(textOfKey(key))
      expect(said).toEqual([expect.stringContaining('put back from memory')])
      expect(await vault.ensureStored(key.id, 'now')).toBe('fine')
      expect((await vaultOf(keychain).key(key.id)).bytes).toEqual(key.bytes)
    },
  )

  it('never writes over an item that holds something', async () => {
    const keychain = memoryKeychain()
    const vault = vaultOf(keychain)
    const key = await vault.create()
    const other = textOfKey(newDataKey())
    keychain.items.set(keyItemName(key.id), other)
    expect(await vault.ensureStored(key.id, 'now')).toBe('fine')
    expect(keychain.items.get(keyItemName(key.id))).toBe(other)
    await expect(vault.bind(key)).rejects.toMatchObject({ code: 'keychain_unreachable' })
    expect(keychain.items.get(keyItemName(key.id))).toBe(other)
  })

  it('asks nobody again for half an hour when the keychain is locked', async () => {
    const keychain = memoryKeychain()
    const { clock, pass } = clockAt()
    const vault = vaultOf(keychain, [], clock)
    const key = await vault.create()
    keychain.broken = true
    pass(61_000)
    const before = keychain.reads
    for (let minute = 0; minute < 29; minute += 1) {
      await vault.ensureStored(key.id)
      pass(60_000)
    }
    expect(keychain.reads - before).toBe(1)
  })

  it('rescues the pool while an open window reads it, so that a command in another process opens it again', async () => {
    const folder = await temporaryFolder()
    const keychain = memoryKeychain()
    const { clock, pass } = clockAt()
    const file = path.join(folder, 'accounts.json')
    const storeWith = (over: typeof clock) =>
      createAccountStore({
        path: file,
        backupsDir: path.join(folder, 'backups'),
        clock: over,
        vault: vaultOf(keychain, [], over),
      })
    const open = storeWith(clock)
    await open.update((pool) => ({
      ...pool,
      accounts: [{ uid: 'a', refreshToken: 'rt', addedAt: 0, lastUsed: 0 }],
    }))
    await open.read()
    for (const name of keychain.items.keys()) keychain.items.set(name, '')
    await expect(storeWith(systemClock).read()).rejects.toMatchObject({
      code: 'keychain_unreachable',
      hint: expect.stringContaining('{/doctor}'),
    })
    pass(61_000)
    await open.read()
    await expect
      .poll(async () =>
        storeWith(systemClock)
          .read()
          .then(
            ({ accounts }) => accounts.length,
            () => 0,
          ),
      )
      .toBe(1)
  })

  it('is not put back for a file that is plain again', async () => {
    const folder = await temporaryFolder()
    const keychain = memoryKeychain()
    const { clock, pass } = clockAt()
    const file = path.join(folder, 'accounts.json')
    const store = createAccountStore({
      path: file,
      backupsDir: path.join(folder, 'backups'),
      clock,
      vault: vaultOf(keychain, [], clock),
    })
    await store.update((pool) => ({
      ...pool,
      accounts: [{ uid: 'a', refreshToken: 'rt', addedAt: 0, lastUsed: 0 }],
    }))
    await writeFile(file, JSON.stringify({ version: 3, accounts: [{ refreshToken: 'rt' }] }))
    keychain.items.clear()
    pass(61_000)
    await store.read()
    await store.read()
    expect(keychain.items.size).toBe(0)
  })
})
