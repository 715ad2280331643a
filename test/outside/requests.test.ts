import { readdir } from 'node:fs/promises'
import path from 'node:path'

import { expect, it, onTestFinished } from 'vitest'

import { type Core, createCore } from '../../lib/core.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { type Simulator, startSimulator } from '../../simulator/index.js'
import { differences, loadCapture } from '../support/captured-request.js'
import { coreOver } from '../support/core-over.js'
import { aHome, homeIn } from '../support/home.js'
import { expectOutside, hashOf } from '../support/outside.js'
import { repositoryRoot } from '../support/repository.js'

/** Headers of the hop itself, which the HTTP client writes. */
const OF_THE_HOP = new Set([
  'connection',
  'host',
  'content-length',
  'transfer-encoding',
  'accept-encoding',
  'accept-language',
  'sec-fetch-mode',
])
const MODES = {
  native: {},
  legacy: { CODEX_AUTH_REQUEST_TRANSFORM_MODE: 'legacy' },
  lite: { CODEX_AUTH_RESPONSES_LITE: 'auto' },
  identity: { CODEX_AUTH_CODEX_IDENTITY: '1', CODEX_AUTH_RESPONSES_LITE: 'auto' },
} as const

it.each(Object.entries(MODES))(
  'sends every captured request of OpenCode as before: %s',
  async (mode, env) => {
    expectOutside(`requests-${mode}`, await sentOf(env), { keepsTexts: true })
  },
)

it('sends every captured request of OpenCode as before: to the endpoint of an API key', async () => {
  const rows = await sentOf({}, true)
  expectOutside('requests-api-key', rows, { keepsTexts: true })
})

async function sentOf(env: NodeJS.ProcessEnv, isKey = false): Promise<Record<string, unknown>> {
  const files = (await readdir(path.join(repositoryRoot, 'test', 'fixtures', 'opencode')))
    .filter((name) => name.endsWith('.json'))
    .sort()
  const { core, simulator } = isKey
    ? await keyAtSimulator()
    : await coreOver(['a'], { env: { TERM: 'xterm', ...env } })
  const rows: Record<string, unknown> = {}
  for (const file of files) {
    const captured = await loadCapture(path.basename(file, '.json'))
    // Lite is a matter of the model: the captures are of one that has it not.
    const body =
      env.CODEX_AUTH_RESPONSES_LITE === undefined
        ? captured.body
        : { ...captured.body, model: 'gpt-6-sol' }
    const given = JSON.stringify(body)
    const before = simulator.requests.length
    const response = await core.fetch('https://api.openai.com/v1/responses', {
      method: 'POST',
      headers: captured.headers,
      body: given,
    })
    await response.text()
    const request = simulator.requests
      .slice(before)
      .find(({ path: asked }) => asked.endsWith('/responses'))
    if (request === undefined) {
      rows[file] = { status: response.status, sent: null }
      continue
    }
    const headers = Object.entries(request.headers).filter(([name]) => !OF_THE_HOP.has(name))
    const sent = JSON.parse(request.body) as Record<string, unknown>
    rows[file] = {
      status: response.status,
      method: 'POST',
      path: request.path,
      headers: headers.map(([name, value]) => `${name}: ${plain(name, value)}`),
      bodyIsTheHosts: request.body === given,
      members: Object.keys(sent),
      bodyHash: hashOf(withoutIds(request.body)),
      changed: differences(
        { ...captured, headers: {}, body: sent },
        { ...captured, headers: {}, body },
        [],
      )
        .map((line) => withoutIds(line).slice(0, 140))
        .slice(0, 12),
    }
  }
  expect(Object.keys(rows)).toHaveLength(files.length)
  // A snapshot of requests that were never sent would agree with everything.
  expect(Object.values(rows)).not.toContainEqual(expect.objectContaining({ sent: null }))
  return rows
}

/** The core over one API key, whose endpoint is the simulator. */
async function keyAtSimulator(): Promise<{ core: Core; simulator: Simulator }> {
  const simulator = await startSimulator({ accounts: ['a'] })
  onTestFinished(() => simulator.close())
  const { access_token: apiKey } = simulator.login('a')
  const home = await aHome([
    { kind: 'api-key', apiKey, baseUrl: `${simulator.backend}/codex`, addedAt: 1, lastUsed: 0 },
  ])
  const env = { ...homeIn(home), CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS: '0' }
  const core = await createCore({
    host: { log: () => undefined, toast: () => undefined },
    paths: resolvePaths(env),
    env,
    directory: home,
  })
  onTestFinished(() => core.close())
  return { core, simulator }
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

function withoutIds(text: string): string {
  return text.replaceAll(UUID, '<uuid>')
}

/** Without the token, and without what names this machine or this run. */
function plain(name: string, value: string): string {
  if (name === 'authorization') return value.replace(/ .*/, ' <token>')
  if (name === 'chatgpt-account-id') return '<account>'
  if (name === 'user-agent' && /^codex/i.test(value))
    return value.replace(/\(.*/, '<system>').replaceAll(/\d+\.\d+\.\d+/g, '<version>')
  return withoutIds(value)
}
