import type { PluginInput } from '@opencode-ai/plugin'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { OWN_PLAN, SUB_AGENT_RULES } from '../../lib/collaboration/texts.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import type { HostSettings } from '../../lib/shell/host-settings.js'
import { turnHooks } from '../../lib/shell/turn-hooks.js'
import { aHome, homeIn } from '../support/home.js'

afterEach(() => vi.unstubAllEnvs())

/** The hooks over a host whose sessions are these; what it was asked is counted. */
async function aStage(spokenOf: boolean, sessions: Record<string, { parentID?: string }> = {}) {
  const home = await aHome([])
  const asked: string[] = []
  const client = {
    app: { log: async () => undefined },
    session: {
      get: async ({ path }: { path: { id: string } }) => {
        asked.push(path.id)
        return { data: sessions[path.id] }
      },
    },
  }
  const settings: HostSettings = {
    models: new Set(),
    commands: new Set(),
    compacting: new Set(),
    ...(spokenOf && { shapesTurns: true }),
  }
  const input = { client, directory: home } as unknown as PluginInput
  const { hooks } = turnHooks(input, resolvePaths(homeIn(home)), settings)
  const turn = (agent: string, sessionID: string, providerID = 'openai') => ({
    sessionID,
    agent,
    model: { id: 'gpt-5.5', providerID },
  })
  type Params = Parameters<NonNullable<(typeof hooks)['chat.params']>>
  type Headers = Parameters<NonNullable<(typeof hooks)['chat.headers']>>
  return {
    hooks,
    settings,
    asked,
    async params(options: Record<string, unknown>, ...who: Parameters<typeof turn>) {
      await hooks['chat.params']!(turn(...who) as Params[0], { options } as Params[1])
      return options
    },
    async headers(...who: Parameters<typeof turn>) {
      const headers: Record<string, string> = {}
      await hooks['chat.headers']!(turn(...who) as Headers[0], { headers })
      return headers
    },
  }
}

describe('the hooks of a turn', () => {
  it('touch nothing and ask nothing where no setting is spoken of', async () => {
    vi.stubEnv('CODEX_AUTH_COLLABORATION', 'codex')
    const stage = await aStage(false, { child: { parentID: 'root' } })
    expect(await stage.params({ instructions: 'host' }, 'plan', 'child')).toEqual({
      instructions: 'host',
    })
    expect(await stage.headers('plan', 'child')).toEqual({})
    expect(stage.asked).toEqual([])
  })

  it('touch nothing where a setting is spoken of and off', async () => {
    vi.stubEnv('CODEX_AUTH_COLLABORATION', 'off')
    const stage = await aStage(true, { child: { parentID: 'root' } })
    expect(await stage.params({ instructions: 'host' }, 'plan', 'child')).toEqual({
      instructions: 'host',
    })
    expect(await stage.headers('plan', 'child')).toEqual({})
    expect(await stage.headers('compaction', 'child')).toEqual({})
    expect(stage.settings.compacting.size).toBe(0)
  })

  it('add what belongs to the role, only for our provider and only where the instructions are', async () => {
    vi.stubEnv('CODEX_AUTH_COLLABORATION', 'codex')
    vi.stubEnv('OC_CODEX_SIMULATOR_BACKEND', 'http://127.0.0.1:9/backend-api')
    const stage = await aStage(true, { root: {}, child: { parentID: 'root' } })
    expect(await stage.params({ instructions: 'host' }, 'plan', 'root')).toEqual({
      instructions: `host\n\n${OWN_PLAN}`,
    })
    expect(await stage.params({ instructions: 'host' }, 'general', 'child')).toEqual({
      instructions: `host\n\n${SUB_AGENT_RULES}`,
    })
    expect(await stage.headers('general', 'child')).toEqual({ 'x-openai-subagent': 'collab_spawn' })
    expect(await stage.headers('build', 'root')).toEqual({})
    expect(await stage.params({ instructions: 'host' }, 'plan', 'root', 'anthropic')).toEqual({
      instructions: 'host',
    })
    expect(await stage.headers('general', 'child', 'anthropic')).toEqual({})
    expect(await stage.params({}, 'plan', 'root')).toEqual({})
    // A host with an API key of its own sends to another place.
    expect(await stage.params({}, 'general', 'child')).toEqual({})
    expect(await stage.headers('general', 'child')).toEqual({})
    await stage.params({ instructions: 'host' }, 'general', 'child')
    expect(await stage.headers('general', 'child')).toEqual({ 'x-openai-subagent': 'collab_spawn' })
  })

  it('remember that a session is being compacted until its next request, where the prompt is ours', async () => {
    vi.stubEnv('CODEX_AUTH_COMPACTION_PROMPT', 'codex')
    vi.stubEnv('OC_CODEX_SIMULATOR_BACKEND', 'http://127.0.0.1:9/backend-api')
    const stage = await aStage(true, { root: {} })
    await stage.headers('compaction', 'root')
    expect([...stage.settings.compacting]).toEqual(['root'])
    await stage.headers('build', 'root')
    expect([...stage.settings.compacting]).toEqual([])
  })

  it('let a turn go on where the host does not answer as it should', async () => {
    vi.stubEnv('CODEX_AUTH_COMPACTION_PROMPT', 'codex')
    const stage = await aStage(true)
    const output = { context: [] }
    await stage.hooks['experimental.session.compacting']!({ sessionID: 's' }, output)
    expect(output).toEqual({ context: [] })
  })
})
