import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Account } from '../../lib/accounts/account.js'
import { codexUserAgent, type SystemFacts } from '../../lib/request/headers/codex-user-agent.js'
import { objectText } from '../../lib/request/body/json-edit.js'
import { threadIdOf } from '../../lib/request/headers/codex-identity.js'
import { wireRequest, type WireStyle } from '../../lib/request/headers/wire.js'
import { resolveConfig } from '../../lib/config/load.js'
import { MODEL_FACTS } from '../../lib/models/facts.js'
import {
  type Allowance,
  type CapturedRequest,
  differences,
  loadCapture,
} from '../support/captured-request.js'
import { ask, coreOver, firstTurn, RESPONSES } from '../support/core-over.js'

const LITE = 'x-openai-internal-codex-responses-lite'
const debian: SystemFacts = {
  platform: 'linux',
  release: '6.18',
  arch: 'x64',
  osRelease: 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
  env: { TERM: 'xterm' },
}
const codex: WireStyle = {
  responsesLite: 'auto',
  identity: () => ({
    originator: 'codex_exec',
    version: '0.169.0',
    userAgent: codexUserAgent('codex_exec', '0.169.0', debian),
  }),
}
const account = (fields: Partial<Account> = {}): Account => ({
  uid: 'acc_1',
  addedAt: 0,
  lastUsed: 0,
  accountId: 'acct-1111',
  ...fields,
})
const wire = (
  style: WireStyle,
  body: Record<string, unknown>,
  options: {
    fields?: Partial<Account>
    turnState?: string | undefined
    sessionId?: string | undefined
  } = {},
) => {
  const sent = wireRequest(style, {
    hostHeaders: {
      originator: 'opencode',
      'user-agent': 'opencode/1.18.33',
      'session-id': 'ses_1',
      'x-session-affinity': 'ses_1',
    },
    sender: {
      token: 'tok',
      account: account(options.fields),
      userAgent: 'opencode/test',
      turnState: options.turnState,
    },
    body: objectText(JSON.stringify(body))!,
    model: String(body.model),
    sessionId: 'sessionId' in options ? options.sessionId : 'ses_1',
  })
  return {
    headers: sent.headers,
    text: sent.body.text,
    body: JSON.parse(sent.body.text) as Record<string, unknown>,
  }
}

const UUID_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
const OMITTED = ['content-encoding', 'content-length', 'host', 'x-codex-turn-metadata']
const allowances: readonly Allowance[] = [
  { where: /^headers\.authorization$/, shape: /^Bearer tok$/, why: 'the token of the account' },
  {
    where: /^headers\.(x-codex-window-id|x-client-request-id|session-id|thread-id)$/,
    shape: UUID_7,
    why: 'id of the conversation',
  },
  { where: /^body\.prompt_cache_key$/, shape: UUID_7, why: 'id of the conversation' },
  {
    where: new RegExp(`^headers\\.(${OMITTED.join('|')})$`),
    kind: 'missing',
    why: 'of this hop, or about a sandbox and a folder that are not OpenCode’s',
  },
  {
    where: /^body\.input\[\d+\]\.(id|internal_chat_message_metadata_passthrough.*)$/,
    kind: 'missing',
    why: 'OpenCode names no items',
  },
  { where: /^body\.client_metadata\./, kind: 'missing', why: 'the same metadata again' },
]

interface Item {
  readonly id?: unknown
  readonly internal_chat_message_metadata_passthrough?: unknown
  readonly content?: readonly { readonly text: string }[]
  readonly tools?: readonly { readonly name: string; readonly tools: readonly unknown[] }[]
}

/** The captured request as a host would bring it: tools and instructions in their own members, no ids. */
function asHostSends({ body }: CapturedRequest): Record<string, unknown> {
  const { client_metadata: _metadata, ...rest } = body
  const items = (body.input as Item[]).map(
    ({ id: _id, internal_chat_message_metadata_passthrough: _mark, ...item }) => item,
  )
  const { tools } = items[0] ?? {}
  const common = { ...rest, prompt_cache_key: 'ses_1' }
  if (tools === undefined) return { ...common, input: items }
  const { context: _context, ...reasoning } = body.reasoning as Record<string, unknown>
  return {
    ...common,
    instructions: items[1]?.content?.[0]?.text,
    tools: tools.flatMap((group) => (group.name === 'functions' ? group.tools : [group])),
    input: items.slice(2),
    reasoning,
    parallel_tool_calls: true,
  }
}

describe('wireRequest', () => {
  it.each([
    ['lite-first-turn', undefined],
    ['lite-after-tool-output', 'turnstate-AAA'],
    ['fast-after-tool-output', 'turnstate-AAA'],
  ])(
    'sends what the Codex CLI sent in %s, header by header in its order, and member by member',
    async (name, turnState) => {
      const captured = await loadCapture(name, 'codex-cli')
      const sent = wire(codex, asHostSends(captured), { turnState })
      expect(Object.keys(sent.headers)).toEqual(
        Object.keys(captured.headers).filter((key) => !OMITTED.includes(key)),
      )
      expect(
        differences({ ...captured, headers: sent.headers, body: sent.body }, captured, allowances),
      ).toEqual([])
    },
  )

  it('sends the very body and the headers of the host when neither is chosen', async () => {
    const body = (await loadCapture('02-first-turn')).body
    const sent = wire({ responsesLite: 'off' }, { ...body, model: 'gpt-6-sol' })
    expect(sent.text).toBe(JSON.stringify({ ...body, model: 'gpt-6-sol' }))
    expect(sent.headers).toMatchObject({
      originator: 'opencode',
      'user-agent': 'opencode/1.18.33',
      'session-id': 'ses_1',
    })
    expect(sent.headers).not.toHaveProperty(LITE)
  })

  it('lets the mark of a sub-agent through where requests may say so, in the words of the Codex CLI alone, and never for a key', () => {
    const marked = (
      style: WireStyle,
      value: string,
      fields: Partial<Account> = {},
    ): string | undefined =>
      wireRequest(style, {
        hostHeaders: { 'X-OpenAI-Subagent': value },
        sender: { token: 'tok', account: account(fields), userAgent: 'opencode/test' },
        body: objectText('{"model":"gpt-5.5","input":[]}')!,
        model: 'gpt-5.5',
        sessionId: 'ses_1',
      }).headers['x-openai-subagent']
    const on: WireStyle = { responsesLite: 'off', marksSubAgents: true }
    expect(marked(on, 'collab_spawn')).toBe('collab_spawn')
    expect(marked({ ...codex, marksSubAgents: true }, 'collab_spawn')).toBe('collab_spawn')
    expect(marked(on, 'review')).toBeUndefined()
    expect(marked(on, 'collab_spawn', { kind: 'api-key', apiKey: 'k' })).toBeUndefined()
    expect(marked({ responsesLite: 'off' }, 'collab_spawn')).toBeUndefined()
    expect(marked(codex, 'collab_spawn')).toBeUndefined()
  })

  it('never sends the header of the Lite shape without its body, nor the body without the header', () => {
    const body = fc.record(
      {
        model: fc.constantFrom('gpt-99', ...MODEL_FACTS.map((fact) => fact.id)),
        input: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
        tools: fc.oneof(
          fc.array(
            fc.record({ type: fc.constantFrom('function', 'custom', 'namespace', 'web_search') }),
          ),
          fc.jsonValue(),
        ),
        instructions: fc.jsonValue(),
        reasoning: fc.oneof(fc.record({ effort: fc.string() }), fc.jsonValue()),
        tool_choice: fc.jsonValue(),
      },
      { requiredKeys: ['model', 'input'] },
    )
    fc.assert(
      fc.property(
        body,
        fc.constantFrom<WireStyle>(codex, { responsesLite: 'auto' }, { responsesLite: 'off' }),
        (host, style) => {
          const sent = wire(style, host)
          const isLite =
            (sent.body.reasoning as { context?: unknown } | null | undefined)?.context ===
            'all_turns'
          expect(sent.headers[LITE]).toBe(isLite ? 'true' : undefined)
          if (isLite) expect(sent.body).not.toHaveProperty('tools')
        },
      ),
    )
  })

  it('makes the shape of each attempt from the same body, so that a model without it keeps its tools', () => {
    const host = {
      model: 'gpt-6-sol',
      input: [],
      tools: [{ type: 'function', name: 'bash' }],
      instructions: 'i',
    }
    expect(wire(codex, host).body).not.toHaveProperty('tools')
    expect(wire(codex, { ...host, model: 'gpt-5.5' }).body).toEqual({ ...host, model: 'gpt-5.5' })
  })

  it('leaves requests with tools of the backend, or with a demanded tool, in their own shape', () => {
    const host = { model: 'gpt-6-sol', input: [], tools: [{ type: 'web_search' }] }
    expect(wire(codex, host).body).toEqual(host)
    for (const choice of [{ type: 'function', name: 'a' }, 'required', 'none'])
      expect(
        wire(codex, { model: 'gpt-6-sol', input: [], tool_choice: choice }).headers,
      ).not.toHaveProperty(LITE)
    expect(
      wire(codex, { model: 'gpt-6-sol', input: [], tool_choice: 'auto' }).headers,
    ).toHaveProperty(LITE)
  })

  it('sends no detail of pictures in the Lite shape and no empty groups or instructions', () => {
    const picture = { type: 'input_image', image_url: 'data:,', detail: 'high' }
    const sent = wire(
      { responsesLite: 'auto' },
      {
        model: 'gpt-6-sol',
        instructions: '',
        input: [
          { role: 'user', content: [picture] },
          { type: 'function_call_output', call_id: 'c', output: [picture] },
        ],
      },
    )
    expect(sent.body.input).toEqual([
      { role: 'user', content: [{ type: 'input_image', image_url: 'data:,' }] },
      {
        type: 'function_call_output',
        call_id: 'c',
        output: [{ type: 'input_image', image_url: 'data:,' }],
      },
    ])
  })

  it('gives an API key neither shape nor identity', () => {
    const sent = wire(
      codex,
      { model: 'gpt-6-sol', input: [], prompt_cache_key: 'ses_1' },
      { fields: { kind: 'api-key' } },
    )
    expect(sent.headers).toMatchObject({ originator: 'opencode', 'session-id': 'ses_1' })
    expect(sent.body).toEqual({ model: 'gpt-6-sol', input: [], prompt_cache_key: 'ses_1' })
  })

  it('names residency, routing override and FedRAMP of the account under the identity too', () => {
    expect(
      wire(
        codex,
        { model: 'gpt-5.5', input: [] },
        { fields: { residency: 'us', routingOverride: 'us_cr', fedramp: true } },
      ).headers,
    ).toMatchObject({
      'x-openai-internal-codex-residency': 'us',
      'x-openai-account-routing-override': 'us_cr',
      'x-openai-fedramp': 'true',
    })
  })

  it('never mixes the identities of OpenCode and the Codex CLI', () => {
    const { headers } = wire(codex, { model: 'gpt-5.5', input: [] })
    expect(JSON.stringify(headers)).not.toMatch(/opencode|ses_/)
    expect(headers['user-agent']).toMatch(new RegExp(`^${String(headers.originator)}/`))
  })

  it('names a conversation by the key of the prompt cache where the host names no session, and not at all without both', () => {
    const named = wire(
      codex,
      { model: 'gpt-5.5', input: [], prompt_cache_key: 'k' },
      { sessionId: undefined },
    )
    expect(named.headers['session-id']).toBe(named.body.prompt_cache_key)
    expect(
      wire(codex, { model: 'gpt-5.5', input: [] }, { sessionId: undefined }).headers,
    ).not.toHaveProperty('session-id')
    expect(
      wire(codex, { model: 'gpt-5.5', input: [], prompt_cache_key: 'other' }).body.prompt_cache_key,
    ).toBe('other')
  })

  it('keeps any model id out of the grammar of headers', () => {
    expect(wire(codex, { model: 'a b\n🙂', input: [] }).headers['x-codex-routing-hint']).toBe(
      'model=a_b___',
    )
  })
})

describe('threadIdOf', () => {
  it('is a UUID of version 7, the same for a session and another one on another account', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        (session, uid) =>
          UUID_7.test(threadIdOf(session, uid)) &&
          threadIdOf(session, uid) === threadIdOf(session, uid),
      ),
    )
    expect(threadIdOf('ses_1', 'acc_1')).not.toBe(threadIdOf('ses_1', 'acc_2'))
  })
})

describe('codexUserAgent', () => {
  it.each([
    [debian, 'codex_exec/1 (Debian 12.0.0; x86_64) xterm (codex_exec; 1)'],
    [
      { ...debian, osRelease: 'ID=ubuntu\nVERSION_ID="22.04"', arch: 'arm64', env: {} },
      'codex_exec/1 (Ubuntu 22.4.0; aarch64) unknown (codex_exec; 1)',
    ],
    [
      {
        platform: 'darwin',
        release: '24.6.0',
        arch: 'arm64',
        env: { TERM_PROGRAM: 'iTerm.app', TERM_PROGRAM_VERSION: '3.5' },
      },
      'codex_exec/1 (Mac OS 15.6.0; arm64) iTerm.app/3.5 (codex_exec; 1)',
    ],
    [
      { platform: 'win32', release: '10.0.22631', arch: 'x64', env: { TERM_PROGRAM: 'a b\n(c' } },
      'codex_exec/1 (Windows 10.0.22631; x86_64) a_b__c (codex_exec; 1)',
    ],
    [
      { platform: 'linux', release: '6', arch: 'x64', env: { TERM: 'xterm' } },
      'codex_exec/1 (Linux Unknown; x86_64) xterm (codex_exec; 1)',
    ],
  ])('describes the machine as the Codex CLI does (%#)', (system: SystemFacts, agent) => {
    expect(codexUserAgent('codex_exec', '1', system)).toBe(agent)
  })

  it.each([
    [{ WT_SESSION: 'b9', TERM: 'xterm' }, 'WindowsTerminal'],
    [{ TERM_PROGRAM: 'vscode', TERM_PROGRAM_VERSION: '1.99.0', WT_SESSION: 'b9' }, 'vscode/1.99.0'],
    [{ TERM_PROGRAM: 'tmux', TERM_PROGRAM_VERSION: '3.4' }, 'tmux/3.4'],
    [{ WEZTERM_VERSION: '20260101', TERM: 'xterm' }, 'WezTerm/20260101'],
    [{ KITTY_WINDOW_ID: '1', TERM: 'xterm-kitty' }, 'kitty'],
    [{ VTE_VERSION: '7600', TERM: 'xterm-256color' }, 'VTE/7600'],
    [{ ITERM_SESSION_ID: 'w0t0', TERM_SESSION_ID: 'w0t0' }, 'iTerm.app'],
    [{ TERM_SESSION_ID: 'x' }, 'Apple_Terminal'],
    [{ WT_SESSION: ' ', TERM: 'screen' }, 'screen'],
  ])('names the terminal as the Codex CLI does (%#)', (env: SystemFacts['env'], name) => {
    expect(codexUserAgent('codex_cli_rs', '1', { ...debian, env })).toBe(
      `codex_cli_rs/1 (Debian 12.0.0; x86_64) ${name}`,
    )
  })

  it('is never more than one line of plain characters, whatever the environment says', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom(
            'TERM_PROGRAM',
            'TERM_PROGRAM_VERSION',
            'WEZTERM_VERSION',
            'WT_SESSION',
            'TERM',
          ),
          fc.string({ unit: 'binary' }),
        ),
        (env) =>
          /^[\x20-\x7e]{1,200}$/.test(
            codexUserAgent('codex_cli_rs', '0.169.0', { ...debian, env }),
          ),
      ),
    )
  })
})

describe('settings of the wire', () => {
  it('takes no version that would split the user agent', () => {
    for (const version of ['0.1 (x', 'a\nb', '', ' ', 'latest', 'v0.170.0', '.1'])
      expect(
        resolveConfig({ env: { CODEX_AUTH_CLIENT_VERSION: version } }).config.codexClientVersion,
      ).toBe('auto')
    expect(
      resolveConfig({ env: { CODEX_AUTH_CLIENT_VERSION: '0.170.0-alpha.1' } }).config
        .codexClientVersion,
    ).toBe('0.170.0-alpha.1')
  })

  it('sends requests as the Codex CLI once both are switched on, also to the account that takes over', async () => {
    const { core, simulator } = await coreOver(['a', 'b'], {
      env: { CODEX_AUTH_CODEX_IDENTITY: '1', CODEX_AUTH_RESPONSES_LITE: 'auto' },
    })
    simulator.addRules({ when: { endpoint: 'responses' }, times: 1, do: { type: 'usage_limit' } })
    const turn = JSON.stringify({
      ...(JSON.parse(await firstTurn()) as object),
      model: 'gpt-6-sol',
    })
    expect((await ask(core, turn)).text).toContain('response.completed')
    const sent = simulator.requests.filter(({ path }) => path === RESPONSES)
    expect(sent).toHaveLength(2)
    expect(sent[0]?.headers['thread-id']).not.toBe(sent[1]?.headers['thread-id'])
    for (const { headers, body } of sent) {
      expect(headers).toMatchObject({
        originator: 'codex_exec',
        version: '0.169.0',
        [LITE]: 'true',
      })
      expect(JSON.parse(body)).toMatchObject({
        input: [{ type: 'additional_tools' }, { role: 'developer' }, { role: 'user' }],
        parallel_tool_calls: false,
      })
    }
  })
})
