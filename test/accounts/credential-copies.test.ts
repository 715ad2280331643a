import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import type { Account } from '../../lib/accounts/account.js'
import {
  accountsInCopies,
  clearCredentialCopies,
  filesNaming,
  findCredentialCopies,
  withoutUnreadableOf,
} from '../../lib/accounts/store/credential-copies.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { inSlashes } from '../support/slashes.js'
import { temporaryFolder } from '../support/temporary.js'
import { homeIn } from '../support/home.js'

const account = (name: string, changes: Partial<Account> = {}): Account => ({
  uid: `acc_${name}`,
  refreshToken: `rt-${name}-token`,
  accountId: `workspace-${name}`,
  accountUserId: `user-${name}`,
  email: `${name}@example.test`,
  accountLabel: name.toUpperCase(),
  addedAt: 1,
  lastUsed: 0,
  ...changes,
})
const ANNA = account('anna')
const BEN = account('ben')
const poolText = (...accounts: object[]): string =>
  JSON.stringify({ version: 3, accounts, activeIndex: 1, activeIndexByFamily: { codex: 1 } })

async function homeWith(files: Record<string, string>) {
  const home = await temporaryFolder()
  const paths = resolvePaths({ ...homeIn(home), XDG_STATE_HOME: path.join(home, 'state') })
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(paths.root, name)
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, text)
  }
  const search = async (
    changes: Partial<Parameters<typeof findCredentialCopies>[2]> = {},
  ): Promise<Record<string, string>> =>
    Object.fromEntries(
      (
        await findCredentialCopies(paths, paths.accountsFile, {
          accounts: [ANNA],
          journalNames: new Set(),
          ...changes,
        })
      ).map(({ path: file, fate }) => [inSlashes(path.relative(paths.root, file)), fate]),
    )
  return { paths, search, in: (name: string) => path.join(paths.root, name) }
}

const POOL = 'oc-codex-multi-auth-accounts.json'

describe('the copies of a login', () => {
  it('are found by the identity of their records: deleted where nothing else is in the file, else rewritten', async () => {
    const { search } = await homeWith({
      [POOL]: poolText(ANNA, BEN),
      'backups/only-anna.json': poolText(ANNA),
      'backups/both.json': poolText(ANNA, BEN),
      'backups/only-ben.json': poolText(BEN),
      'backups/by-seat.json': poolText({ ...ANNA, uid: 'acc_x', refreshToken: 'rt-earlier' }),
      'backups/by-token.json': poolText({ refreshToken: ANNA.refreshToken, addedAt: 1 }),
      'oc-codex-multi-auth-accounts.json.corrupt-1': `{"accounts":[{"refreshToken":"${ANNA.refreshToken ?? ''}"`,
      'oc-codex-multi-auth-flagged-accounts.json': poolText(BEN, ANNA),
      'openai-codex-auth-config.json': JSON.stringify({ note: ANNA.email }),
      'notes.json': poolText(ANNA),
      [`projects/web/${POOL}`]: poolText(ANNA),
      [`projects/api/${POOL}`]: poolText(BEN),
    })
    expect(await search()).toEqual({
      'backups/only-anna.json': 'delete',
      'backups/both.json': 'rewrite',
      'backups/by-seat.json': 'delete',
      'backups/by-token.json': 'delete',
      'oc-codex-multi-auth-accounts.json.corrupt-1': 'delete',
      'oc-codex-multi-auth-flagged-accounts.json': 'rewrite',
      [`projects/web/${POOL}`]: 'pool',
    })
  })

  it('are found in the journal by name, by account and by what is in the file', async () => {
    const { search, paths } = await homeWith({
      'refresh/by-name.json': '{}',
      'refresh/by-account.json': JSON.stringify({ uid: ANNA.uid, pool: '/elsewhere' }),
      'refresh/of-ben.json': JSON.stringify({ uid: BEN.uid, pool: '/elsewhere' }),
      'refresh/half.tmp': `"${ANNA.refreshToken ?? ''}`,
      'refresh/of-nobody.tmp': 'x',
      'refresh/ours.txt': ANNA.refreshToken ?? '',
    })
    const spare = paths.spareRefreshDirs[0] ?? ''
    await mkdir(spare, { recursive: true })
    await writeFile(path.join(spare, 'by-name.json'), '{}')
    expect(await search({ journalNames: new Set(['by-name']) })).toEqual({
      'refresh/by-name.json': 'delete',
      'refresh/by-account.json': 'delete',
      'refresh/half.tmp': 'delete',
      [inSlashes(path.relative(paths.root, path.join(spare, 'by-name.json')))]: 'delete',
    })
  })

  it('are all files of a folder that is cleared as a whole, but the pools of projects and what only a passphrase opens', async () => {
    const home = await homeWith({
      'backups/only-ben.json': poolText(BEN),
      'backups/locked.json': JSON.stringify({ format: 'oc-codex-multi-auth-export' }),
      [`projects/web/${POOL}`]: poolText(BEN),
      'projects/web/backups/only-ben.json': poolText(BEN),
    })
    await writeFile(home.in('refresh-of-pool.txt'), '')
    await mkdir(home.in('refresh'))
    await writeFile(
      home.in('refresh/entry.json'),
      JSON.stringify({ uid: BEN.uid, pool: home.paths.accountsFile }),
    )
    expect(await home.search({ accounts: [], wholeFolder: home.paths.root })).toEqual({
      'backups/only-ben.json': 'delete',
      'backups/locked.json': 'left',
      'refresh/entry.json': 'delete',
    })
    expect(await home.search({ accounts: [] })).toEqual({ 'backups/locked.json': 'left' })
  })

  it('go with the login alone: the others in a file stay, and its positions name the first of them', async () => {
    const { paths, in: at } = await homeWith({
      'backups/only-anna.json': poolText(ANNA),
      'backups/both.json': JSON.stringify({
        ...(JSON.parse(poolText(ANNA, BEN)) as object),
        unreadableAccounts: [{ email: ANNA.email }, { email: BEN.email }],
        note: 'kept',
      }),
    })
    const copies = await findCredentialCopies(paths, paths.accountsFile, {
      accounts: [ANNA],
      journalNames: new Set(),
    })
    expect(await clearCredentialCopies(copies)).toEqual([])
    expect(await readdir(at('backups'))).toEqual(['both.json'])
    expect(JSON.parse(await readFile(at('backups/both.json'), 'utf8'))).toEqual({
      version: 3,
      accounts: [BEN],
      unreadableAccounts: [{ email: BEN.email }],
      activeIndex: 0,
      activeIndexByFamily: {},
      note: 'kept',
    })
  })

  it('that cannot be cleared are named, and the next ones are cleared all the same', async () => {
    const { in: at } = await homeWith({ 'backups/a.json/file': '', 'backups/b.json': 'x' })
    const failed = await clearCredentialCopies([
      { path: at('backups/a.json'), fate: 'delete' },
      { path: at('backups/b.json'), fate: 'delete' },
      { path: at('backups/never.json'), fate: 'left' },
    ])
    expect(failed).toEqual([at('backups/a.json')])
    expect(await readdir(at('backups'))).toEqual(['a.json'])
  })

  it('tell whose they are by id, label or address, in any case of letters', async () => {
    const { paths } = await homeWith({
      'backups/both.json': poolText(ANNA, BEN),
      [`projects/web/${POOL}`]: poolText(account('cleo')),
      'backups/damaged.json': '{',
    })
    for (const name of ['acc_anna', ' anna ', 'Anna@Example.test'])
      expect((await accountsInCopies(paths, name)).map(({ uid }) => uid)).toEqual(['acc_anna'])
    expect(await accountsInCopies(paths, 'cleo')).toHaveLength(1)
    expect(await accountsInCopies(paths, 'an')).toEqual([])
  })

  it('name a key of the keychain in any folder of ours, account files too', async () => {
    const { paths, in: at } = await homeWith({
      [POOL]: '{"sealedWith":"k1"}',
      'backups/b.json': '{"sealedWith":"k1"}',
      'backups/c.json': '{"sealedWith":"k2"}',
      'refresh/r.json': '{"keyId":"k1"}',
      [`projects/web/${POOL}`]: '{"sealedWith":"k1"}',
    })
    expect(await filesNaming(paths, 'k1')).toEqual(
      [POOL, 'backups/b.json', 'refresh/r.json', `projects/web/${POOL}`].map(at),
    )
    expect(await filesNaming(paths, 'k3')).toEqual([])
  })
})

describe('records that cannot be read', () => {
  const pool = {
    version: 3 as const,
    accounts: [],
    activeIndex: 0,
    unreadableAccounts: [{ email: ANNA.email }, { email: BEN.email }, 'text'],
  }

  it('go with the login that is named in them', () => {
    expect(withoutUnreadableOf(pool, [ANNA]).unreadableAccounts).toEqual([
      { email: BEN.email },
      'text',
    ])
  })

  it('go all together where every login goes, and leave no empty list behind', () => {
    expect(withoutUnreadableOf(pool, undefined)).toEqual({
      version: 3,
      accounts: [],
      activeIndex: 0,
    })
  })

  it('are looked for only where there are any: the pool is the same one then', () => {
    const { unreadableAccounts: _list, ...clean } = pool
    expect(withoutUnreadableOf(clean, [ANNA])).toBe(clean)
  })
})
