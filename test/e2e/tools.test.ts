import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'

import { toolsOfProfile } from '../../lib/tools/profiles.js'
import { endOf, startProcess } from '../support/child-process.js'
import { type HostServer, startHostServer } from '../support/host-server.js'
import { plantIn } from '../support/planted.js'
import { turns, useStage } from './setup.js'

const TOOLS_CALLED = [
  'setup',
  'help',
  'next',
  'list',
  'status',
  'limits',
  'dashboard',
  'pool',
  'health',
  'metrics',
  'doctor',
  'diag',
  'refresh',
]
/** The rest, with the arguments they need; what they change they change back, or they only show what would happen. */
const TOOLS_CALLED_WITH: readonly (readonly [
  name: string,
  args: Record<string, unknown>,
  says: RegExp,
])[] = [
  ['tag', { account: 1, tags: 'mine' }, /mine/],
  ['note', { account: 1, note: 'for work' }, /for work|note/i],
  ['toggle', { account: 2, enabled: true }, /already enabled/],
  ['warm', {}, /windows? opened|running|started/],
  ['reset', { account: 1 }, /reset/i],
  [
    'diff',
    { left: 'oc-codex-multi-auth-accounts.json', right: 'oc-codex-multi-auth-accounts.json' },
    /no difference/i,
  ],
]

describe('the tools in the host', () => {
  const stage = useStage({
    signedIn: ['personal', 'work'],
    host: { env: { CODEX_AUTH_TOOLS: 'full' } },
  })
  let server: HostServer
  beforeAll(async () => {
    server = await startHostServer(stage().host)
    // A user who says yes to everything.
    server.onEvent(({ type, properties }) => {
      if (type === 'permission.asked')
        void server.request('POST', `/permission/${String(properties.id)}/reply`, { reply: 'once' })
    })
  })
  afterAll(() => server.stop())

  const call = async (name: string, args: Record<string, unknown> = {}): Promise<string> => {
    const from = stage().simulator.requests.length
    const session = await server.newSession('named')
    await server.send(session, `SIM:tool codex-${name} ${JSON.stringify(args)}`)
    const items = turns(stage(), from).at(-1)?.body.input as { type?: string; output?: string }[]
    return items.find((item) => item.type === 'function_call_output')?.output ?? 'not called'
  }

  it.each(TOOLS_CALLED)(
    'run codex-%s when the model calls it, and show no token and no address',
    async (name) => {
      const output = await call(name)
      expect(output).not.toBe('not called')
      expect(output).not.toMatch(/eyJ|rt_[0-9a-f]{8}|personal@example\.test/)
      expect(output.length).toBeGreaterThan(10)
    },
  )

  it.each(TOOLS_CALLED_WITH)(
    'run codex-%s with %j when the model calls it',
    async (name, args, says) => {
      const output = await call(name, args)
      expect(output).toMatch(says)
      expect(output).not.toMatch(/eyJ|rt_[0-9a-f]{8}|personal@example\.test/)
    },
  )

  it('leave no tool of the full profile uncalled', () => {
    const called = new Set([
      ...TOOLS_CALLED,
      ...TOOLS_CALLED_WITH.map(([name]) => name),
      'label',
      'switch',
    ])
    expect(
      toolsOfProfile('full')
        .map(({ name }) => name)
        .filter((name) => !called.has(name)),
    ).toEqual([])
  })

  it('change the pool when asked to', async () => {
    expect(await call('label', { account: 2, label: 'office' })).toContain(
      'Account 2 (office): label set',
    )
    expect(await call('switch', { account: 'office' })).toContain(
      'New sessions go to Account 2 (office)',
    )
    const pool = JSON.parse(await readFile(stage().accountsFile, 'utf8'))
    expect(pool).toMatchObject({ activeIndex: 1, accounts: [{}, { accountLabel: 'office' }] })
  })

  it('answer a wrong argument with one sentence the model can act on', async () => {
    expect(await call('switch', { account: 'nobody' })).toContain(
      'There is no account "nobody". There are: Account 1',
    )
  })

  it('explain why an account was chosen', async () => {
    expect(await call('status', { why: true })).toMatch(
      /gpt-5\.5: .*\(manual_switch|best_quota|session\)/,
    )
  })

  it('work as slash commands whose line meets no shell and no file of the project', async () => {
    const { host, simulator, accountsFile } = stage()
    const from = simulator.requests.length
    const line = '1 R&D budget > notes; touch X $(touch Y) !`touch Z` @package.json'
    // What OpenCode itself never reads, and a process of ours in this folder would.
    const planted = await plantIn(host)
    onTestFinished(planted.remove)
    const before = await readdir(host.project)
    const session = await server.newSession('named')
    await server.request('POST', `/session/${session}/command`, {
      command: 'codex-note',
      arguments: line,
      model: 'openai/gpt-5.5',
    })
    await server.request('POST', `/session/${session}/command`, {
      command: 'codex-limits',
      arguments: '1',
      model: 'openai/gpt-5.5',
    })
    expect(JSON.parse(await readFile(accountsFile, 'utf8')).accounts[0].accountNote).toBe(
      'R&D budget > notes; touch X $(touch Y) !`touch Z` @package.json',
    )
    const [noted, limits] = turns(stage(), from)
    expect(noted?.raw).toContain('note saved')
    // Neither the template's own words nor the line itself are sent.
    expect(noted?.raw).not.toMatch(/gave no output|R&D/)
    expect(limits?.raw).toMatch(/5h .*\d+%/)
    expect(await readdir(host.project)).toEqual(before)
    expect(await planted.effects()).toEqual([])
  })
})

describe('a tool of a package that was updated while OpenCode ran', () => {
  const stage = useStage({ signedIn: ['personal'] })

  it('tells the model what happened and what the user can do, and the next prompt is answered', async () => {
    const { host, simulator } = stage()
    const server = await startHostServer(host)
    onTestFinished(async () => {
      // While the host installs packages a SIGTERM does not end it.
      await server.stop('SIGKILL')
    })
    const session = await server.newSession('named')
    await server.send(session, 'hello')
    const files = await readdir(host.home, { recursive: true })
    const parts = files.filter((file) => /chunk-calls-entry-\w+\.js$/.test(file))
    expect(parts).not.toEqual([])
    for (const part of parts) await rm(path.join(host.home, part))
    const from = simulator.requests.length
    await server.send(session, 'SIM:tool codex-status {}')
    const last = turns(stage(), from).at(-1)
    expect(last?.raw).toContain(
      'The plugin was updated or removed while OpenCode ran. Start OpenCode again.',
    )
    expect(last?.status).toBe(200)
  })
})

describe('the prompt templates', () => {
  const stage = useStage({ signedIn: ['personal'] })

  it('are slash commands for those who enable them, and unknown to everybody else', async () => {
    const { host, simulator } = stage()
    const command = [
      'run',
      '--model',
      'openai/gpt-5.5',
      '--title',
      'named',
      '--command',
      'codex-review',
      'lib/main.ts',
    ]
    expect((await host.run(command)).code).not.toBe(0)
    expect(turns(stage())).toEqual([])

    await mkdir(path.join(host.home, '.opencode'), { recursive: true })
    await writeFile(
      path.join(host.home, '.opencode', 'openai-codex-auth-config.json'),
      '{ "promptTemplates": true }',
    )
    const from = simulator.requests.length
    const run = await host.run(command)
    expect(run.code, run.stderr).toBe(0)
    expect(turns(stage(), from)[0]?.raw).toContain('The subject: lib/main.ts')
  })
})

describe('the tools offered by default', () => {
  const stage = useStage({ signedIn: ['personal'] })

  it('add at most 1.5 kB to a request', async () => {
    const from = stage().simulator.requests.length
    await stage().host.prompt('SIM:say hi', { title: 'named' })
    const tools = turns(stage(), from)[0]?.body.tools as { name: string }[]
    const ours = tools.filter(({ name }) => name.startsWith('codex-'))
    expect(ours.map(({ name }) => name)).toEqual(['codex-limits', 'codex-status', 'codex-switch'])
    expect(JSON.stringify(ours).length).toBeLessThanOrEqual(1500)
  })
})

describe('the command line of the installed package', () => {
  const stage = useStage({ signedIn: ['personal', 'work'] })

  const cli = async (
    ...args: string[]
  ): Promise<{ code: number | null; stdout: string; stderr: string }> => {
    const { host } = stage()
    const file = path.join(
      host.home,
      '.cache',
      'opencode',
      'packages',
      'oc-codex-multi-auth@latest',
      'node_modules',
      'oc-codex-multi-auth',
      'dist',
      'cli.js',
    )
    return endOf(
      startProcess({
        file: process.execPath,
        args: [file, ...args],
        cwd: host.project,
        env: host.env,
      }),
      60_000,
    )
  }

  it('prints JSON with the same numbers and no address', async () => {
    const { code, stdout } = await cli('list', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      totalAccounts: 2,
      accounts: [{ index: 1, plan: 'plus' }, { index: 2 }],
    })
    expect(stdout).not.toContain('personal@')
    expect(
      JSON.parse((await cli('list', '--json', '--include-sensitive')).stdout).accounts[0].email,
    ).toBe('personal@example.test')
  })

  it('reads the limits of every account', async () => {
    const { code, stdout } = await cli('limits', '--json')
    expect(code).toBe(0)
    const { accounts } = JSON.parse(stdout) as {
      accounts: { windows: unknown[]; error: unknown }[]
    }
    expect(accounts.map((row) => [row.windows.length, row.error])).toEqual([
      [2, null],
      [2, null],
    ])
  })

  it('previews before it removes, and import brings the account back', async () => {
    expect((await cli('remove', '2')).stdout).toContain('Nothing was changed')
    expect((await cli('export', 'saved.json')).stdout).toContain('2 accounts written')
    expect((await cli('remove', '2', '--confirm')).stdout).toContain('was removed; 1 left')
    expect((await cli('import', 'saved.json', '--dry-run')).stdout).toContain('1 added')
    expect((await cli('import', 'saved.json')).stdout).toContain('1 added')
    expect(JSON.parse((await cli('list', '--json')).stdout).totalAccounts).toBe(2)
  })

  it('encrypts an export, and refuses a wrong passphrase without changing anything', async () => {
    const file = path.join(stage().host.project, 'secret.json')
    const run = (passphrase: string, ...args: string[]): ReturnType<typeof cli> => {
      const { host } = stage()
      const bin = path.join(
        host.home,
        '.cache',
        'opencode',
        'packages',
        'oc-codex-multi-auth@latest',
        'node_modules',
        'oc-codex-multi-auth',
        'dist',
        'cli.js',
      )
      return endOf(
        startProcess({
          file: process.execPath,
          args: [bin, ...args],
          cwd: host.project,
          env: { ...host.env, OC_CODEX_PASSPHRASE: passphrase },
        }),
        60_000,
      )
    }
    expect((await run('correct horse', 'export', file, '--encrypt')).code).toBe(0)
    expect(await readFile(file, 'utf8')).not.toContain('"rt_')
    expect(await run('wrong passphrase', 'import', file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('passphrase is wrong'),
    })
    expect((await run('correct horse', 'import', file)).stdout).toContain('2 unchanged')
  })

  it.each([
    [['switch', '9'], 1, 'There is no account "9"'],
    [['label', '1'], 2, 'Argument label'],
    [['toggle', '1', '--wrong'], 2, '--wrong'],
    [['import', 'missing.json'], 1, 'There is no file'],
    [['nonsense'], 2, 'There is no command'],
  ])('answers %j with exit code %d and one clear sentence', async (args, expected, sentence) => {
    const { code, stderr } = await cli(...args)
    expect(code).toBe(expected)
    expect(stderr).toContain(sentence)
  })
})
