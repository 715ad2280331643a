import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { createAccountStore } from '../../lib/accounts/store/store.js'
import { withAccount, withLogin, withoutAccount } from '../../lib/accounts/edits.js'
import { systemClock } from '../../lib/kernel/clock.js'
import { temporaryFolder } from '../support/temporary.js'
import { failFiles } from '../support/faulty-files.js'
import { whereModesRefuse } from '../support/platforms.js'
import { expectPrivate } from '../support/private-place.js'

async function storeIn(folder: string, options: { watch?: boolean; legacy?: boolean } = {}) {
  const file = path.join(folder, 'root', 'accounts.json')
  const legacyPath = path.join(folder, 'root', 'old-accounts.json')
  const store = createAccountStore({
    path: file,
    backupsDir: path.join(folder, 'root', 'backups'),
    clock: systemClock,
    ...(options.watch === undefined ? {} : { watch: options.watch }),
    ...(options.legacy ? { legacyPath } : {}),
  })
  return { file, legacyPath, store }
}

const login = (name: string) => ({
  refreshToken: `rt-${name}`,
  accountId: `id-${name}`,
  accountUserId: `user-${name}`,
  addedAt: 1,
  lastUsed: 0,
})

describe('account store', () => {
  it('answers an empty pool where no file is', async () => {
    const { store } = await storeIn(await temporaryFolder())
    expect((await store.read()).accounts).toEqual([])
  })

  it('writes the file for its owner alone, in a folder for its owner alone', async () => {
    const { store, file } = await storeIn(await temporaryFolder())
    await store.update((pool) => withLogin(pool, login('a')).pool)
    await expectPrivate(file)
    await expectPrivate(path.dirname(file))
  })

  it('keeps fields it does not know through a read and a write', async () => {
    const { store, file } = await storeIn(await temporaryFolder())
    await store.update((pool) => withLogin(pool, login('a')).pool)
    const content = JSON.parse(await readFile(file, 'utf8'))
    content.fromTheFuture = { deep: [1] }
    content.accounts[0].alsoNew = 'kept'
    await writeFile(file, JSON.stringify(content))
    await store.update((pool) => withLogin(pool, login('b')).pool)
    const after = JSON.parse(await readFile(file, 'utf8'))
    expect(after.fromTheFuture).toEqual({ deep: [1] })
    expect(after.accounts[0].alsoNew).toBe('kept')
    expect(after.accounts).toHaveLength(2)
  })

  it('writes nothing when the change returns its argument', async () => {
    const { store, file } = await storeIn(await temporaryFolder())
    await store.update((pool) => withLogin(pool, login('a')).pool)
    const before = await stat(file, { bigint: true })
    await store.update((pool) => pool)
    expect((await stat(file, { bigint: true })).ino).toBe(before.ino)
  })

  it('sees what another store wrote to the same file', async () => {
    const folder = await temporaryFolder()
    const one = await storeIn(folder)
    const two = await storeIn(folder)
    await one.store.update((pool) => withLogin(pool, login('a')).pool)
    await two.store.update((pool) => withLogin(pool, login('b')).pool)
    expect((await one.store.read()).accounts.map((account) => account.accountId)).toEqual([
      'id-a',
      'id-b',
    ])
  })

  it.each([
    ['half a file', '{"version":3,"accounts":[{"refre'],
    ['an empty file', ''],
    ['JSON that is something else', '["not","accounts"]'],
  ])('moves %s aside, says where, and goes on empty', async (_name, text) => {
    const { store, file } = await storeIn(await temporaryFolder())
    await store.update((pool) => withLogin(pool, login('a')).pool)
    await writeFile(file, text)
    await expect(store.read()).rejects.toMatchObject({
      code: 'store_unreadable',
      message: expect.stringContaining('.corrupt-'),
    })
    const aside = (await readdir(path.dirname(file))).filter((name) => name.includes('.corrupt-'))
    expect(aside).toHaveLength(1)
    expect(await readFile(path.join(path.dirname(file), aside[0]!), 'utf8')).toBe(text)
    expect((await store.read()).accounts).toEqual([])
  })

  it('leaves the file of a newer version alone and says so', async () => {
    const { store, file } = await storeIn(await temporaryFolder())
    await store.update((pool) => withLogin(pool, login('a')).pool)
    const newer = '{"version":4,"accounts":[]}'
    await writeFile(file, newer)
    await expect(store.read()).rejects.toMatchObject({ code: 'store_newer' })
    await expect(store.update((pool) => withLogin(pool, login('b')).pool)).rejects.toMatchObject({
      code: 'store_newer',
    })
    expect(await readFile(file, 'utf8')).toBe(newer)
  })

  it('refuses a folder in place of the file with one sentence', async () => {
    const folder = await temporaryFolder()
    const store = createAccountStore({ path: folder, backupsDir: folder, clock: systemClock })
    await expect(store.read()).rejects.toMatchObject({ code: 'store_unreadable' })
  })

  whereModesRefuse(
    'says that a file without permission cannot be read, and changes nothing',
    async () => {
      const { store, file } = await storeIn(await temporaryFolder())
      await store.update((pool) => withLogin(pool, login('a')).pool)
      await chmod(file, 0o000)
      await expect(store.read()).rejects.toMatchObject({ code: 'store_unreadable' })
    },
  )

  it.each(['EPERM', 'EACCES'])(
    'says that a file that the system refuses with %s cannot be read, and changes nothing',
    async (code) => {
      const { store, file } = await storeIn(await temporaryFolder())
      await store.update((pool) => withLogin(pool, login('a')).pool)
      const before = await readFile(file, 'utf8')
      const other = (await storeIn(path.dirname(path.dirname(file)))).store
      const end = failFiles('open', (target) => (target === file ? code : undefined))
      const endReads = failFiles('readFile', (target) => (target === file ? code : undefined))
      await expect(other.read()).rejects.toMatchObject({ code: 'store_unreadable' })
      end()
      endReads()
      expect(await readFile(file, 'utf8')).toBe(before)
    },
  )

  it('keeps a copy before accounts disappear', async () => {
    const { store, file } = await storeIn(await temporaryFolder())
    const pool = await store.update((before) => withLogin(before, login('a')).pool)
    await store.update((before) => withoutAccount(before, pool.accounts[0]!.uid))
    const copies = await readdir(path.join(path.dirname(file), 'backups'))
    expect(copies).toHaveLength(1)
    expect(await readFile(path.join(path.dirname(file), 'backups', copies[0]!), 'utf8')).toContain(
      'rt-a',
    )
  })

  it('takes over a file under its older name and renames that with the first write', async () => {
    const { store, file, legacyPath } = await storeIn(await temporaryFolder(), { legacy: true })
    await store.update((pool) => pool)
    const { mkdir } = await import('node:fs/promises')
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(
      legacyPath,
      JSON.stringify({
        version: 1,
        accounts: [{ refreshToken: 'rt-old', addedAt: 1, lastUsed: 1, rateLimitResetTime: 5 }],
        activeIndex: 0,
      }),
    )
    expect((await store.read()).accounts[0]?.refreshToken).toBe('rt-old')
    await store.update((pool) =>
      withAccount(pool, pool.accounts[0]!.uid, (account) => ({ ...account, accountNote: 'kept' })),
    )
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
      version: 3,
      accounts: [{ refreshToken: 'rt-old', accountNote: 'kept' }],
    })
    expect(await readdir(path.dirname(file))).toContain('old-accounts.json.migrated')
  })

  it('answers from memory while nothing changes, and notices a change by somebody else', async () => {
    const folder = await temporaryFolder()
    const one = await storeIn(folder, { watch: true })
    const two = await storeIn(folder)
    await two.store.update((pool) => withLogin(pool, login('a')).pool)
    await one.store.read()
    expect(one.store.peek()?.accounts).toHaveLength(1)
    await two.store.update((pool) => withLogin(pool, login('b')).pool)
    await expect.poll(() => one.store.peek()).toBeUndefined()
    expect((await one.store.read()).accounts).toHaveLength(2)
    expect(one.store.peek()?.accounts).toHaveLength(2)
    one.store.close()
  })

  it('runs many changes of one process one after the other without losing any', async () => {
    const { store } = await storeIn(await temporaryFolder())
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        store.update((pool) => withLogin(pool, login(String(index))).pool),
      ),
    )
    expect((await store.read()).accounts).toHaveLength(20)
  })
})
