import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { commands } from '../../lib/cli/commands.js'
import { runCli } from '../support/run-cli.js'
import { runs, timeFor } from './runs.js'
import { accountsFileOf, anAccount, writePool } from '../support/records.js'

/** `login` would wait for a browser and `simulate` until it is stopped; `update` and a self-test start other programs. */
const WAITING = new Set(['login', 'simulate', 'update'])
const NAMES = commands.map(({ name }) => name).filter((name) => !WAITING.has(name))
const FLAGS = [
  '--json',
  '--help',
  '--account',
  '--confirm',
  '--yes',
  '--all',
  '--dry-run',
  '--path',
  '--from',
  '--mode',
  '--pin',
  '--scope',
  '--label',
  '--tags',
  '--note',
  '--enabled',
  '--fix',
  '--html',
  '--format',
  '--out',
  '--cached',
  '--include-sensitive',
  '--project',
  '--accounts',
  '--action',
  '--credit-id',
  '--force',
  '--encrypt',
  '--unheard-of',
  '-h',
  '-x',
  '--',
  '--json=1',
  '--account=',
  '--config-path',
]
const word = fc.oneof(
  fc.constantFrom(...FLAGS, ...FLAGS),
  fc.constantFrom(
    '1',
    '2',
    '0',
    '-1',
    '99',
    '1e9',
    'NaN',
    '',
    ' ',
    'one@example.test',
    'set',
    'unset',
    'toastDurationMs',
    'tools',
    'full',
    'fence',
    'unfence',
    'consume',
    'status',
    'migrate',
    'rollback',
    'merge',
    'replace',
    'codex',
    'hard',
    'none',
    'prometheus',
    '/',
    '.',
    '..',
    '/dev/null',
    'nowhere/at/all.json',
    '~',
    '$(id)',
    '`id`',
    "';id;'",
    '__proto__',
    'constructor',
    '\u001b[31m',
    '‮',
    '\n',
    '\u0000',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
)
const vector = fc
  .tuple(
    fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom(...NAMES) },
      { weight: 1, arbitrary: fc.string() },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          'help',
          '--help',
          '--version',
          '__proto__',
          'toString',
          '--dry-run',
        ),
      },
    ),
    fc.array(word, { maxLength: 5 }),
  )
  .map(([name, rest]) => [name, ...rest])

const account = (name: string): object =>
  anAccount(name, { refreshToken: `rt-secret-${name}`, accessToken: `at-secret-${name}` })

async function inHome<T>(work: (home: string) => Promise<T>): Promise<T> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'oc-codex-fuzz-'))
  try {
    await writePool(accountsFileOf(home), ['one', 'two'].map(account))
    return await work(home)
  } finally {
    await rm(home, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Nobody listens there: every network call fails at once. */
const NOWHERE = {
  OC_CODEX_SIMULATOR_ISSUER: 'http://127.0.0.1:9',
  OC_CODEX_SIMULATOR_BACKEND: 'http://127.0.0.1:9/backend-api',
}

function expectClear({
  code,
  stdout,
  stderr,
}: {
  code: number
  stdout: string
  stderr: string
}): void {
  const text = stdout + stderr
  expect([0, 1, 2], text).toContain(code)
  expect(text).not.toMatch(
    /\n\s+at .*:\d+|\[object Object|RangeError|TypeError \[|ZodError|node:internal/,
  )
  expect(text).not.toMatch(/(?:rt|at)-secret/)
  // What a terminal would obey: colours, cursor moves, reversed text.
  expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
  if (code !== 0) expect(text.trim(), 'failed without a word').not.toBe('')
}

describe('the command line', () => {
  it(
    'answers any arguments with 0, 1 or 2 and a sentence, never with its inside, a secret or a terminal command',
    async () => {
      await fc.assert(
        fc.asyncProperty(vector, async (argv) => {
          if (
            argv.includes('--self-test') ||
            argv.some((one) => one.startsWith('/') && one !== '/dev/null')
          )
            return
          await inHome(async (home) =>
            expectClear(await runCli(home, argv, { env: NOWHERE, directory: home })),
          )
        }),
        runs(150),
      )
    },
    timeFor(150),
  )
})

const names = fc.constantFrom(
  'tools',
  'toastDurationMs',
  'strategy',
  'retryProfile',
  'promptTemplates',
  'maskEmail',
  'codexIdentity',
  'baseUrl',
  'modelAccountPools',
  'perProjectAccounts',
  'fallbackPolicy',
  'unheardOf',
  '__proto__',
  'constructor',
  '$schema',
)
const value = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -1,
    1e308,
    '',
    'full',
    'off',
    '\u001b]0;x\u0007',
    [],
    {},
    'https://evil.example',
  ),
  fc.jsonValue({ maxDepth: 2 }),
)
const configText = fc.oneof(
  fc
    .array(fc.tuple(names, value), { maxLength: 5 })
    .map(
      (entries) =>
        `{${entries.map(([name, one]) => `${JSON.stringify(name)}: ${JSON.stringify(one)}`).join(', // x\n')}}`,
    ),
  fc.constantFrom(
    '',
    '{',
    'null',
    '[]',
    '\uFEFF{}',
    '{"tools":',
    '// nothing',
    '['.repeat(50_000),
    `{"a":${'['.repeat(50_000)}`,
    'x'.repeat(200_000),
  ),
  fc.string({ unit: 'binary' }),
)
const envName = fc.constantFrom(
  'CODEX_AUTH_TOOLS',
  'CODEX_AUTH_TOAST_DURATION_MS',
  'CODEX_AUTH_RETRY_PROFILE',
  'CODEX_AUTH_PROMPT_TEMPLATES',
  'CODEX_MODE',
  'CODEX_KEYCHAIN',
  'CODEX_AUTH_ACCOUNT_TOASTS',
  'XDG_STATE_HOME',
  'XDG_CONFIG_HOME',
)
const environment = fc.dictionary(
  envName,
  fc.oneof(
    fc.constantFrom('', '1', '0', 'true', 'no', '-5', '1e99', 'NaN', 'full'),
    fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => !text.includes('\0')),
  ),
  { maxKeys: 3 },
)

describe('configuration', () => {
  it(
    'of any text in the user’s file, the project’s file and the environment ends no command, and a broken file is left as it is',
    async () => {
      await fc.assert(
        fc.asyncProperty(configText, configText, environment, async (own, projects, given) => {
          // A folder somewhere else is no business of this test.
          const env = Object.fromEntries(
            Object.entries(given).filter(([name]) => !name.startsWith('XDG')),
          )
          await inHome(async (home) => {
            const project = path.join(home, 'project')
            const file = path.join(home, '.opencode', 'openai-codex-auth-config.json')
            const projectFile = path.join(project, '.opencode', 'openai-codex-auth-config.json')
            await mkdir(path.dirname(projectFile), { recursive: true })
            await mkdir(path.join(project, '.git'))
            await writeFile(file, own)
            await writeFile(projectFile, projects)
            for (const argv of [['config'], ['config', '--json'], ['list'], ['status'], ['doctor']])
              expectClear(
                await runCli(home, argv, { env: { ...NOWHERE, ...env }, directory: project }),
              )
            expect(await readFile(file, 'utf8')).toBe(own)
            expect(await readFile(projectFile, 'utf8')).toBe(projects)
            const set = await runCli(home, ['config', 'set', 'toastDurationMs', '9000'], {
              env: { ...NOWHERE, ...env },
              directory: project,
            })
            expectClear(set)
            // Code 1 may also mean that the change is made and another value is wrong.
            const after = await readFile(file, 'utf8')
            if (set.code !== 0 && !after.includes('9000'))
              expect(after, 'a refused change changes nothing').toBe(own)
          })
        }),
        runs(30),
      )
    },
    timeFor(30),
  )
})
