import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Core } from '../../../lib/core.js'
import { hidden } from '../../../lib/request/trace/hide.js'
import { shownHeaders } from '../../../lib/request/trace/hidden-headers.js'
import { createDigest } from '../../../lib/request/trace/hiding-key.js'
import { event, scripted, stream } from '../../support/scripted-backend.js'
import { runCli } from '../../support/run-cli.js'

/** Everything that nobody but the user may read, each in a place of its own. */
const SECRETS = {
  jwt: 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.c2lnbmF0dXJlLXBsYW50ZWQ',
  refresh: 'rt.planted.refresh.token.0123456789',
  apiKey: 'sk-proj-planted0123456789abcdefABCDEF',
  githubToken: 'ghp_planted0123456789abcdefABCDEFghij',
  opaque: '7fPlantedOpaqueWord00112233445566',
  cookie: 'planted-cookie-value-1122',
  email: 'planted.person@planted.example',
  accountId: '0b5fb5ba-aaaa-4bbb-8ccc-9d9d9d9d9d9d',
  organization: 'org-PlantedOrganization42',
  session: 'ses_PlantedSession0001',
  turnState: 'planted-turn-state-000111',
  toolName: 'planted_company_tool',
  property: 'planted_property_name',
  enumWord: 'planted-enum-word',
  memberName: 'planted_member_name',
  model: 'planted-model-name',
  effort: 'planted-effort',
  role: 'planted-role',
  eventType: 'plantedeventtype',
  headerName: 'x-plantedheadername77665544332211',
  prompt: 'Planted prompt: the launch is on Friday',
  answer: 'planted answer words',
  errorWords: 'planted words of a refusal',
  url: 'https://planted.example/path?access_token=planted-url-token-99',
  image: 'data:image/png;base64,UGxhbnRlZEltYWdl',
  reasoning: 'gAAAAplantedEncryptedContent==',
  arguments: '{"filePath":"/home/planted/secret-file.txt"}',
} as const

/** As bytes, also inside of JSON in JSON. */
function foundIn(text: string, secrets: Partial<typeof SECRETS> = SECRETS): string[] {
  return Object.entries(secrets)
    .filter(([, secret]) => {
      const escaped = JSON.stringify(secret).slice(1, -1)
      return (
        text.includes(secret) ||
        text.includes(escaped) ||
        text.toLowerCase().includes(secret.toLowerCase())
      )
    })
    .map(([name]) => name)
}

const PROMPTS = {
  prompt: SECRETS.prompt,
  toolName: SECRETS.toolName,
} as const

function plantedBody(): string {
  const text = `${SECRETS.prompt} ${SECRETS.jwt} ${SECRETS.apiKey} ${SECRETS.githubToken} ${SECRETS.email} ${SECRETS.url}`
  return JSON.stringify({
    model: SECRETS.model,
    instructions: text,
    input: [
      { role: SECRETS.role, content: text },
      {
        role: 'user',
        content: [
          { type: 'input_text', text },
          { type: 'input_image', image_url: SECRETS.image },
          { type: 'input_image', image_url: SECRETS.url },
        ],
      },
      { type: 'reasoning', summary: [], encrypted_content: SECRETS.reasoning },
      {
        type: 'function_call',
        call_id: SECRETS.opaque,
        name: SECRETS.toolName,
        arguments: SECRETS.arguments,
      },
      { type: 'function_call_output', call_id: SECRETS.opaque, output: SECRETS.answer },
    ],
    tools: [
      {
        type: 'function',
        name: SECRETS.toolName,
        description: text,
        parameters: {
          type: 'object',
          required: [SECRETS.property],
          properties: {
            [SECRETS.property]: {
              type: 'string',
              enum: [SECRETS.enumWord],
              default: SECRETS.opaque,
            },
          },
        },
      },
    ],
    reasoning: { effort: SECRETS.effort },
    metadata: { [SECRETS.memberName]: SECRETS.organization, password: SECRETS.cookie },
    prompt_cache_key: SECRETS.session,
    user: SECRETS.accountId,
    stream: true,
    store: false,
  })
}

/** A window that sent the planted request to a backend that repeats all it was told, twice: refused, then answered. */
async function plantedWindow(env: NodeJS.ProcessEnv): Promise<Core> {
  const { core } = await scripted(
    ['a'],
    (asked, turn) => {
      const headers = {
        'set-cookie': `session=${SECRETS.cookie}`,
        'x-request-id': asked.headers.get('authorization') ?? '',
        'x-oai-request-id': SECRETS.accountId,
        'x-codex-turn-state': SECRETS.turnState,
        'x-codex-plan-type': SECRETS.opaque,
        'openai-model': SECRETS.jwt,
        server: SECRETS.apiKey,
        location: SECRETS.url,
        [SECRETS.headerName]: SECRETS.email,
      }
      if (turn === 0)
        return Response.json(
          {
            error: {
              code: 'server_error',
              message: `${SECRETS.errorWords} ${SECRETS.jwt}`,
              param: `tools[0].parameters.properties.${SECRETS.property}`,
            },
          },
          { status: 500, headers },
        )
      return stream(
        event('response.created', { response: {} }) +
          `event: ${SECRETS.eventType}\ndata: {}\n\n` +
          `data: {"type":"${SECRETS.apiKey}"}\n\n` +
          event('response.output_text.delta', { delta: SECRETS.answer }) +
          event('response.completed', { response: { output: [{ text: SECRETS.answer }] } }),
        headers,
      )
    },
    {
      env: { ENABLE_PLUGIN_REQUEST_LOGGING: 'snapshots', ...env },
      account: {
        accessToken: SECRETS.jwt,
        refreshToken: SECRETS.refresh,
        accountId: SECRETS.accountId,
        organizationId: SECRETS.organization,
        email: SECRETS.email,
      },
    },
  )
  const response = await core.fetch(`https://api.openai.com/v1/responses?key=${SECRETS.apiKey}`, {
    method: 'POST',
    headers: {
      'session-id': SECRETS.session,
      'x-session-id': SECRETS.session,
      'x-client-request-id': SECRETS.opaque,
      cookie: SECRETS.cookie,
      'x-api-key': SECRETS.apiKey,
      'user-agent': `tool/1 ${SECRETS.email} ${SECRETS.apiKey}`,
      'accept-language': SECRETS.githubToken,
      originator: SECRETS.opaque,
    },
    body: plantedBody(),
  })
  expect(await response.text()).toContain(SECRETS.answer)
  await core.close()
  return core
}

async function filesBelow(dir: string): Promise<Record<string, string>> {
  const names = await readdir(dir, { recursive: true, withFileTypes: true })
  const files = names
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file, await readFile(file, 'latin1')] as const)),
  )
}

describe('secrets planted all over a request and its answer', () => {
  it('are in no byte of a snapshot, a pack, its preview, or what a replay says', async () => {
    const core = await plantedWindow({})
    const { home, logsDir } = core.runtime.paths
    const packed = await runCli(home, ['diag', '--snapshots'])
    expect(packed.code).toBe(0)
    const files = await filesBelow(logsDir)
    // Two snapshots, the line of the record, and the pack.
    expect(Object.keys(files)).toHaveLength(4)
    for (const [file, text] of Object.entries(files)) {
      // The line of records names model and session, as it always has.
      const { model, session, ...others } = SECRETS
      expect(
        foundIn(text, file.endsWith('.jsonl') ? others : { model, session, ...others }),
        file,
      ).toEqual([])
    }
    const pack =
      Object.keys(files).find((file) => path.dirname(file) === logsDir && file.endsWith('.json')) ??
      ''
    const replays = await Promise.all([
      runCli(home, ['replay', pack]),
      runCli(home, ['replay', pack, '--json', '--number', '1']),
    ])
    for (const { code, stdout, stderr } of [packed, ...replays]) {
      expect(code, stderr).toBe(0)
      expect(foundIn(stdout + stderr)).toEqual([])
    }
  })

  it('do not go with the texts when the user keeps those: what can be told for a secret is hidden in them', async () => {
    const core = await plantedWindow({ CODEX_AUTH_SNAPSHOT_TEXTS: '1' })
    const { home, logsDir } = core.runtime.paths
    const hiddenAlways = {
      jwt: SECRETS.jwt,
      refresh: SECRETS.refresh,
      apiKey: SECRETS.apiKey,
      githubToken: SECRETS.githubToken,
      email: SECRETS.email,
      accountId: SECRETS.accountId,
      organization: SECRETS.organization,
      session: SECRETS.session,
      turnState: SECRETS.turnState,
      cookie: SECRETS.cookie,
      image: SECRETS.image,
      reasoning: SECRETS.reasoning,
    }
    const texts = Object.values(await filesBelow(path.join(logsDir, 'snapshots')))
    for (const text of texts) {
      expect(foundIn(text, hiddenAlways as never)).toEqual([])
      expect(foundIn(text, PROMPTS as never)).toEqual(['prompt', 'toolName'])
    }
    // Kept texts leave only when the user says so once more.
    const out = (name: string) => path.join(home, name)
    await runCli(home, ['diag', '--snapshots', '--out', out('without.json')])
    const said = await runCli(home, [
      'diag',
      '--snapshots',
      '--with-texts',
      '--out',
      out('with.json'),
    ])
    expect(foundIn(await readFile(out('without.json'), 'latin1'))).toEqual([])
    const withTexts = await readFile(out('with.json'), 'latin1')
    expect(foundIn(withTexts, PROMPTS as never)).toEqual(['prompt', 'toolName'])
    expect(foundIn(withTexts, hiddenAlways as never)).toEqual([])
    expect(said.stdout).toContain('Look through the file before you pass it on.')
  })
})

describe('hiding', () => {
  it.each(['metadata', 'client_metadata'])(
    'goes by the names in %s as anywhere else when texts are kept',
    (table) => {
      const secrets = {
        auth: 'open sesame',
        pass: 'hunter two',
        pwd: 'x y',
        key: 'a b',
        user: 'Jane',
      }
      const kept = hidden(
        { [table]: { ...secrets, note: 'stays' } },
        { digest: createDigest('k'), withTexts: true },
      )
      for (const secret of Object.values(secrets))
        expect(JSON.stringify(kept)).not.toContain(secret)
      expect(JSON.stringify(kept)).toContain('stays')
    },
  )

  const hiding = (key: string) => ({ digest: createDigest(key), withTexts: false })
  const secret = fc.stringMatching(/^[g-zG-Z~ _./:@=-]{4,40}[j-z]{8}$/)

  it('leaves no text that was not a fixed word, wherever it stands in a body', () => {
    fc.assert(
      fc.property(
        secret,
        fc.constantFrom(
          'type',
          'role',
          'name',
          'effort',
          'model',
          'text',
          'include',
          'anything',
          '~',
          '__proto__',
          'properties',
          '$ref',
        ),
        fc.array(fc.constantFrom('list', 'object', 'key'), { maxLength: 6 }),
        (text, name, path_) => {
          let value: unknown = JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(text)}}`)
          for (const step of path_)
            value =
              step === 'list'
                ? [value, text]
                : step === 'key'
                  ? { [text]: value }
                  : { [name]: value, input: text }
          expect(JSON.stringify(hidden(value, hiding('k')))).not.toContain(text)
        },
      ),
    )
  })

  it('hides what is hidden already no further, so that a file can be hidden again', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const once = hidden(JSON.parse(json), hiding('a'))
        expect(hidden(once, hiding('b'))).toEqual(once)
      }),
    )
  })

  it('gives the same text the same digest with one key and others with another, so that none can be guessed without it', () => {
    const texts = [...Array(500).keys()].map(String)
    const [one, again, other] = ['a', 'a', 'b'].map((key) => texts.map(createDigest(key)))
    expect(one).toEqual(again)
    expect(one?.filter((digest, index) => digest === other?.[index])).toEqual([])
    expect(new Set(one).size).toBe(500)
  })

  it('ends in a body that is nested too deep, and in a mark that is none', () => {
    let deep: unknown = 'end'
    for (let depth = 0; depth < 5_000; depth += 1) deep = [deep]
    expect(JSON.stringify(hidden(deep, hiding('k')))).toContain('{"~":"cut"}')
    for (const mark of [['x', 'y'], [1], [1, 'secret-secret'], 'secret', { a: 1 }])
      expect(JSON.stringify(hidden({ '~': mark }, hiding('k')))).not.toMatch(/secret|"a"/)
  })

  it('keeps of headers what is the same for everybody, and names of others only where they are names', () => {
    const shown = shownHeaders(
      [
        ['Content-Type', 'text/event-stream; charset=utf-8'],
        ['x-request-id', '0199aaaa-0000-7000-8000-000000000000'],
        ['x-codex-primary-used-percent', '42.5'],
        ['x-codex-plan-type', 'pro'],
        ['set-cookie', 'a=b'],
        ['cf-ray', '8f00-FRA'],
        ['bad name', 'v'],
      ],
      hiding('k'),
    )
    expect(shown).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'x-request-id': '0199aaaa-0000-7000-8000-000000000000',
      'x-codex-primary-used-percent': '42.5',
      'x-codex-plan-type': 'pro',
      'set-cookie': { '~': [3, expect.any(String)] },
      'cf-ray': { '~': [8, expect.any(String)] },
    })
    expect(Object.keys(shown).at(-1)).toMatch(/^~8:[\da-f]{8}$/)
  })
})
