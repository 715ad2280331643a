import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { parse } from 'jsonc-parser'

import type { Account } from '../../../lib/accounts/account.js'
import { runCli } from '../../support/run-cli.js'
import { accountsOf, type FaultHome, justSignedIn, seed } from './home.js'
import { aPool } from '../../support/records.js'

/** Something a user does, as a process of its own. */
export interface Operation {
  readonly name: string
  /** What lies in the home before. */
  readonly prepare: (home: FaultHome) => Promise<void>
  readonly program: 'cli' | 'window'
  readonly args: (home: FaultHome) => readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Sets of accounts that may be found afterwards; `unreadable` for a file that was broken before. */
  readonly sets: readonly (readonly string[] | 'unreadable')[]
  /** The text of an account file that was damaged before. */
  readonly damaged?: string
  /** What is missing on the disk of what a success promises; undefined when nothing is. */
  readonly missing: (home: FaultHome) => Promise<string | undefined>
  /** Whether doing it once more works (the default), may be refused in a sentence because it is done, or would undo it. */
  readonly repeat?: 'works' | 'may be refused' | 'undoes'
}

type Check = (account: Account | undefined, home: FaultHome) => boolean | Promise<boolean>

/** The record of a simulated account holds what it should. */
const record =
  (name: string, check: Check): Operation['missing'] =>
  async (home) => {
    const accounts = await accountsOf(home)
    if (accounts === 'unreadable') return 'the account file cannot be read'
    const { accountId } = home.simulator.account(name)
    return (await check(
      accounts.find((one) => one.accountId === accountId),
      home,
    ))
      ? undefined
      : `the record of ${name} does not say so`
  }

/** A file of the user's that is there as a whole. */
const file =
  (name: (home: FaultHome) => string, isRight: (text: string) => boolean): Operation['missing'] =>
  async (home) => {
    const text = await readFile(name(home), 'utf8').catch(() => undefined)
    if (text === undefined) return `${path.basename(name(home))} is not there`
    return isRight(text) ? undefined : `${path.basename(name(home))} is not whole`
  }

const nothing: Operation['missing'] = async () => undefined
const pool = async (home: FaultHome): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(home.paths.accountsFile, 'utf8')) as Record<string, unknown>
const inHome =
  (name: string) =>
  (home: FaultHome): string =>
    path.join(home.home, name)
const hostConfig = (home: FaultHome): string =>
  path.join(home.paths.hostConfigDir, 'opencode.jsonc')
const plugins = (text: string): string[] =>
  ((parse(text) as { plugin?: unknown[] }).plugin ?? []).map(String)
const isOurs = (name: string): boolean => name.startsWith('oc-codex-multi-auth')
const two = (home: FaultHome): Promise<void> => seed(home, ['a', 'b'])
const AB = [['a', 'b']] as const
/** A token that still lives, but not long enough to be sent. */
const SHORT = { accessSeconds: 1 }

const DAMAGED = '{"version":3,"accou'

const SEALING = { CODEX_KEYCHAIN: '1' }

/** A token the backend does not know as spent: it is new, or its successor lies in the journal of refreshes. */
const isUnspent: Check = async (account, { simulator, paths }) => {
  if (account?.refreshToken === undefined || account.needsLogin !== undefined) return false
  const { refreshToken, uid } = account
  if (
    simulator.requests.every(
      ({ body, path: to, status }) =>
        to !== '/oauth/token' || status !== 200 || !body.includes(refreshToken),
    )
  )
    return true
  const journal = path.join(paths.root, 'refresh')
  const texts = await Promise.all(
    (await readdir(journal).catch(() => []))
      .filter((name) => name.endsWith('.json'))
      .map((name) => readFile(path.join(journal, name), 'utf8')),
  )
  const entries = texts.map(
    (text) =>
      JSON.parse(text.trimEnd().split('\n').at(-1) ?? 'null') as { state?: string; uid?: string },
  )
  return entries.some((entry) => entry.state === 'received' && entry.uid === uid)
}
const bothUnspent: Operation['missing'] = async (home) =>
  (await record('a', isUnspent)(home)) ?? (await record('b', isUnspent)(home))

const exported = (text: string): boolean =>
  (JSON.parse(text) as { accounts: unknown[] }).accounts.length === 2

const editing = (name: string, args: readonly string[], check: Check): Operation => ({
  name,
  prepare: two,
  program: 'cli',
  args: () => args,
  sets: AB,
  missing: record('b', check),
})

const cli = (
  name: string,
  args: Operation['args'],
  rest: Omit<Operation, 'name' | 'program' | 'args' | 'prepare' | 'sets'> & Partial<Operation>,
): Operation => ({ name, program: 'cli', prepare: two, sets: AB, args, ...rest })

const logins: readonly Operation[] = [
  cli('login by device code', () => ['login', '--device'], {
    prepare: async () => undefined,
    sets: [[], ['a']],
    missing: record('a', isUnspent),
  }),
  cli('login of a second account', () => ['login', '--device'], {
    prepare: async (home) => {
      await seed(home, ['b'])
    },
    sets: [['b'], ['b', 'a']],
    missing: record('a', isUnspent),
  }),
  cli('login of an account that is there', () => ['login', '--device'], {
    prepare: two,
    missing: record('a', isUnspent),
  }),
  cli('login beside a damaged account file', () => ['login', '--device'], {
    prepare: (home) => writeFile(home.paths.accountsFile, DAMAGED, { mode: 0o600 }),
    damaged: DAMAGED,
    sets: ['unreadable', [], ['a']],
    missing: record('a', isUnspent),
  }),
  cli('login with an API key', () => ['login', '--endpoint', 'https://codex.example.test'], {
    env: { OC_CODEX_API_KEY: 'sk-made-up' },
    sets: [
      ['a', 'b'],
      ['a', 'b', 'https://codex.example.test'],
    ],
    missing: async (home) =>
      ((await pool(home)).accounts as Account[]).some(({ apiKey }) => apiKey === 'sk-made-up')
        ? undefined
        : 'the key is not in the pool',
  }),
]

const requests: readonly Operation[] = [
  {
    name: 'a request',
    program: 'window',
    prepare: two,
    args: () => ['1'],
    sets: AB,
    missing: nothing,
  },
  {
    name: 'a request with a refresh',
    program: 'window',
    prepare: (home) => seed(home, ['a', 'b'], SHORT),
    args: () => ['1'],
    sets: AB,
    missing: bothUnspent,
  },
  {
    name: 'a request with a failover',
    program: 'window',
    prepare: async (home) => {
      await two(home)
      home.simulator.addRules({
        when: { endpoint: 'responses', account: 'a' },
        do: { type: 'usage_limit', resetsInSec: 600 },
      })
    },
    args: () => ['2'],
    sets: AB,
    missing: bothUnspent,
  },
  {
    name: 'three rotations one after the other',
    program: 'window',
    prepare: async (home) => {
      // The first token has ended by its clock, the next two are refused: tokens of a second would end on a slow machine before they are sent.
      home.simulator.addRules({
        when: { endpoint: 'responses', account: 'a' },
        every: 2,
        do: { type: 'unauthorized', code: 'token_expired' },
      })
      await seed(home, ['a'], SHORT)
    },
    args: () => ['3'],
    sets: [['a']],
    missing: record('a', isUnspent),
  },
]

const accounts: readonly Operation[] = [
  cli('refresh', () => ['refresh'], { missing: bothUnspent }),
  cli('import', (home) => ['import', inHome('accounts-to-import.json')(home)], {
    prepare: async (home) => {
      await seed(home, ['a'])
      await writeFile(
        inHome('accounts-to-import.json')(home),
        aPool([justSignedIn(home, 'b'), justSignedIn(home, 'c')]),
        { mode: 0o600 },
      )
    },
    sets: [['a'], ['a', 'b', 'c']],
    missing: async (home) =>
      (await record('b', isUnspent)(home)) ?? (await record('c', isUnspent)(home)),
  }),
  cli('export', (home) => ['export', inHome('exported.json')(home), '--force'], {
    missing: file(inHome('exported.json'), exported),
  }),
  cli(
    'encrypted export',
    (home) => ['export', inHome('exported.enc')(home), '--encrypt', '--force'],
    {
      env: { OC_CODEX_PASSPHRASE: 'correct horse battery staple' },
      missing: file(inHome('exported.enc'), (text) => text.length > 100),
    },
  ),
  cli('remove', () => ['remove', '2', '--confirm'], {
    sets: [['a', 'b'], ['a']],
    repeat: 'may be refused',
    missing: record('b', (account) => account === undefined),
  }),
  cli('logout', () => ['logout', '2', '--yes'], {
    sets: [['a', 'b'], ['a']],
    repeat: 'may be refused',
    missing: record('b', (account) => account === undefined),
  }),
  cli('logout of all', () => ['logout', '--all', '--yes'], {
    sets: [['a', 'b'], []],
    repeat: 'may be refused',
    missing: record('a', (account) => account === undefined),
  }),
  cli(
    'restore from a backup',
    (home) => [
      'import',
      path.join(home.paths.backupsDir, 'accounts-20260101-000000000-abcdef.json'),
      '--mode',
      'replace',
      '--confirm',
    ],
    {
      prepare: async (home) => {
        await seed(home, ['a'])
        await mkdir(home.paths.backupsDir, { mode: 0o700 })
        await writeFile(
          path.join(home.paths.backupsDir, 'accounts-20260101-000000000-abcdef.json'),
          aPool([justSignedIn(home, 'b'), justSignedIn(home, 'c')]),
          { mode: 0o600 },
        )
      },
      sets: [['a'], ['b', 'c']],
      missing: record('c', isUnspent),
    },
  ),
  cli('sealing with the keychain', () => ['keychain', 'migrate', '--confirm'], {
    env: SEALING,
    missing: async (home) =>
      ((await pool(home)).accounts as Account[]).every(
        ({ sealed, refreshToken }) => sealed !== undefined && refreshToken === undefined,
      )
        ? undefined
        : 'a record is not sealed',
  }),
  cli('unsealing', () => ['keychain', 'rollback', '--confirm'], {
    env: SEALING,
    prepare: async (home) => {
      await two(home)
      const { code, stderr } = await runCli(home.home, ['keychain', 'migrate', '--confirm'], {
        env: { ...home.env, ...SEALING },
      })
      if (code !== 0) throw new Error(`the pool could not be sealed: ${stderr}`)
    },
    missing: bothUnspent,
  }),
]

const edits: readonly Operation[] = [
  cli('switch', () => ['switch', '2'], {
    missing: async (home) =>
      (await pool(home)).activeIndex === 1 ? undefined : 'the second account is not active',
  }),
  cli('pin', () => ['switch', '2', '--pin', 'hard'], {
    missing: async (home) =>
      JSON.stringify(await pool(home)).includes('"hard"') ? undefined : 'there is no pin',
  }),
  cli('unpin', () => ['switch', '--pin', 'none'], {
    prepare: async (home) => {
      await two(home)
      await runCli(home.home, ['switch', '2', '--pin', 'hard'], { env: home.env })
    },
    missing: async (home) =>
      JSON.stringify(await pool(home)).includes('"hard"') ? 'the pin is still there' : undefined,
  }),
  editing(
    'label',
    ['label', '2', 'the second'],
    (account) => account?.accountLabel === 'the second',
  ),
  editing(
    'note',
    ['note', '2', 'pays for itself'],
    (account) => account?.accountNote === 'pays for itself',
  ),
  editing(
    'tag',
    ['tag', '2', 'work,late'],
    (account) => account?.accountTags?.join() === 'work,late',
  ),
  {
    ...editing('disable', ['toggle', '2'], (account) => account?.enabled === false),
    repeat: 'undoes',
  },
]

const files: readonly Operation[] = [
  cli('config set', () => ['config', 'set', 'toastDurationMs', '9000'], {
    missing: file(
      ({ paths }) => paths.configFile,
      (text) => text.includes('9000') && text.includes('a comment of the user'),
    ),
  }),
  cli('prompt templates', () => ['config', 'set', 'promptTemplates', 'true'], {
    missing: file(
      ({ paths }) => paths.configFile,
      (text) => text.includes('"promptTemplates": true'),
    ),
  }),
  cli('install', () => ['install', '--modern'], {
    missing: file(hostConfig, (text) => plugins(text).some(isOurs)),
  }),
  cli('uninstall', () => ['uninstall'], {
    prepare: async (home) => {
      await two(home)
      await runCli(home.home, ['install', '--modern'], { env: home.env })
    },
    missing: file(hostConfig, (text) => !plugins(text).some(isOurs)),
  }),
  cli('doctor --fix', () => ['doctor', '--fix'], {
    prepare: async (home) => {
      await two(home)
      await chmod(home.paths.accountsFile, 0o644)
    },
    missing: nothing,
  }),
  cli('limits', () => ['limits'], { missing: nothing }),
  cli('warm', () => ['warm', '--confirm'], { missing: nothing }),
  cli('dashboard page', (home) => ['dashboard', '--html', inHome('report.html')(home), '--force'], {
    missing: file(inHome('report.html'), (text) => text.trimEnd().endsWith('</html>')),
  }),
  cli(
    'metrics file',
    (home) => ['metrics', '--format', 'prometheus', '--out', inHome('metrics.prom')(home)],
    { missing: file(inHome('metrics.prom'), (text) => text.includes('# TYPE')) },
  ),
]

/** Everything whose points are gone through. */
export const OPERATIONS: readonly Operation[] = [
  ...logins,
  ...requests,
  ...accounts,
  ...edits,
  ...files,
]
