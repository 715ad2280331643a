import { mkdir, readdir, readFile, rename, symlink, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { encryptPool } from '../../lib/transfer/export.js'
import { EMPTY_POOL } from '../../lib/accounts/account.js'
import { uidFor } from '../../lib/accounts/identity.js'
import { withUids } from '../../lib/accounts/store/pool-format.js'
import { fingerprintOf } from '../../lib/tokens/token-rules.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { coreOver } from '../support/core-over.js'
import { aHome, homeIn } from '../support/home.js'
import { whereLinksAreFree } from '../support/platforms.js'
import { runCli } from '../support/run-cli.js'
import { toolData } from '../support/run-tool.js'
import { inSlashes } from '../support/slashes.js'
import { temporaryFolder } from '../support/temporary.js'
import { anAccount, aPool } from '../support/records.js'

const account = (name: string, more: Record<string, unknown> = {}) =>
  anAccount(name, {
    refreshToken: `rt-${name}-token`,
    accessToken: `at-${name}-token`,
    accountUserId: `user-${name}`,
    email: `${name}@example.com`,
    accountLabel: name,
    ...more,
  })
const pool = (...names: string[]): string => aPool(names.map((name) => account(name)))

/** Every file under a folder with its text. */
async function filesUnder(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
  return new Map(
    await Promise.all(
      files.map(
        async (file) =>
          [inSlashes(path.relative(folder, file)), await readFile(file, 'utf8')] as const,
      ),
    ),
  )
}

const PROJECT = 'projects/web-0123456789ab'

/** A home in which the login of anna left a trace in every place there is; ben and cleo are in some of them too. */
async function homeFullOfCopies() {
  const home = await aHome([account('anna'), account('ben')])
  const root = path.join(home, '.opencode')
  const write = async (name: string, text: string): Promise<void> => {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true })
    await writeFile(path.join(root, name), text)
  }
  await write('backups/accounts-20260101-000000000-aaaaaa.json', pool('anna'))
  await write(
    'backups/accounts-20260102-000000000-bbbbbb.json',
    JSON.stringify({
      version: 3,
      accounts: [
        account('anna', { refreshToken: 'rt-anna-older' }),
        account('ben'),
        account('cleo'),
      ],
      activeIndex: 2,
    }),
  )
  await write('backups/export-20260103-000000000.json', pool('anna', 'ben'))
  await write('backups/accounts-20260104-000000000-cccccc.json', pool('ben'))
  await write(
    'backups/codex-locked.json',
    await encryptPool(
      { ...EMPTY_POOL, accounts: withUids([account('anna')]) },
      'a long passphrase',
    ),
  )
  await write(
    'oc-codex-multi-auth-accounts.json.corrupt-20260101-000000000',
    `{"version":3,"accounts":[{"refreshToken":"rt-anna-token","email":"anna@exa`,
  )
  await write('openai-codex-accounts.json.migrated', pool('anna'))
  await write(
    'oc-codex-multi-auth-flagged-accounts.json',
    JSON.stringify({
      version: 1,
      accounts: [
        { ...account('anna'), flaggedAt: 1 },
        { ...account('cleo'), flaggedAt: 1 },
      ],
    }),
  )
  await write(
    '.oc-codex-multi-auth-accounts.json.123456-0123456789ab.tmp',
    pool('anna', 'ben').slice(0, -20),
  )
  await write(
    `refresh/${fingerprintOf('rt-anna-token')}.json`,
    JSON.stringify({ state: 'failed', pool: path.join(root, 'x'), uid: 'other', startedAt: 1 }),
  )
  await write(
    `refresh/${fingerprintOf('rt-anna-gone')}.json`,
    JSON.stringify({
      state: 'received',
      pool: path.join(root, 'x'),
      uid: uidFor(account('anna')),
      startedAt: 1,
      tokens: { accessToken: 'at-anna-next', refreshToken: 'rt-anna-next', expiresAt: 9 },
    }),
  )
  await write(
    `refresh/${fingerprintOf('rt-ben-token')}.json`,
    JSON.stringify({ state: 'failed', pool: 'x', uid: uidFor(account('ben')), startedAt: 1 }),
  )
  await write(`${PROJECT}/oc-codex-multi-auth-accounts.json`, pool('anna', 'cleo'))
  await write(`${PROJECT}/backups/accounts-20260101-000000000-dddddd.json`, pool('anna', 'cleo'))
  await write('openai-codex-auth-config.json', '{}')
  return { home, root }
}

const anna = /rt-anna|at-anna|anna@example/
const tracesIn = async (root: string, of: RegExp): Promise<string[]> =>
  [...(await filesUnder(root))].filter(([, text]) => of.test(text)).map(([name]) => name)

describe('logout --purge', () => {
  it('says first what exactly would be cleared, and changes nothing', async () => {
    const { home, root } = await homeFullOfCopies()
    const before = await filesUnder(root)
    const { code, stdout } = await runCli(home, ['logout', 'anna', '--purge'])
    expect(code).toBe(2)
    expect(stdout).toContain('cannot be undone')
    for (const name of [
      'backups/accounts-20260101-000000000-aaaaaa.json: deleted',
      'backups/export-20260103-000000000.json: rewritten without the login',
      '.corrupt-20260101-000000000: deleted',
      '.migrated: deleted',
      'flagged-accounts.json: rewritten',
      '.tmp: deleted',
      `${PROJECT}/oc-codex-multi-auth-accounts.json: the account leaves this pool too`,
      `refresh/${fingerprintOf('rt-anna-token')}.json: deleted`,
      'backups/codex-locked.json: kept',
    ])
      expect(inSlashes(stdout)).toContain(name)
    expect(stdout).not.toContain('cccccc')
    expect(await filesUnder(root)).toEqual(before)
  })

  it('leaves no trace of that login in any folder of ours, and every other login where it was', async () => {
    const { home, root } = await homeFullOfCopies()
    const { code, stdout, stderr } = await runCli(home, ['logout', 'anna', '--purge', '--yes'])
    expect(code, stderr).toBe(0)
    expect(stdout).toContain('cannot be undone')
    expect(stdout).not.toContain('Undo:')
    expect(stdout).toContain('codex-locked.json is encrypted with a passphrase and is kept')
    expect(await tracesIn(root, anna)).toEqual([])
    const files = await filesUnder(root)
    expect(files.get('backups/accounts-20260104-000000000-cccccc.json')).toBe(pool('ben'))
    expect(JSON.parse(files.get('backups/accounts-20260102-000000000-bbbbbb.json')!)).toMatchObject(
      { accounts: [{ accountLabel: 'ben' }, { accountLabel: 'cleo' }], activeIndex: 0 },
    )
    expect(JSON.parse(files.get('oc-codex-multi-auth-flagged-accounts.json')!)).toMatchObject({
      version: 1,
      accounts: [{ accountLabel: 'cleo', flaggedAt: 1 }],
    })
    expect(JSON.parse(files.get(`${PROJECT}/oc-codex-multi-auth-accounts.json`)!)).toMatchObject({
      accounts: [{ accountLabel: 'cleo' }],
    })
    expect([...files.keys()].filter((name) => name.startsWith('refresh/'))).toEqual([
      `refresh/${fingerprintOf('rt-ben-token')}.json`,
    ])
    expect(files.get('openai-codex-auth-config.json')).toBe('{}')
  })

  it('without --purge says that copies stay and how to clear them, and that command works afterwards', async () => {
    const { home, root } = await homeFullOfCopies()
    const { stdout } = await runCli(home, ['logout', 'anna', '--yes'])
    const command = /To clear them for good: npx oc-codex-multi-auth (.+)/.exec(stdout)?.[1] ?? ''
    expect(command).toBe(`logout ${uidFor(account('anna'))} --purge`)
    expect(stdout).toMatch(/\d+ files on this machine still hold a copy of the login/)
    const { code, stderr } = await runCli(home, [...command.split(' '), '--yes'])
    expect(code, stderr).toBe(0)
    expect(await tracesIn(root, anna)).toEqual([])
  })

  whereLinksAreFree(
    'finds the journal beside the place to which an account file is linked, and leaves the other files there alone',
    async () => {
      const home = await aHome([account('anna'), account('ben')])
      const file = path.join(home, '.opencode', 'oc-codex-multi-auth-accounts.json')
      const shared = await temporaryFolder()
      const real = path.join(shared, 'oc-codex-multi-auth-accounts.json')
      await rename(file, real)
      await symlink(real, file)
      await mkdir(path.join(shared, 'refresh'))
      await mkdir(path.join(shared, 'backups'))
      const entry = {
        state: 'received',
        pool: real,
        uid: uidFor(account('anna')),
        startedAt: 1,
        tokens: { accessToken: 'at-anna-next', refreshToken: 'rt-anna-next', expiresAt: 9 },
      }
      await writeFile(
        path.join(shared, 'refresh', `${fingerprintOf('rt-anna-token')}.json`),
        JSON.stringify(entry),
      )
      await writeFile(path.join(shared, 'backups', 'letters.json'), '{"not":"ours"}')
      const { code, stderr } = await runCli(home, ['logout', '--all', '--purge', '--yes'])
      expect(code, stderr).toBe(0)
      expect(await tracesIn(shared, /rt-|at-/)).toEqual([])
      expect(JSON.parse(await readFile(real, 'utf8'))).toMatchObject({ accounts: [] })
      expect(await readFile(path.join(shared, 'backups', 'letters.json'), 'utf8')).toBe(
        '{"not":"ours"}',
      )
    },
  )

  it('--all clears every copy beside the pool, and the same logins elsewhere', async () => {
    const { home, root } = await homeFullOfCopies()
    const { code, stderr } = await runCli(home, ['logout', '--all', '--purge', '--yes'])
    expect(code, stderr).toBe(0)
    expect(await tracesIn(root, /rt-anna|at-anna|rt-ben|at-ben/)).toEqual([])
    expect(await readdir(path.join(root, 'backups'))).toEqual(['codex-locked.json'])
    expect(
      JSON.parse((await filesUnder(root)).get(`${PROJECT}/oc-codex-multi-auth-accounts.json`)!),
    ).toMatchObject({ accounts: [{ accountLabel: 'cleo' }] })
    expect((await runCli(home, ['logout', '--all', '--purge', '--yes'])).code).toBe(0)
  })
})

describe('new tokens that lie in a spare folder because the disk of the account file took nothing', () => {
  it('go with their login, and what killed processes left beside them goes too', async () => {
    const { home } = await homeFullOfCopies()
    const {
      spareRefreshDirs: [spare = ''],
    } = resolvePaths(homeIn(home))
    const entryOf = (name: string): string =>
      JSON.stringify({
        state: 'received',
        pool: 'x',
        uid: uidFor(account(name)),
        startedAt: 1,
        tokens: { accessToken: `at-${name}-next`, refreshToken: `rt-${name}-next`, expiresAt: 9 },
      })
    await mkdir(spare, { recursive: true, mode: 0o700 })
    await writeFile(path.join(spare, `${fingerprintOf('rt-anna-gone')}.json`), entryOf('anna'))
    await writeFile(path.join(spare, `${fingerprintOf('rt-ben-gone')}.json`), entryOf('ben'))
    await writeFile(path.join(spare, '.x.json.1-0123456789ab.tmp'), 'rt-anna-token')
    const past = new Date(Date.now() - 2 * 3_600_000)
    await utimes(path.join(spare, '.x.json.1-0123456789ab.tmp'), past, past)
    const { code, stderr } = await runCli(home, ['logout', 'anna', '--purge', '--yes'])
    expect(code, stderr).toBe(0)
    expect(await readdir(spare)).toEqual([`${fingerprintOf('rt-ben-gone')}.json`])
  })
})

describe('codex-remove with purge', () => {
  it('previews, and then leaves no trace of the login', async () => {
    const { core, home } = await coreOver(['a', 'b'])
    const root = path.join(home, '.opencode')
    const { refreshToken } = (await core.runtime.store.read()).accounts[0]!
    await mkdir(path.join(root, 'backups'), { recursive: true })
    await writeFile(
      path.join(root, 'backups', 'before-import-1.json'),
      await readFile(core.runtime.store.path, 'utf8'),
    )
    const preview = await toolData(core.runtime, 'remove', { account: 1, purge: true })
    expect(preview).toMatchObject({
      removed: false,
      message: expect.stringContaining('before-import-1.json: rewritten without the login'),
    })
    const plain = await toolData(core.runtime, 'remove', { account: 2, confirm: true })
    expect(plain.message).toMatch(
      /still hold a copy of the login\. To clear them for good: npx oc-codex-multi-auth logout acc_\w+ --purge/,
    )
    const done = await toolData(core.runtime, 'remove', { account: 1, confirm: true, purge: true })
    expect(done).toMatchObject({
      removed: true,
      backup: null,
      message: expect.stringContaining('cannot be undone'),
    })
    expect(await tracesIn(root, new RegExp(refreshToken!))).toEqual([])
  })
})
