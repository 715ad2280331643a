import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { commands } from '../../lib/cli/commands.js'
import { packageVersion } from '../../lib/kernel/version.js'
import { openRuntime } from '../../lib/open-runtime.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { type Simulator, startSimulator } from '../../simulator/index.js'
import { aHome, homeIn } from '../support/home.js'
import { signedIn } from '../support/records.js'
import { memoryKeychain } from '../support/memory-keychain.js'
import { expectOutside, shapeOf } from '../support/outside.js'
import { runCli } from '../support/run-cli.js'
import { toolData } from '../support/run-tool.js'
import { temporaryFolder } from '../support/temporary.js'

const NOW = Date.UTC(2027, 0, 15, 12)
const DAY_MS = 86_400_000

/** What these print names this machine: its versions, programs and folders. */
const OF_THE_MACHINE = new Set(['diag', 'doctor'])

interface Outside {
  readonly home: string
  readonly simulator: Simulator
  /** Runs commands in their order; the answers by the words of the command. */
  run(...lines: readonly string[]): Promise<Record<string, unknown>>
}

/** A clock that stands and a home of accounts at a simulator. */
async function outside(
  accountsOf: (simulator: Simulator) => readonly Record<string, unknown>[],
  env: NodeJS.ProcessEnv = {},
): Promise<Outside> {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW })
  vi.stubEnv('TZ', 'UTC')
  onTestFinished(() => {
    vi.useRealTimers()
    vi.unstubAllEnvs()
  })
  const windows = (used: number) => [
    { minutes: 300, limit: 100, used, resetsInMs: 7_200_000 },
    { minutes: 10_080, limit: 1000, used: used * 3, resetsInMs: 3 * DAY_MS },
  ]
  const simulator = await startSimulator({
    accounts: [
      { name: 'work', windows: windows(40), resetCredits: 1, plan: 'pro' },
      { name: 'full', windows: windows(100) },
      { name: 'off', windows: windows(10) },
      { name: 'out', windows: windows(0) },
    ],
  })
  onTestFinished(() => simulator.close())
  const home = await aHome(accountsOf(simulator))
  const all = {
    OC_CODEX_SIMULATOR_ISSUER: simulator.url,
    OC_CODEX_SIMULATOR_BACKEND: simulator.backend,
    ...env,
  }
  const project = path.join(home, 'project')
  await mkdir(path.join(project, '.git'), { recursive: true })
  return {
    home,
    simulator,
    async run(...lines) {
      const answers: Record<string, unknown> = {}
      for (const line of lines) {
        const words = line.split(' ').map((word) => (word === "''" ? '' : word))
        const { code, stdout } = await runCli(home, [...words, '--json'], {
          env: all,
          directory: project,
        })
        const output = JSON.parse(plain(stdout, home, simulator)) as unknown
        const ofMachine = code !== 2 && OF_THE_MACHINE.has(words[0] ?? '')
        answers[titleOf(answers, line)] = ofMachine
          ? { code: words[0] === 'doctor' ? '0-or-1' : code, output: shapeOf(output) }
          : { code, output }
      }
      return answers
    },
  }
}

function titleOf(answers: object, line: string, count = 2): string {
  if (!(line in answers)) return line
  const title = `${line} (${count})`
  return title in answers ? titleOf(answers, line, count + 1) : title
}

/** Without what differs from run to run. */
function plain(text: string, home: string, simulator: Simulator): string {
  const named = text.replaceAll(JSON.stringify(home).slice(1, -1), '<home>')
  return named
    .replaceAll(/<home>[^\s"]*/g, (place) => place.replaceAll('\\\\', '/'))
    .replaceAll(simulator.url, '<simulator>')
    .replaceAll(packageVersion(), '<version>')
    .replaceAll(/(-\d{8}-\d{9})-[0-9a-f]{6}\.json/g, '$1-<random>.json')
    .replaceAll(/"via": ?"[\w@/-]+"/g, '"via":"<keychain>"')
}

const several = (simulator: Simulator): Record<string, unknown>[] => [
  {
    ...signedIn(simulator, 'work', DAY_MS),
    accountLabel: 'Work',
    accountTags: ['team'],
    accountNote: 'paid by the team',
  },
  { ...signedIn(simulator, 'full', DAY_MS), accountLabel: 'Full' },
  { ...signedIn(simulator, 'off', DAY_MS), enabled: false },
  {
    ...signedIn(simulator, 'out', DAY_MS),
    needsLogin: { since: NOW - DAY_MS, reason: 'invalid_grant' },
  },
  {
    kind: 'api-key',
    apiKey: 'sk-test-0000',
    baseUrl: 'https://gateway.example.com/v1',
    accountLabel: 'Gateway',
    addedAt: 1,
    lastUsed: 0,
  },
]

const LOOKS = [
  'setup',
  'help',
  'help limits',
  'help nothing',
  'next',
  'list',
  'accounts',
  'status',
  'status --why',
  'limits --cached',
  'limits',
  'dashboard',
  'warm',
  'pool',
  'reset',
  'health',
  'metrics',
  'doctor',
  'diag',
  'keychain',
] as const

const EDITS = [
  'label 2 Second',
  'tag 2 a,b',
  'note 2 words',
  'toggle 2',
  'toggle 2 --enabled',
  'switch 2',
  'switch 1 --pin soft',
  'switch 1 --pin hard --scope project',
  'pool --action fence --accounts 1,2',
  'list',
  'pool',
  'next',
  'status',
  'switch',
  'switch --scope project',
  'pool --action unfence',
  'refresh 1',
  'warm --confirm',
  'reset 1 --action consume',
  'reset 1 --action consume --confirm',
  'export copy.json',
  'import copy.json --dry-run',
  'import copy.json',
  'diff copy.json copy.json',
  'remove 2',
  'remove 2 --confirm',
  'logout 1',
  'logout 1 --confirm',
  'logout --all --confirm',
  'list',
] as const

describe('what every command prints as JSON, and its exit code', () => {
  it('without an account', async () => {
    const { run } = await outside(() => [])
    expectOutside(
      'commands-none',
      await run(
        ...LOOKS,
        'switch 1',
        'label 1 x',
        'refresh',
        'remove 1',
        'logout 1',
        'export copy.json',
        'import missing.json',
      ),
    )
  })

  it('with one account', async () => {
    const { run } = await outside((simulator) => [signedIn(simulator, 'work', DAY_MS)])
    expectOutside('commands-one', await run(...LOOKS))
  })

  it('with several: one full, one disabled, one to sign in again, one API key', async () => {
    const { run } = await outside(several)
    expectOutside('commands-several', await run(...LOOKS))
  })

  it('for every edit of several accounts, one after the other', async () => {
    const { run } = await outside(several)
    expectOutside('commands-edits', await run('limits', ...EDITS))
  })

  it('for copies, plain and encrypted, for the report, and for what cannot be undone', async () => {
    const { run } = await outside(several, { OC_CODEX_PASSPHRASE: 'a long passphrase' })
    expectOutside(
      'commands-copies',
      await run(
        'export sealed.json --encrypt',
        'export sealed.json --encrypt',
        'export copy.json --include-sensitive',
        'remove 2 --confirm',
        'import sealed.json --dry-run',
        'import sealed.json --confirm',
        'tag 3 other',
        'import copy.json --mode replace --confirm',
        'dashboard --html report.html',
        'remove 2 --purge',
        'remove 2 --purge --confirm',
        'logout 1 --purge',
        'logout 1 --purge --yes',
        'logout --all --purge --yes',
        'list',
      ),
    )
  })

  it('for settings, installation and sign-in with a key', async () => {
    const { run } = await outside(() => [], {
      OC_CODEX_API_KEY: 'sk-test-0000',
      CODEX_AUTH_TOOLS: 'some',
    })
    expectOutside(
      'commands-setup',
      await run(
        'config rotationStrategy',
        'config',
        'config set rotationStrategy sticky --dry-run',
        'config set rotationStrategy sticky',
        'config set rotationStrategy never',
        'config unset rotationStrategy',
        'config nothing',
        'install --dry-run',
        'install',
        'install',
        'update',
        'uninstall --dry-run',
        'uninstall',
        'login --api-key',
        'login --endpoint https://gateway.example.com/v1',
        'list',
      ),
    )
  })

  it('of a sealed account file, with its keychain and with a keychain that does not answer', async () => {
    const { home, simulator } = await outside(several)
    const keychain = memoryKeychain()
    const env = {
      ...homeIn(home),
      CODEX_KEYCHAIN: '1',
      OC_CODEX_SIMULATOR_ISSUER: simulator.url,
      OC_CODEX_SIMULATOR_BACKEND: simulator.backend,
    }
    const answers: Record<string, unknown> = {}
    const ask = async (
      title: string,
      name: string,
      args: Record<string, unknown>,
    ): Promise<void> => {
      const runtime = openRuntime({
        env,
        directory: home,
        paths: resolvePaths(env),
        host: { log: () => undefined, toast: () => undefined },
        keychain,
        watch: false,
      })
      try {
        const answer = await toolData(runtime, name, args).catch((error: unknown) => ({
          error: shapeOfError(error),
        }))
        answers[title] = JSON.parse(plain(JSON.stringify(answer), home, simulator))
      } finally {
        await runtime.close()
      }
    }
    await ask('keychain migrate', 'keychain', { command: 'migrate' })
    await ask('keychain migrate confirm', 'keychain', { command: 'migrate', confirm: true })
    for (const name of ['keychain', 'list', 'status', 'setup']) await ask(name, name, {})
    keychain.broken = true
    for (const name of ['keychain', 'list', 'refresh', 'limits'])
      await ask(`${name} without keychain`, name, {})
    keychain.broken = false
    await ask('keychain rollback confirm', 'keychain', { command: 'rollback', confirm: true })
    expectOutside('commands-sealed', answers)
  })
})

function shapeOfError(error: unknown): unknown {
  const { code, message, hint } = error as { code: unknown; message: unknown; hint: unknown }
  return { code, message, hint }
}

describe('exit codes', () => {
  it('help is 0 and an unknown option is 2, for every command, with these options', async () => {
    const home = await temporaryFolder()
    const rows: Record<string, unknown> = {}
    for (const { name, summary } of commands) {
      const help = await runCli(home, [name, '--help'])
      const wrong = await runCli(home, [name, '--nonsense'])
      rows[name] = {
        summary,
        help: help.code,
        options: [...new Set(help.stdout.match(/(?<![\w-])--[a-z][a-z-]*/g) ?? [])].sort(),
        wrong: wrong.code,
        wrongPrints: wrong.stdout,
      }
    }
    expectOutside('help', rows)
  })

  it('of the program itself, of the simulator and of wrong words', async () => {
    const home = await temporaryFolder()
    await writeFile(path.join(home, 'bad.json'), '{')
    const codes: Record<string, number> = {}
    for (const line of [
      '--help',
      '-h',
      'help',
      '--version',
      '-v',
      'nothing',
      'simulate --port x',
      'simulate --scenario bad.json',
      'login --browser --device',
      'login --paste',
      'login --api-key',
      'logout',
      'logout 1 --all',
      'config a b',
      'config set',
      'install --modern --full',
      'list extra',
      'switch nobody',
      'remove',
      'keychain nonsense',
      'import bad.json',
      'diff bad.json',
      'diff bad.json bad.json',
      'pool --action fence',
      'metrics --format nothing',
    ]) {
      codes[line] = (await runCli(home, line.split(' '))).code
    }
    const stopped = new AbortController()
    stopped.abort()
    const { code, stdout } = await runCli(home, ['simulate', '--json'], { signal: stopped.signal })
    expect(shapeOf(JSON.parse(stdout))).toEqual({
      issuer: 'string',
      backend: 'string',
      control: 'string',
    })
    expectOutside('exit-codes', { ...codes, 'simulate --json, stopped': code })
  })
})
