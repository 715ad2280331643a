import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { withLogin } from '../../lib/accounts/edits.js'
import { createAccountStore } from '../../lib/accounts/store/store.js'
import { noticesOfLogins } from '../../lib/request/notice-words.js'
import { createNotices } from '../../lib/request/notices.js'
import { createSharedGate } from '../../lib/request/shared-gate.js'
import { cachedCopies, removeCopies } from '../../lib/host-setup/package-cache.js'
import { DEFAULT_CONFIG } from '../../lib/config/settings.js'
import { systemClock } from '../../lib/kernel/clock.js'
import { silentLogger } from '../../lib/kernel/logger.js'
import { tryLock } from '../../lib/kernel/lock/lock.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { packageVersion } from '../../lib/kernel/version.js'
import { coreOver } from '../support/core-over.js'
import { recordFileOperations } from '../support/file-operations.js'
import { readManifest, repositoryRoot, sourcesOf } from '../support/repository.js'
import { toolData, toolText } from '../support/run-tool.js'
import { temporaryFolder } from '../support/temporary.js'
import { aPool } from '../support/records.js'
import { homeIn } from '../support/home.js'
import { expectPrivate } from '../support/private-place.js'

const storeIn = (folder: string) =>
  createAccountStore({
    path: path.join(folder, 'accounts.json'),
    backupsDir: path.join(folder, 'backups'),
    clock: systemClock,
  })
const login = (name: string) => ({
  refreshToken: `rt-${name}`,
  accountId: `id-${name}`,
  addedAt: 1,
  lastUsed: 0,
})

describe('known defects with files and processes', () => {
  it('a file that cannot be read is never the reason to write a new one over it', async () => {
    const folder = await temporaryFolder()
    const store = storeIn(folder)
    const newer = JSON.stringify({ version: 9, accounts: [login('kept')] })
    await writeFile(store.path, newer)
    await expect(store.update((pool) => withLogin(pool, login('new')).pool)).rejects.toMatchObject({
      code: 'store_newer',
    })
    expect(await readFile(store.path, 'utf8')).toBe(newer)
    await writeFile(store.path, newer.slice(0, 30))
    await expect(store.update((pool) => withLogin(pool, login('new')).pool)).rejects.toMatchObject({
      code: 'store_unreadable',
    })
    const [aside] = (await readdir(folder)).filter((name) => name.includes('.corrupt-'))
    expect(await readFile(path.join(folder, aside ?? ''), 'utf8')).toBe(newer.slice(0, 30))
  })

  it('many windows that change different accounts at once lose no change', async () => {
    const folder = await temporaryFolder()
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        storeIn(folder).update((pool) => withLogin(pool, login(String(index))).pool),
      ),
    )
    expect((await storeIn(folder).read()).accounts).toHaveLength(10)
  })

  it('a change that is on the disk is a success, although its lock was taken away meanwhile', async () => {
    const folder = await temporaryFolder()
    const store = storeIn(folder)
    await store.update((pool) => withLogin(pool, login('a')).pool)
    const lock = await tryLock(path.join(folder, 'other'), 2_000)
    const { rm } = await import('node:fs/promises')
    await rm(path.join(folder, 'other.lock'), { recursive: true })
    await expect(lock?.release()).resolves.toBeUndefined()
  })

  it('a tool that cannot lock the file answers with the name of the problem, and changes nothing', async () => {
    const { core } = await coreOver(['a'])
    const lock = await tryLock(`${core.runtime.store.path}.transaction`, 4_000)
    const before = await readFile(core.runtime.store.path, 'utf8')
    await expect(toolData(core.runtime, 'label', { account: 1, label: 'x' })).rejects.toMatchObject(
      { code: 'store_busy', hint: expect.stringMatching(/\S/) },
    )
    expect(await readFile(core.runtime.store.path, 'utf8')).toBe(before)
    await lock?.release()
  }, 30_000)

  it('the same message is shown once, also when several windows have it to say', async () => {
    const file = path.join(await temporaryFolder(), 'notices.json')
    const shown: string[] = []
    const window = async () => {
      const gate = createSharedGate({ file, clock: systemClock, log: silentLogger })
      await gate.load()
      return createNotices({
        host: { log: () => undefined, toast: ({ message }) => void shown.push(message) },
        config: DEFAULT_CONFIG,
        gate,
      })
    }
    const passed = new Map([['a', { label: 'Account 1', why: '', kind: 'login' as const }]])
    const windows = await Promise.all(Array.from({ length: 8 }, window))
    // All at the same moment, each twice; then one that starts later.
    const news = noticesOfLogins(passed)
    for (const { refused } of [...windows, ...windows]) refused(passed, news)
    await Promise.all(windows.map((one) => one.close()))
    const last = await window()
    last.refused(passed, news)
    await last.close()
    expect(shown).toEqual(['Account 1 must sign in again: {login}.'])
  })

  it('the first import into an empty pool works, with nothing to back up', async () => {
    const { core, home } = await coreOver([])
    await writeFile(path.join(home, 'saved.json'), aPool([login('a')]))
    expect(await toolData(core.runtime, 'import', { path: 'saved.json' })).toMatchObject({
      added: 1,
      backup: null,
    })
  })

  it('an export never takes the place of a file that is there, and a removal wants to be confirmed', async () => {
    const { core, home } = await coreOver(['a'])
    await writeFile(path.join(home, 'mine.txt'), 'mine')
    await expect(toolData(core.runtime, 'export', { path: 'mine.txt' })).rejects.toMatchObject({
      code: 'invalid_input',
    })
    expect(await readFile(path.join(home, 'mine.txt'), 'utf8')).toBe('mine')
    await toolData(core.runtime, 'remove', { account: 1 })
    expect((await core.runtime.store.read()).accounts).toHaveLength(1)
  })

  it('reading the pool writes nothing, not even a lock', async () => {
    const folder = await temporaryFolder()
    await storeIn(folder).update((pool) => withLogin(pool, login('a')).pool)
    const store = storeIn(folder)
    const operations = recordFileOperations()
    await store.read()
    await store.read()
    expect(
      operations
        .map(({ name }) => name)
        .filter((name) => /write|mkdir|rename|rm|unlink|utimes|append|chmod/i.test(name)),
    ).toEqual([])
  })

  it('an update lets go of the copies of this package that the host has frozen, and of nothing else', async () => {
    const folder = await temporaryFolder()
    const cache = path.join(folder, 'opencode')
    const ours = ['packages/oc-codex-multi-auth@latest', 'node_modules/oc-codex-multi-auth']
    const foreign = [
      'packages/oc-codex-multi-auth-extra@1.0.0',
      'packages/another@latest',
      'node_modules/zod',
    ]
    for (const name of [...ours, ...foreign])
      await mkdir(path.join(cache, name), { recursive: true })
    await removeCopies(
      await cachedCopies(resolvePaths({ ...homeIn(folder), XDG_CACHE_HOME: folder })),
    )
    const left = [
      ...(await readdir(path.join(cache, 'packages'))).map((name) => `packages/${name}`),
      ...(await readdir(path.join(cache, 'node_modules'))).map((name) => `node_modules/${name}`),
    ]
    expect(left.toSorted()).toEqual(foreign.toSorted())
  })

  it('no source holds characters that were decoded the wrong way', async () => {
    for (const { file, text } of await sourcesOf('lib'))
      expect(text, file).not.toMatch(/\uFFFD|Ã.|â€|Â[ °·]/)
  })

  it('the version is the one of the package, not a default', async () => {
    expect(packageVersion()).toMatch(/^\d+\.\d+\.\d+/)
    expect(readManifest(repositoryRoot).version).not.toBe('0.0.0')
  })

  it('a save that does not work is an error with a reason, never silence', async () => {
    const folder = await temporaryFolder()
    await mkdir(path.join(folder, 'accounts.json'))
    await expect(
      storeIn(folder).update((pool) => withLogin(pool, login('a')).pool),
    ).rejects.toMatchObject({ message: expect.stringContaining('accounts.json') })
  })

  it('what the doctor, the bundle and the list say holds no token and no address', async () => {
    const { core } = await coreOver(['a', 'b'])
    const { accounts } = await core.runtime.store.read()
    const secrets = accounts.flatMap(({ refreshToken, accessToken, email }) => [
      refreshToken,
      accessToken,
      email,
    ])
    for (const tool of ['doctor', 'diag', 'list', 'status', 'dashboard', 'metrics']) {
      const said = `${await toolText(core.runtime, tool)}${JSON.stringify(await toolData(core.runtime, tool))}`
      for (const secret of secrets) expect(said.includes(secret ?? 'missing'), tool).toBe(false)
    }
  })

  it('the schema of the configuration accepts every setting at its default', async () => {
    const schema = JSON.parse(
      await readFile(path.join(repositoryRoot, 'config', 'codex-plugin.schema.json'), 'utf8'),
    ) as { properties: Record<string, unknown> }
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining(Object.keys(DEFAULT_CONFIG)),
    )
  })

  it('what lies on the disk is for its owner alone', async () => {
    const { core, home } = await coreOver(['a'])
    await toolData(core.runtime, 'label', { account: 1, label: 'x' })
    await core.close()
    const entries = (await readdir(home, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
    // The manifest names a package and nothing else; the host reads it.
    for (const file of entries)
      if (path.basename(file) !== 'package.json') await expectPrivate(file)
  })
})
