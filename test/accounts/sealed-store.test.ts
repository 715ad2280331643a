import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { withAccount, withLogin, withoutAccount } from '../../lib/accounts/edits.js'
import { createAccountStore } from '../../lib/accounts/store/store.js'
import { createVault } from '../../lib/accounts/keychain/vault.js'
import { systemClock } from '../../lib/kernel/clock.js'
import { memoryKeychain, type MemoryKeychain } from '../support/memory-keychain.js'
import { temporaryFolder } from '../support/temporary.js'

const login = (name: string) => ({
  refreshToken: `rt-${name}`,
  accountId: `id-${name}`,
  accountUserId: `user-${name}`,
  addedAt: 1,
  lastUsed: 0,
})

async function folderWith() {
  const folder = await temporaryFolder()
  const file = path.join(folder, 'accounts.json')
  const backupsDir = path.join(folder, 'backups')
  const open = (keychain: MemoryKeychain | undefined, optedIn = false) => {
    const vault =
      keychain === undefined ? undefined : createVault({ keychain, clock: systemClock, optedIn })
    return createAccountStore({
      path: file,
      backupsDir,
      clock: systemClock,
      ...(vault === undefined ? {} : { vault }),
    })
  }
  return { file, backupsDir, open, text: () => readFile(file, 'utf8') }
}

describe('a sealed account file', () => {
  it('is made by the first login of a user who opted in, and opens without the variable', async () => {
    const { open, text } = await folderWith()
    const keychain = memoryKeychain()
    await open(keychain, true).update((pool) => withLogin(pool, login('a')).pool)
    expect(await text()).not.toContain('"rt-a')
    expect(keychain.items.size).toBe(1)
    expect((await open(keychain).read()).accounts[0]?.refreshToken).toBe('rt-a')
  })

  it('stays sealed through later writes and in the copy before a removal', async () => {
    const { open, text, backupsDir } = await folderWith()
    const keychain = memoryKeychain()
    await open(keychain, true).update((pool) => withLogin(pool, login('a')).pool)
    const later = open(keychain)
    const pool = await later.update((before) => withLogin(before, login('b')).pool)
    expect(await text()).not.toContain('"rt-')
    await later.update((before) => withoutAccount(before, pool.accounts[0]!.uid))
    const [copy] = await readdir(backupsDir)
    expect(await readFile(path.join(backupsDir, copy!), 'utf8')).not.toContain('"rt-')
    expect((await open(keychain).read()).accounts.map(({ refreshToken }) => refreshToken)).toEqual([
      'rt-b',
    ])
  })

  it('asks the keychain once, however often it is read and written', async () => {
    const { open } = await folderWith()
    const keychain = memoryKeychain()
    await open(keychain, true).update((pool) => withLogin(pool, login('a')).pool)
    keychain.reads = 0
    const store = open(keychain)
    await Promise.all([store.read(), store.read()])
    await store.update((pool) => withLogin(pool, login('b')).pool)
    await store.read()
    expect(keychain.reads).toBe(1)
  })

  it.each([
    ['cannot be reached', (keychain: MemoryKeychain) => (keychain.broken = true)],
    ['has lost the key', (keychain: MemoryKeychain) => keychain.items.clear()],
  ])('is neither read as empty nor written when the keychain %s', async (_name, spoil) => {
    const { open, text } = await folderWith()
    const keychain = memoryKeychain()
    await open(keychain, true).update((pool) => withLogin(pool, login('a')).pool)
    const before = await text()
    spoil(keychain)
    const store = open(keychain)
    await expect(store.read()).rejects.toMatchObject({ code: 'keychain_unreachable' })
    await expect(store.update((pool) => withLogin(pool, login('b')).pool)).rejects.toMatchObject({
      code: 'keychain_unreachable',
    })
    expect(await text()).toBe(before)
  })

  it('lets its metadata be read and changed without the keychain, as the TUI does', async () => {
    const { open } = await folderWith()
    const keychain = memoryKeychain()
    await open(keychain, true).update((pool) => withLogin(pool, login('a')).pool)
    await open(undefined).update((pool) =>
      withAccount(pool, pool.accounts[0]!.uid, (account) => ({ ...account, enabled: false })),
    )
    expect((await open(keychain).read()).accounts[0]).toMatchObject({
      refreshToken: 'rt-a',
      enabled: false,
    })
  })

  it('opens no record that something else changed, says so, and leaves the record as it is', async () => {
    const { open, file, text } = await folderWith()
    const keychain = memoryKeychain()
    await open(keychain, true).update((pool) => withLogin(pool, login('a')).pool)
    const content = JSON.parse(await text())
    content.accounts[0].uid = 'acc_other'
    await writeFile(file, JSON.stringify(content))
    const [account] = (await open(keychain).read()).accounts
    expect(account).toMatchObject({
      needsLogin: { reason: expect.stringContaining('does not open') },
    })
    expect(account).not.toHaveProperty('refreshToken')
    expect(JSON.parse(await text())).toEqual(content)
  })
})

describe('a plain account file', () => {
  it('never touches the keychain, also when the user opted in but did not migrate', async () => {
    const { open, file, text } = await folderWith()
    await mkdir(path.dirname(file), { recursive: true })
    await open(memoryKeychain()).update((pool) => withLogin(pool, login('a')).pool)
    const keychain = memoryKeychain()
    keychain.broken = true
    await open(keychain, true).update((pool) => withLogin(pool, login('b')).pool)
    expect(keychain.reads).toBe(0)
    expect(await text()).toContain('rt-b')
  })

  it('is not made at all when the user opted in and the keychain cannot be reached', async () => {
    const { open, text } = await folderWith()
    const keychain = memoryKeychain()
    keychain.broken = true
    await expect(
      open(keychain, true).update((pool) => withLogin(pool, login('a')).pool),
    ).rejects.toMatchObject({ code: 'keychain_unreachable' })
    await expect(text()).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
