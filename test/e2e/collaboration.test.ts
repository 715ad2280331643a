import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { OWN_PLAN, ORCHESTRATOR_RULES, SUB_AGENT_RULES } from '../../lib/collaboration/texts.js'
import type { HostServer } from '../support/host-server.js'
import { servedFor, turns, useStage } from './setup.js'

const ON = { CODEX_AUTH_COLLABORATION: 'codex' }
const MARK = 'x-openai-subagent'
const TASK = `SIM:tool task ${JSON.stringify({
  description: 'look',
  prompt: 'SIM:say from the sub-agent',
  subagent_type: 'general',
})}`

describe('collaboration', () => {
  const stage = useStage({ signedIn: ['personal'] })

  const serve = (env: Record<string, string> = {}) => servedFor(stage(), env)
  /** The requests that a prompt led to, without what names the session. */
  const requestsOf = async (server: HostServer, agent: string | undefined, text: string) => {
    const from = stage().simulator.requests.length
    const session = await server.newSession('named')
    const answer = await server.send(session, text, agent === undefined ? {} : { agent })
    expect(answer.error).toBeUndefined()
    const sent = turns(stage(), from)
    const names = [session, ...sent.map(({ headers }) => headers['session-id'] ?? session)]
    const nameless = (raw: string): string =>
      names.reduce((text, name) => text.replaceAll(name, 'ses'), raw)
    return sent.map(({ headers, body, raw }) => ({
      isChild: headers['x-parent-session-id'] === session,
      mark: headers[MARK],
      headers: Object.keys(headers).sort(),
      instructions: String(body.instructions),
      raw: nameless(raw),
    }))
  }

  it('adds the planning instructions to the plan agent, and nothing else to any request', async () => {
    const off = await serve()
    const [planOff] = await requestsOf(off, 'plan', 'SIM:say a plan')
    const [buildOff] = await requestsOf(off, undefined, 'SIM:say built')
    const on = await serve(ON)
    const [planOn] = await requestsOf(on, 'plan', 'SIM:say a plan')
    const [buildOn] = await requestsOf(on, undefined, 'SIM:say built')

    expect(planOn?.instructions).toBe(`${planOff!.instructions}\n\n${OWN_PLAN}`)
    expect(planOn?.raw.replace(JSON.stringify(`\n\n${OWN_PLAN}`).slice(1, -1), '')).toBe(
      planOff?.raw,
    )
    expect(planOn?.headers).toEqual(planOff?.headers)
    expect(buildOn).toEqual(buildOff)
  })

  it('marks the requests of a sub-agent as the Codex CLI does and tells it the rules; its parent’s stay as they are', async () => {
    const off = await requestsOf(await serve(), undefined, TASK)
    const on = await requestsOf(await serve(ON), undefined, TASK)
    const [childOff, childOn] = [off, on].map((sent) => sent.find(({ isChild }) => isChild))

    expect(childOff?.mark).toBeUndefined()
    expect(childOn?.mark).toBe('collab_spawn')
    expect(childOn?.instructions).toBe(`${childOff!.instructions}\n\n${SUB_AGENT_RULES}`)
    expect(on.filter(({ isChild }) => !isChild).map(({ mark }) => mark)).toEqual([
      undefined,
      undefined,
    ])
    expect(on[0]?.raw).toBe(off[0]?.raw)
  })

  it('leaves the request for a title alone', async () => {
    const server = await serve(ON)
    const from = stage().simulator.requests.length
    const session = await server.newSession()
    await server.send(session, 'SIM:say hello', { agent: 'plan' })
    const title = turns(stage(), from).find(({ body }) =>
      String(body.instructions).includes('title generator'),
    )
    expect(title).toBeDefined()
    expect(title?.raw).not.toContain('plan agent of OpenCode')
  })

  it('offers an agent named orchestrator only while it is on, and leaves nothing on the disk', async () => {
    const names = async (server: HostServer): Promise<string[]> =>
      ((await server.request('GET', '/agent')) as { name: string }[]).map(({ name }) => name)
    expect(await names(await serve())).not.toContain('orchestrator')

    const on = await serve(ON)
    expect(await names(on)).toContain('orchestrator')
    const [request] = await requestsOf(on, 'orchestrator', 'SIM:say coordinated')
    expect(request?.instructions).toContain('You are OpenCode')
    expect(request?.instructions.endsWith(ORCHESTRATOR_RULES)).toBe(true)

    const { host } = stage()
    const config = path.join(host.home, '.config', 'opencode')
    for (const folder of [config, path.join(host.project, '.opencode'), host.project])
      for (const name of await readdir(folder).catch(() => [])) expect(name).not.toMatch(/agent/)
  })

  it('leaves the orchestrator of the user alone, who wrote it in a file', async () => {
    const folder = path.join(stage().host.home, '.config', 'opencode', 'agent')
    await mkdir(folder, { recursive: true })
    await writeFile(
      path.join(folder, 'orchestrator.md'),
      '---\ndescription: mine\nmode: primary\n---\nYou conduct.\n',
    )
    const [request] = await requestsOf(await serve(ON), 'orchestrator', 'SIM:say mine')
    expect(request?.instructions.startsWith('You conduct.')).toBe(true)
    expect(request?.instructions).not.toContain(ORCHESTRATOR_RULES.slice(0, 40))
  })
})
