import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'

import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'

import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { openRuntime } from '../../lib/open-runtime.js'
import { type Runtime } from '../../lib/runtime.js'
import { type Simulator, startSimulator } from '../../simulator/index.js'
import { type AnyTool, RISKS } from '../../lib/tools/definition.js'
import { callForModel } from '../../lib/tools/model-call.js'
import { TOOLS } from '../../lib/tools/index.js'
import { admittedArguments, riskOfCall } from '../../lib/tools/model-gate.js'
import { hostArgs, toolsOfProfile } from '../../lib/tools/profiles.js'
import { checkedArguments } from '../../lib/tools/run-tool.js'
import { ROOMY } from '../support/core-over.js'
import { aHome, homeIn } from '../support/home.js'
import { signedIn } from '../support/records.js'

/** Arguments that can be had from each tool, harmless and harmful. */
const CALLS: Readonly<Record<string, readonly Record<string, unknown>[]>> = {
  switch: [{ account: 2 }, { account: 2, pin: 'soft' }],
  diff: [{ left: 'oc-codex-multi-auth-accounts.json', right: 'oc-codex-multi-auth-accounts.json' }],
  pool: [{ action: 'fence', accounts: [1] }],
  reset: [{ account: 1, action: 'consume' }],
  label: [{ account: 1, label: 'x' }],
  tag: [{ account: 1, tags: 'x' }],
  note: [{ account: 1, note: '$(touch x)\u001b]52;c;eA==\u0007' }],
  remove: [{ account: 1 }],
  refresh: [{}, { account: 1 }],
  toggle: [{ account: 1 }],
  health: [{ clear: true }],
  doctor: [{ fix: true }],
  export: [{}, { encrypt: true }],
  import: [{ from: 'all' }, { from: 'codex', mode: 'replace' }],
  keychain: [{ command: 'migrate' }, { command: 'rollback' }],
}

const callOf = (name: string): readonly Record<string, unknown>[] => CALLS[name] ?? [{}]

interface Stage {
  readonly runtime: Runtime
  readonly simulator: Simulator
  readonly home: string
  /** Everything on the disk below the home folder. */
  files(): Promise<Record<string, string>>
}

async function stage(
  rules?: Record<string, unknown>,
  change: (accounts: Record<string, unknown>[]) => void = () => undefined,
): Promise<Stage> {
  const simulator = await startSimulator({
    accounts: ['a', 'b'].map((name) => ({ name, windows: ROOMY })),
  })
  onTestFinished(() => simulator.close())
  const accounts: Record<string, unknown>[] = [
    { ...signedIn(simulator, 'a'), uid: 'uid-a' },
    { ...signedIn(simulator, 'b'), uid: 'uid-b' },
    {
      uid: 'uid-key',
      kind: 'api-key',
      apiKey: 'sk-secret',
      baseUrl: 'https://gateway.example/v1',
      addedAt: 1,
      lastUsed: 0,
    },
  ]
  change(accounts)
  const home = await aHome(accounts)
  const project = path.join(home, 'project')
  await mkdir(path.join(project, '.git'), { recursive: true })
  const env = {
    ...homeIn(home),
    OC_CODEX_SIMULATOR_ISSUER: simulator.url,
    OC_CODEX_SIMULATOR_BACKEND: simulator.backend,
  }
  const open = (): Runtime =>
    openRuntime({
      env,
      directory: project,
      paths: resolvePaths(env),
      host: { log: () => undefined, toast: () => undefined },
      watch: false,
    })
  const runtime = open()
  onTestFinished(() => runtime.close())
  if (rules !== undefined) await runtime.store.update((pool) => ({ ...pool, rules }))
  return { runtime, simulator, home, files: async () => contents(home) }
}

async function contents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
  return Object.fromEntries(
    await Promise.all(
      files
        .sort()
        .map(async (file) => [path.relative(folder, file), await readFile(file, 'utf8')] as const),
    ),
  )
}

/** A call by the model, through the adapter that the host gets. */
async function call(
  { runtime, home }: Pick<Stage, 'runtime' | 'home'>,
  tool: AnyTool,
  args: Record<string, unknown>,
  ask?: (asked: unknown) => Promise<void>,
): Promise<string> {
  const context = {
    abort: new AbortController().signal,
    directory: path.join(home, 'project'),
    metadata: () => undefined,
    ...(ask && { ask }),
  }
  return callForModel(tool, runtime, args, context)
}

const no = async (): Promise<void> => {
  throw new Error('the user said no')
}
const named = (name: string): AnyTool => TOOLS.find((tool) => tool.name === name)!

describe('a tool called by the model', () => {
  it('does nothing at all when the user says no, whatever the tool and its arguments', async () => {
    const { runtime, simulator, home, files } = await stage()
    const before = await files()
    const from = simulator.requests.length
    for (const tool of TOOLS) {
      for (const args of callOf(tool.name)) {
        if (riskOfCall(tool, args) === 'read') continue
        await expect(
          call({ runtime, home }, tool, args, no),
          `${tool.name} ${JSON.stringify(args)}`,
        ).rejects.toThrow(/the user said no|Only the user/)
      }
    }
    expect(await files()).toEqual(before)
    expect(simulator.requests.slice(from)).toEqual([])
  })

  it('does nothing above reading in a host that has no permission prompt', async () => {
    const { runtime, simulator, home, files } = await stage()
    const before = await files()
    for (const tool of TOOLS.filter(({ risk }) => risk !== 'read')) {
      for (const args of callOf(tool.name))
        if (riskOfCall(tool, args) !== 'read')
          await expect(call({ runtime, home }, tool, args)).rejects.toThrow('Only the user')
    }
    expect(await files()).toEqual(before)
    expect(simulator.requests).toEqual([])
  })

  it('asks for each call by the name of the tool and what it can do, and offers "always" for changes that can be taken back alone', async () => {
    const { runtime } = await stage()
    for (const tool of TOOLS) {
      for (const args of callOf(tool.name)) {
        const asked: { permission: string; patterns: string[]; always: string[] }[] = []
        await admittedArguments(tool, runtime, args, {
          ask: async (question) => void asked.push(question),
        })
        const risk = riskOfCall(tool, args)
        expect(asked).toEqual(
          risk === 'read'
            ? []
            : [
                expect.objectContaining({
                  permission: `codex-${tool.name}`,
                  patterns: [risk],
                  always: risk === 'edit' ? ['edit'] : [],
                }),
              ],
        )
      }
    }
  })

  it('can never do more than its definition says', () => {
    const anything = fc.dictionary(
      fc.constantFrom('action', 'clear', 'fix', 'confirm', 'command', 'html', 'account'),
      fc.oneof(
        fc.boolean(),
        fc.constantFrom('status', 'consume', 'fence', 'unfence', 'migrate'),
        fc.nat(3),
      ),
    )
    fc.assert(
      fc.property(fc.constantFrom(...TOOLS), anything, (tool, args) => {
        expect(RISKS.indexOf(riskOfCall(tool, args))).toBeLessThanOrEqual(RISKS.indexOf(tool.risk))
      }),
    )
  })

  it.each(TOOLS.flatMap((tool) => (tool.userOnly ?? []).map((name) => [tool.name, name] as const)))(
    'codex-%s takes %s from the user alone: it is neither shown to the model nor accepted',
    async (name, argument) => {
      const { runtime, home, files } = await stage()
      const before = await files()
      expect(Object.keys(hostArgs(named(name)))).not.toContain(argument)
      for (const value of [true, '/tmp/somewhere'])
        await expect(
          call(
            { runtime, home },
            named(name),
            { account: 1, [argument]: value },
            async () => undefined,
          ),
        ).rejects.toThrow(`Only the user can give ${argument} to codex-${name}`)
      expect(await files()).toEqual(before)
    },
  )

  it.each(['off', 'core', 'full'] as const)(
    'is not offered by the profile %s when it moves tokens or takes accounts away',
    (profile) => {
      expect(
        toolsOfProfile(profile).filter(({ risk }) => risk === 'secret' || risk === 'destroy'),
      ).toEqual([])
      const secrets = toolsOfProfile('full', {
        allowModelSecrets: true,
        allowModelDestroy: false,
      }).map(({ name }) => name)
      expect(secrets).toEqual(expect.arrayContaining(['export', 'import', 'keychain']))
      expect(secrets).not.toContain('remove')
      expect(
        toolsOfProfile('full', { allowModelSecrets: false, allowModelDestroy: true }).map(
          ({ name }) => name,
        ),
      ).toEqual(expect.arrayContaining(['remove']))
    },
  )
})

describe('the question to the user', () => {
  const askedFor = async (
    args: Record<string, unknown>,
  ): Promise<{ title: string; arguments: Record<string, string> }> => {
    const { runtime } = await stage()
    const asked: { metadata: { title: string; arguments: Record<string, string> } }[] = []
    await admittedArguments(named('note'), runtime, args, {
      ask: async (question) => void asked.push(question as never),
    })
    return asked[0]!.metadata
  }

  it('is one line that neither moves the cursor nor turns writing round, and shows whole what is short', async () => {
    const question = await askedFor({
      account: 1,
      note: 'a\u001b[2Kb\u202ec\nd\u2028e\u001b]52;c;eA==\u0007',
    })
    expect(question.title).toBe('note account=1 note="abc d e"')
  })

  it('says that it is cut, so that nobody agrees to what was hidden behind many words', async () => {
    const question = await askedFor({ account: 1, note: `${'nice '.repeat(200_000)}and the rest` })
    expect(question.title).toMatch(
      /^note account=1 note="(?:nice )+\w*… \(9998\d\d more characters\)$/,
    )
    expect(JSON.stringify(question).length).toBeLessThan(1000)
  })
})

describe('what is the user’s alone', () => {
  const HARD = { pin: { uid: 'uid-a', mode: 'hard' } }
  const SOFT = { pin: { uid: 'uid-a', mode: 'soft' } }
  const disabled =
    (...positions: number[]) =>
    (accounts: Record<string, unknown>[]) =>
      positions.forEach((position) => Object.assign(accounts[position]!, { enabled: false }))
  const yes = async (): Promise<void> => undefined

  it.each([
    ['switch', { account: 2 }, HARD, 'overrule a hard pin', 'switch 2'],
    ['switch', { account: 2, pin: 'soft' }, HARD, 'overrule a hard pin', 'switch 2 --pin soft'],
    ['switch', { account: 2 }, SOFT, 'lift a pin', 'switch 2'],
    ['switch', {}, SOFT, 'lift a pin', 'switch'],
    ['switch', { account: 2, pin: 'hard' }, {}, 'set a hard pin', 'switch 2 --pin hard'],
    ['switch', { account: 3 }, {}, 'switch to an API key', 'switch 3'],
    ['toggle', { account: 1 }, HARD, 'disable an account with a hard pin', 'toggle 1'],
    ['pool', { action: 'unfence' }, {}, 'lift or change the fence', 'pool'],
    ['pool', { action: 'fence', accounts: [3] }, {}, 'fence a project to an API key', 'pool'],
    [
      'pool',
      { action: 'fence', accounts: [2] },
      HARD,
      'fence off an account with a hard pin',
      'pool',
    ],
  ] as const)(
    'codex-%s %j is refused to the model before anybody is asked, with the command that the user can type',
    async (name, args, rules, act, command) => {
      const { runtime, home, files } = await stage(rules)
      const before = await files()
      const asked: unknown[] = []
      const ask = async (question: unknown): Promise<void> => void asked.push(question)
      const refusal = call({ runtime, home }, named(name), args, ask)
      await expect(refusal).rejects.toThrow(`Only the user can ${act}`)
      await expect(refusal).rejects.toThrow(`oc-codex-multi-auth ${command}`)
      expect(asked).toEqual([])
      expect(await files()).toEqual(before)
    },
  )

  it('an account that the user disabled is not enabled by the model', async () => {
    const { runtime, home } = await stage(undefined, disabled(1))
    for (const args of [{ account: 2 }, { account: 2, enabled: true }])
      await expect(call({ runtime, home }, named('toggle'), args, yes)).rejects.toThrow(
        'Only the user can enable an account that is disabled',
      )
  })

  it('the model does not move the work to a paid key by disabling every other account', async () => {
    const { runtime, home } = await stage(undefined, disabled(1))
    await expect(call({ runtime, home }, named('toggle'), { account: 1 }, yes)).rejects.toThrow(
      'Only the user can leave the work to API keys',
    )
  })

  it('a fence that stands is neither lifted nor changed by the model', async () => {
    const { runtime, home } = await stage()
    expect(
      await call({ runtime, home }, named('pool'), { action: 'fence', accounts: [1] }, yes),
    ).toContain('Only these may serve')
    for (const args of [{ action: 'fence', accounts: [1, 2] }, { action: 'unfence' }])
      await expect(call({ runtime, home }, named('pool'), args, yes)).rejects.toThrow(
        'Only the user can lift or change the fence',
      )
  })

  it('holds also when the pin comes while the user is being asked', async () => {
    const { runtime, home } = await stage()
    const pinMeanwhile = async (): Promise<void> => {
      await runtime.store.update((pool) => ({ ...pool, rules: HARD }))
    }
    await expect(
      call({ runtime, home }, named('switch'), { account: 2 }, pinMeanwhile),
    ).rejects.toThrow('Only the user can overrule a hard pin')
    expect((await runtime.store.read()).activeIndex).toBe(0)
  })

  it('what the user may take back is done after a yes', async () => {
    const { runtime, home } = await stage()
    expect(await call({ runtime, home }, named('switch'), { account: 2 }, yes)).toContain(
      'New sessions go to',
    )
    expect(
      await call({ runtime, home }, named('note'), { account: 1, note: 'mine' }, yes),
    ).toContain('note saved')
    expect(
      checkedArguments(
        named('remove'),
        await admittedArguments(named('remove'), runtime, { account: 1 }, { ask: yes }),
      ),
    ).toEqual({ account: 1, confirm: true })
  })
})

describe('files that a model names', () => {
  const diff = async (given: Stage, left: string, right = left): Promise<string> =>
    call(given, named('diff'), { left, right })

  it('are those of ours: accounts, configuration and backups', async () => {
    const given = await stage()
    await mkdir(path.join(given.home, '.opencode', 'backups'))
    await writeFile(path.join(given.home, '.opencode', 'backups', 'one.json'), '{"activeIndex":1}')
    expect(await diff(given, 'backups/one.json', 'oc-codex-multi-auth-accounts.json')).toContain(
      'activeIndex',
    )
    expect(await diff(given, path.join(given.home, '.opencode', 'backups', 'one.json'))).toBe(
      'No differences.',
    )
  })

  it('are no others: not by a full path, not by a way round, not by a link, and it is not told whether they exist', async () => {
    const given = await stage()
    const root = path.join(given.home, '.opencode')
    await mkdir(path.join(given.home, '.ssh'))
    await writeFile(path.join(given.home, '.ssh', 'config.json'), '{"IdentityFile":"x"}')
    await mkdir(path.join(root, 'backups'))
    await symlink(
      path.join(given.home, '.ssh', 'config.json'),
      path.join(root, 'backups', 'link.json'),
    )
    await symlink(path.join(given.home, '.ssh'), path.join(root, 'projects'))
    await writeFile(path.join(root, 'other.json'), '{}')
    const names = [
      '~/.ssh/config',
      path.join(given.home, '.ssh', 'config.json'),
      '../.ssh/config.json',
      'backups/../../.ssh/config.json',
      'backups/link.json',
      'projects/config.json',
      'other.json',
      'missing.json',
      'backups',
      '',
      '/dev/zero',
      '\\\\host\\share\\x.json',
    ]
    const answers = await Promise.all(
      names.map((name) => diff(given, name).catch((error: unknown) => String(error))),
    )
    expect(new Set(answers).size, answers.join('\n')).toBe(1)
    expect(answers[0]).toContain('Only the user can name a file outside')
    const asked: unknown[] = []
    for (const path of names.slice(0, 3))
      await expect(
        call(given, named('import'), { path }, async (question) => void asked.push(question)),
      ).rejects.toThrow('Only the user can name a file outside')
    expect(asked).toEqual([])
  })
})
