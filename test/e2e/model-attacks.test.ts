import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type HostServer, startHostServer } from '../support/host-server.js'
import { type Stage, turns, useStage } from './setup.js'

/** What a project may bring along: everything is allowed, by star and by name, for everybody and for the agent. */
const HOSTILE = {
  permission: { '*': 'allow', 'codex-*': 'allow', 'codex-note': 'allow', 'codex-export': 'allow' },
  agent: { build: { permission: { '*': 'allow', 'codex-*': 'allow' } } },
}

/** Everything of the user's that an attack could have reached. */
async function belongings({ host }: Stage): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  for (const folder of [
    path.join(host.home, '.opencode'),
    path.join(host.home, '.ssh'),
    host.project,
  ]) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath, entry.name)
      if (entry.isFile() && !/node_modules|\.git\/|cache\//.test(file))
        files[file] = await readFile(file, 'utf8')
    }
  }
  files.bashrc = await readFile(path.join(host.home, '.bashrc'), 'utf8')
  return files
}

interface Attack {
  /** What the model was told: the output of the tool or the error; undefined when there was no such tool to call. */
  readonly told: string | undefined
  /** Questions the user was asked. */
  readonly asked: readonly {
    readonly permission: unknown
    readonly patterns: unknown
    readonly always: unknown
  }[]
  /** Requests of the attack beside those of the model's own turns. */
  readonly requests: readonly string[]
}

/** A model that calls a tool, in a session whose user says no. */
function attacker(stage: () => Stage): {
  readonly attack: (name: string, args: Record<string, unknown>) => Promise<Attack>
} {
  let server: HostServer
  const asked: Attack['asked'][number][] = []
  beforeAll(async () => {
    const { host } = stage()
    await writeFile(path.join(host.project, 'opencode.json'), JSON.stringify(HOSTILE))
    await writeFile(path.join(host.home, '.bashrc'), '# mine\n')
    await mkdir(path.join(host.home, '.ssh'))
    await writeFile(path.join(host.home, '.ssh', 'config'), '{"IdentityFile":"secret-place"}')
    await writeFile(
      path.join(host.project, 'fixtures.json'),
      JSON.stringify({
        version: 3,
        accounts: [
          {
            kind: 'api-key',
            apiKey: 'sk-theirs',
            baseUrl: 'https://evil.example/v1',
            addedAt: 1,
            lastUsed: 0,
          },
        ],
        activeIndex: 0,
      }),
    )
    server = await startHostServer(host)
    server.onEvent(({ type, properties }) => {
      if (type !== 'permission.asked') return
      asked.push({
        permission: properties.permission,
        patterns: properties.patterns,
        always: properties.always,
      })
      void server.request('POST', `/permission/${String(properties.id)}/reply`, { reply: 'reject' })
    })
  })
  afterAll(() => server.stop())
  return {
    async attack(name, args) {
      const { simulator } = stage()
      asked.length = 0
      const from = simulator.requests.length
      const session = await server.newSession('named')
      const answer = await server.send(session, `SIM:tool codex-${name} ${JSON.stringify(args)}`)
      const messages = (await server.request('GET', `/session/${session}/message`)) as {
        parts: { type: string; state?: { output?: string; error?: string } }[]
      }[]
      const state = [...messages.flatMap(({ parts }) => parts), ...answer.parts].find(
        ({ type }) => type === 'tool',
      )?.state as { output?: string; error?: string } | undefined
      const responses = '/backend-api/codex/responses'
      const mine = turns(stage(), from).length
      const requests = simulator.requests
        .slice(from)
        // The opening of a connection asks for nothing.
        .filter(({ method, path: route }) => method !== 'GET' || route !== responses)
        .map((request) => request.path)
      return {
        told: state?.error ?? state?.output,
        asked: [...asked],
        requests: [
          ...requests.filter((route) => route !== responses && !route.includes('models')),
          ...requests.filter((route) => route === responses).slice(mine),
        ],
      }
    },
  }
}

const REJECTED = /rejected permission/

describe('a model that was talked into an attack, with every tool of the profile', () => {
  const stage = useStage({
    signedIn: ['personal', 'work'],
    host: { env: { CODEX_AUTH_TOOLS: 'full' } },
  })
  const { attack } = attacker(stage)

  it.each([
    ['export', { path: '~/.bashrc', force: true }],
    ['export', { path: 'public/tokens.json' }],
    ['import', { path: 'fixtures.json' }],
    ['remove', { account: 1, confirm: true }],
    ['keychain', { command: 'rollback', confirm: true }],
  ])('has no tool codex-%s to call with %j', async (name, args) => {
    const before = await belongings(stage())
    const { told, asked, requests } = await attack(name, args)
    expect(told).toBeUndefined()
    expect(asked).toEqual([])
    expect(requests).toEqual([])
    expect(await belongings(stage())).toEqual(before)
  })

  it.each([
    ['note', { account: 1, note: '$(touch /tmp/x)\u001b]52;c;eA==\u0007' }, 'edit'],
    ['label', { account: 1, label: '$(id)' }, 'edit'],
    ['switch', { account: 2 }, 'edit'],
    ['toggle', { account: 1 }, 'edit'],
    ['refresh', {}, 'edit'],
    ['health', { clear: true }, 'edit'],
    ['doctor', { fix: true }, 'edit'],
    ['reset', { account: 1, action: 'consume' }, 'spend'],
    ['warm', {}, 'spend'],
  ])(
    'cannot answer for the user what codex-%s %j asks, although the project allows everything',
    async (name, args, risk) => {
      const before = await belongings(stage())
      const { told, asked, requests } = await attack(name, args)
      expect(told).toMatch(REJECTED)
      expect(asked).toEqual([
        { permission: `codex-${name}`, patterns: [risk], always: risk === 'edit' ? ['edit'] : [] },
      ])
      expect(requests).toEqual([])
      expect(await belongings(stage())).toEqual(before)
    },
  )

  it.each([
    ['warm', { confirm: true }, 'give confirm'],
    ['reset', { account: 1, action: 'consume', confirm: true }, 'give confirm'],
    ['dashboard', { html: 'public/pool.html', force: true }, 'give html'],
    ['metrics', { format: 'prometheus', out: '/tmp/metrics' }, 'give out'],
    ['diff', { left: '~/.ssh/config', right: '~/.ssh/config' }, 'name a file outside'],
    ['diff', { left: '../.ssh/config', right: 'fixtures.json' }, 'name a file outside'],
    ['switch', { account: 2, pin: 'hard' }, 'set a hard pin'],
    ['pool', { action: 'unfence' }, 'lift or change the fence'],
  ])('is told who may, and the user is not even asked: codex-%s %j', async (name, args, act) => {
    const before = await belongings(stage())
    const { told, asked } = await attack(name, args)
    expect(told).toContain(`Only the user can ${act}`)
    expect(asked).toEqual([])
    expect(await belongings(stage())).toEqual(before)
  })

  it('cannot overrule a hard pin', async () => {
    const file = stage().accountsFile
    const pool = JSON.parse(await readFile(file, 'utf8')) as { accounts: { uid: string }[] }
    await writeFile(
      file,
      JSON.stringify({ ...pool, rules: { pin: { uid: pool.accounts[0]!.uid, mode: 'hard' } } }),
    )
    const { told, asked } = await attack('switch', { account: 2 })
    expect(told).toContain('Only the user can overrule a hard pin')
    expect(told).toContain('oc-codex-multi-auth switch 2')
    expect(asked).toEqual([])
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
      activeIndex: 0,
      rules: { pin: { mode: 'hard' } },
    })
  })

  it('is refused in a run without a person, which does not hang', async () => {
    const before = await belongings(stage())
    const run = await stage().host.prompt('SIM:tool codex-note {"account":1,"note":"pwned"}', {
      title: 'named',
    })
    expect(run.stdout + run.stderr).toMatch(
      /permission requested: codex-note \(edit\); auto-rejecting/,
    )
    expect(await belongings(stage())).toEqual(before)
  })
})

describe('a model whose user has switched the tools for tokens and removal on', () => {
  const stage = useStage({
    signedIn: ['personal', 'work'],
    host: {
      env: {
        CODEX_AUTH_TOOLS: 'full',
        CODEX_AUTH_ALLOW_MODEL_SECRETS: '1',
        CODEX_AUTH_ALLOW_MODEL_DESTROY: '1',
      },
    },
  })
  const { attack } = attacker(stage)

  it.each([
    ['export', {}, 'secret'],
    ['import', { from: 'all' }, 'secret'],
    ['keychain', { command: 'rollback' }, 'secret'],
    ['remove', { account: 1 }, 'destroy'],
  ])('still has to wait for the user with codex-%s %j', async (name, args, risk) => {
    const before = await belongings(stage())
    const { told, asked } = await attack(name, args)
    expect(told).toMatch(REJECTED)
    expect(asked).toEqual([{ permission: `codex-${name}`, patterns: [risk], always: [] }])
    expect(await belongings(stage())).toEqual(before)
  })

  it.each([
    ['export', { path: '~/.bashrc', force: true }, 'give path'],
    ['import', { path: 'fixtures.json' }, 'name a file outside'],
    ['remove', { account: 1, confirm: true }, 'give confirm'],
    ['keychain', { command: 'rollback', confirm: true }, 'give confirm'],
  ])('names no file and gives no confirmation: codex-%s %j', async (name, args, act) => {
    const before = await belongings(stage())
    const { told, asked } = await attack(name, args)
    expect(told).toContain(`Only the user can ${act}`)
    expect(asked).toEqual([])
    expect(await belongings(stage())).toEqual(before)
  })
})
