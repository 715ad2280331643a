import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { type AccountStore, createAccountStore } from '../../lib/accounts/store/store.js'
import { withLogin } from '../../lib/accounts/edits.js'
import { systemClock } from '../../lib/kernel/clock.js'
import { failFiles } from '../support/faulty-files.js'
import { temporaryFolder } from '../support/temporary.js'

const login = (name: string) => ({
  refreshToken: `rt-${name}`,
  accountId: `id-${name}`,
  accountUserId: `user-${name}`,
  addedAt: 1,
  lastUsed: 0,
})

async function filledStore(
  watch = false,
): Promise<{ folder: string; file: string; store: AccountStore }> {
  const folder = path.join(await temporaryFolder(), 'root')
  const file = path.join(folder, 'accounts.json')
  const store = createAccountStore({
    path: file,
    backupsDir: path.join(folder, 'backups'),
    clock: systemClock,
    watch,
  })
  onTestFinished(() => store.close())
  await store.update((pool) => withLogin(pool, login('a')).pool)
  return { folder, file, store }
}

describe('the account file', () => {
  it('is not written by a process whose lock was taken while it slept: the change of the other would be lost', async () => {
    const { folder, file, store } = await filledStore()
    const before = await readFile(file, 'utf8')
    const change = store.update((pool) => {
      for (const name of fs.readdirSync(folder))
        if (name.includes('.lock.')) fs.rmSync(path.join(folder, name))
      return withLogin(pool, login('b')).pool
    })
    await expect(change).rejects.toMatchObject({
      code: 'store_busy',
      message: expect.stringContaining('was lost'),
    })
    expect(await readFile(file, 'utf8')).toBe(before)
  })

  it.each(['EIO', 'EACCES', 'EMFILE'])(
    'that cannot be read for a moment (%s) stays where it is, with all its accounts',
    async (code) => {
      const { folder, file } = await filledStore()
      const before = await readFile(file, 'utf8')
      const fresh = createAccountStore({
        path: file,
        backupsDir: path.join(folder, 'backups'),
        clock: systemClock,
      })
      const mend = failFiles('open', (target) => (target === file ? code : undefined))
      await expect(fresh.read()).rejects.toMatchObject({
        code: 'store_unreadable',
        message: expect.stringContaining(code),
      })
      await expect(fresh.update((pool) => withLogin(pool, login('b')).pool)).rejects.toMatchObject({
        code: 'store_unreadable',
      })
      mend()
      expect(await readFile(file, 'utf8')).toBe(before)
      expect((await readdir(folder)).filter((name) => name.includes('corrupt'))).toEqual([])
      expect((await fresh.read()).accounts).toHaveLength(1)
    },
  )

  it('that is damaged, and cannot be read at the second look, is not moved aside either', async () => {
    const { folder, file, store } = await filledStore()
    await writeFile(file, 'not json at all')
    failFiles('open', (target, call) => (target === file && call > 1 ? 'EIO' : undefined))
    await expect(store.read()).rejects.toMatchObject({
      code: 'store_unreadable',
      message: expect.stringContaining('EIO'),
    })
    expect(await readdir(folder)).toContain('accounts.json')
    expect((await readdir(folder)).filter((name) => name.includes('corrupt'))).toEqual([])
  })
})

describe('the watch of the account file', () => {
  it('may break: the next read asks the disk and watches anew (an error nobody heard ended the host)', async () => {
    const watchers: fs.FSWatcher[] = []
    const original = fs.watch
    fs.watch = ((...args: Parameters<typeof original>) => {
      const watcher = original(...args)
      watchers.push(watcher)
      return watcher
    }) as typeof original
    syncBuiltinESMExports()
    onTestFinished(() => {
      fs.watch = original
      syncBuiltinESMExports()
    })
    const { file, store } = await filledStore(true)
    await store.read()
    await expect.poll(async () => (await store.read(), store.peek()?.accounts.length)).toBe(1)
    watchers[0]?.emit('error', Object.assign(new Error('watch limit'), { code: 'ENOSPC' }))
    expect(store.peek()).toBeUndefined()
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll('rt-a', 'rt-other'))
    expect((await store.read()).accounts[0]?.refreshToken).toBe('rt-other')
    expect(watchers).toHaveLength(2)
    await expect
      .poll(async () => (await store.read(), store.peek()?.accounts[0]?.refreshToken))
      .toBe('rt-other')
  })
})
