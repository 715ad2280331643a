import { execFileSync } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { userAllowance, userCommands } from '../../lib/host-setup/user-config.js'
import {
  allowsByName,
  askBeforeTools,
  type HostPermissions,
  namesOurTools,
} from '../../lib/host-setup/tool-permissions.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { TOOLS } from '../../lib/tools/index.js'
import { temporaryFolder } from '../support/temporary.js'
import { homeIn } from '../support/home.js'

type Rules = Record<string, unknown>

/**
 * What the host decides: the rules of its own agent, those of the configuration, those of the
 * agent; the last that fits counts (docs/development/facts/opencode-host.md#tools).
 */
function decided(config: HostPermissions, agent: string, tool: string, risk: string): string {
  const flat = (rules: unknown): [string, string, string][] =>
    Object.entries(typeof rules === 'string' ? { '*': rules } : ((rules ?? {}) as Rules)).flatMap(
      ([permission, value]): [string, string, string][] =>
        typeof value === 'string'
          ? [[permission, '*', value]]
          : Object.entries(value as Rules).map(([pattern, action]) => [
              permission,
              pattern,
              String(action),
            ]),
    )
  const fits = (pattern: string, text: string): boolean =>
    new RegExp(
      `^${pattern
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.')}$`,
      's',
    ).test(text)
  const base = DENYING.includes(agent) ? 'deny' : 'allow'
  const own = (config.agent?.[agent] ?? {}) as { permission?: unknown }
  return (
    [['*', '*', base] as const, ...flat(config.permission), ...flat(own.permission)].findLast(
      ([permission, pattern]) => fits(permission, tool) && fits(pattern, risk),
    )?.[2] ?? 'ask'
  )
}

/** Agents of the host that may use no tool but the named ones. */
const DENYING = ['explore', 'compaction', 'title', 'summary']

const guarded = TOOLS.filter(({ risk }) => risk !== 'read')
const nobody = (): boolean => false

describe('the permission prompt of the host', () => {
  it.each<[string, HostPermissions]>([
    ['the host alone, which lets unknown tools through', {}],
    ['a project that allows everything', { permission: { '*': 'allow' } }],
    ['a project that allows everything in one word', { permission: 'allow' }],
    [
      'a project that allows our tools by name',
      {
        permission: { 'codex-*': 'allow', 'codex-reset': { '*': 'allow' }, 'codex-note': 'allow' },
      },
    ],
    [
      'a project that changes the agent',
      { agent: { build: { permission: { '*': 'allow', 'codex-note': 'allow' } } } },
    ],
    [
      'a project with an agent of its own',
      { agent: { helper: { mode: 'primary', permission: { 'codex-switch': 'allow' } } } },
    ],
    [
      'a project that confuses with a refusal of something else',
      { permission: { '*': 'allow', 'codex-?': 'deny', codex: 'deny' } },
    ],
  ])('is shown for all that does more than look, with %s', (_what, config) => {
    askBeforeTools(config, nobody)
    for (const agent of [
      'build',
      'plan',
      'general',
      'one that is not known here',
      ...Object.keys(config.agent ?? {}).filter((name) => !DENYING.includes(name)),
    ]) {
      for (const { name, risk } of guarded)
        expect(decided(config, agent, `codex-${name}`, risk), `${agent} ${name}`).toBe('ask')
    }
  })

  it('is never skipped, whatever rules the configuration holds, and a refusal stays a refusal', () => {
    const action = fc.constantFrom('allow', 'ask', 'deny')
    const name = fc.oneof(
      fc.constantFrom(
        '*',
        'codex-*',
        'codex-note',
        'codex-reset',
        'cod*-re?et',
        '*note',
        'edit',
        'codex-?ote',
        '**',
      ),
      fc.string({ unit: fc.constantFrom('c', 'o', 'd', '-', '*', '?', 'n'), maxLength: 8 }),
    )
    const permission = fc.oneof(
      action,
      fc.dictionary(
        name,
        fc.oneof(action, fc.dictionary(fc.constantFrom('*', 'edit', 'spend', 's*'), action)),
      ),
    )
    fc.assert(
      fc.property(
        permission,
        fc.dictionary(fc.constantFrom('build', 'explore', 'mine'), fc.record({ permission })),
        (common, agent) => {
          const before: HostPermissions = { permission: common, agent }
          const after: HostPermissions = { permission: common, agent: { ...agent } }
          askBeforeTools(after, nobody)
          for (const one of ['build', 'explore', 'mine']) {
            if (one === 'mine' && agent.mine === undefined) continue
            for (const [tool, risk] of [
              ['codex-note', 'edit'],
              ['codex-reset', 'spend'],
              ['codex-export', 'secret'],
            ] as const) {
              expect(decided(after, one, tool, risk)).toBe(
                decided(before, one, tool, risk) === 'deny' ? 'deny' : 'ask',
              )
            }
          }
        },
      ),
    )
  })

  it('is not asked for tools that only look, nor for those of others', () => {
    const config: HostPermissions = { permission: { bash: 'allow' } }
    askBeforeTools(config, nobody)
    for (const tool of ['codex-list', 'codex-status', 'bash', 'edit', 'some-tool'])
      expect(decided(config, 'build', tool, '*')).toBe('allow')
  })

  it('leaves the rest of an agent as it is', () => {
    const config: HostPermissions = {
      agent: {
        build: { model: 'openai/gpt-5.5', permission: { bash: 'deny' } },
        off: { disable: true },
      },
    }
    askBeforeTools(config, nobody)
    expect(config.agent?.build).toMatchObject({
      model: 'openai/gpt-5.5',
      permission: { bash: 'deny', 'codex-note': 'ask' },
    })
    expect(config.agent?.off).toMatchObject({ disable: true })
  })

  it('is skipped for a tool that the user’s own file names, and a project cannot borrow that', async () => {
    const home = await temporaryFolder()
    const paths = resolvePaths(homeIn(home))
    await mkdir(paths.hostConfigDir, { recursive: true })
    await writeFile(
      path.join(paths.hostConfigDir, 'opencode.jsonc'),
      '{ // mine\n "permission": { "*": "allow", "codex-note": "allow" } }',
    )
    const allows = await userAllowance({ paths, env: {} })
    const config: HostPermissions = {
      permission: { '*': 'allow', 'codex-note': 'allow', 'codex-switch': 'allow' },
    }
    expect(namesOurTools(config)).toBe(true)
    askBeforeTools(config, allows)
    expect(decided(config, 'build', 'codex-note', 'edit')).toBe('allow')
    expect(decided(config, 'build', 'codex-switch', 'edit')).toBe('ask')
  })

  it('gives no agent a tool that the host keeps from it', () => {
    const config: HostPermissions = {}
    askBeforeTools(config, nobody)
    for (const agent of DENYING) expect(decided(config, agent, 'codex-note', 'edit')).toBe('deny')
  })

  it('takes a bare star in the user’s file for no statement about our tools', () => {
    expect(allowsByName([{ '*': 'allow' }], 'codex-note', 'edit')).toBe(false)
    expect(allowsByName(['allow'], 'codex-note', 'edit')).toBe(false)
    expect(allowsByName([{ 'codex-*': 'allow', 'codex-reset': 'ask' }], 'codex-note', 'edit')).toBe(
      true,
    )
    expect(
      allowsByName([{ 'codex-*': 'allow', 'codex-reset': 'ask' }], 'codex-reset', 'spend'),
    ).toBe(false)
    expect(
      allowsByName([{ 'codex-*': 'allow' }, { 'codex-note': 'ask' }], 'codex-note', 'edit'),
    ).toBe(false)
  })

  it('is skipped for as much of a tool as the user’s own file says, also when a project says more', async () => {
    const home = await temporaryFolder()
    const paths = resolvePaths(homeIn(home))
    await mkdir(paths.root, { recursive: true })
    await writeFile(
      path.join(paths.root, 'opencode.json'),
      '{ "permission": { "codex-reset": { "*": "ask", "edit": "allow" } } }',
    )
    const allows = await userAllowance({ paths, env: {} })
    const config: HostPermissions = {
      permission: { 'codex-reset': { '*': 'ask', edit: 'allow', spend: 'allow' } },
      agent: { strict: { permission: { 'codex-reset': 'ask' } } },
    }
    askBeforeTools(config, allows)
    expect(['edit', 'spend'].map((risk) => decided(config, 'build', 'codex-reset', risk))).toEqual([
      'allow',
      'ask',
    ])
    expect(['edit', 'spend'].map((risk) => decided(config, 'strict', 'codex-reset', risk))).toEqual(
      ['ask', 'ask'],
    )
  })

  it.runIf(process.platform !== 'win32')(
    'does not wait for a pipe and reads no endless file in the place of the user’s configuration',
    async () => {
      const home = await temporaryFolder()
      const paths = resolvePaths(homeIn(home))
      await mkdir(paths.hostConfigDir, { recursive: true })
      execFileSync('mkfifo', [path.join(paths.hostConfigDir, 'opencode.json')])
      await symlink('/dev/zero', path.join(paths.hostConfigDir, 'opencode.jsonc'))
      await mkdir(paths.root, { recursive: true })
      await writeFile(
        path.join(paths.root, 'opencode.json'),
        `{"permission":{"codex-note":"allow","deep":${'['.repeat(20_000)}`,
      )
      const around = { paths, env: {} }
      expect((await userAllowance(around))('codex-note', 'edit')).toBe(false)
      expect([...(await userCommands(around))]).toEqual([])
    },
  )

  it('is shown for the agents and the permissions that another plugin adds after ours', () => {
    const config: HostPermissions = { agent: { mine: { permission: { bash: 'deny' } } } }
    askBeforeTools(config, nobody)
    const agents = config.agent!
    const { build } = agents as Record<string, Rules>
    agents.added = { permission: { '*': 'allow' } }
    build!.permission = 'allow'
    config.permission = { 'codex-*': 'allow' }
    for (const agent of ['added', 'build', 'mine', 'general', 'one that is not known here'])
      expect(decided(config, agent, 'codex-note', 'edit'), agent).toBe('ask')
    config.agent = { replaced: { permission: 'allow' } }
    expect(decided(config, 'replaced', 'codex-note', 'edit')).toBe('ask')
    expect(decided(JSON.parse(JSON.stringify(config)), 'replaced', 'codex-note', 'edit')).toBe(
      'ask',
    )
    expect(decided({ ...config }, 'replaced', 'codex-note', 'edit')).toBe('ask')
  })

  it('is changed no more by looking at it, so that others may hold on to what they got', () => {
    const config: HostPermissions = {
      permission: { '*': 'allow' },
      agent: { mine: { mode: 'primary' } },
    }
    askBeforeTools(config, nobody)
    const [agents, permission, mine] = [config.agent, config.permission, config.agent?.mine]
    expect(
      [config.agent, config.permission, config.agent?.mine].map(
        (one, index) => one === [agents, permission, mine][index],
      ),
    ).toEqual([true, true, true])
  })
})
