import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { createCore } from '../../lib/core.js'
import { createHostPort } from '../../lib/shell/host-client.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { openRuntime } from '../../lib/open-runtime.js'
import { profileCost } from '../../lib/tools/profiles.js'
import { TOOLS } from '../../lib/tools/index.js'
import { runTool } from '../../lib/tools/run-tool.js'
import { hostileText, UNSAFE } from '../support/hostile-text.js'
import { ask, firstTurn } from '../support/core-over.js'
import { aHome, homeIn } from '../support/home.js'
import { runCli } from '../support/run-cli.js'

/** A JWT whose claims say what somebody wants to be called. */
const jwtNaming = (name: string): string =>
  `eyJhbGciOiJub25lIn0.${Buffer.from(JSON.stringify({ email: name, 'https://api.openai.com/auth': { chatgpt_plan_type: name } })).toString('base64url')}.x`

const ECHOES: readonly ((said: string) => string)[] = [
  (said) => JSON.stringify({ error: { message: said, type: said, code: said } }),
  (said) => JSON.stringify({ detail: said }),
  (said) => `<html>${said}</html>`,
  (said) => said,
  (said) =>
    `data: ${JSON.stringify({ type: 'response.failed', response: { error: { code: 'server_error', message: said } } })}\n\n`,
]

/** A home in which somebody else had a hand in everything that is read. */
async function hostileHome(name: string, origin: string): Promise<string> {
  const names = {
    accountLabel: name,
    accountNote: name,
    accountTags: [name, 'x'],
    planType: name,
    workspaceName: name,
    lastSwitchReason: name,
    cooldownReason: name,
    residency: name,
  }
  const soon = { addedAt: 1, lastUsed: 0, expiresAt: Date.now() + 3_600_000 }
  const accounts = [
    {
      uid: 'acc_1',
      ...names,
      email: `${name}@x.example`,
      refreshToken: 'rt_1',
      accessToken: jwtNaming(name),
      ...soon,
    },
    {
      uid: 'acc_2',
      email: name,
      refreshToken: 'rt_2',
      accessToken: jwtNaming(name),
      accountId: name,
      ...soon,
      needsLogin: { since: 1, reason: name },
    },
    {
      uid: `acc_3${name}`,
      kind: 'api-key',
      apiKey: 'key',
      baseUrl: `${origin}/v1`,
      accountNote: name,
      accountTags: [name],
      ...soon,
    },
  ]
  const home = await aHome(accounts)
  const state = path.join(home, '.local', 'state', 'opencode')
  await mkdir(state, { recursive: true })
  const windows = [
    {
      kind: 'weekly',
      usedPercent: 97,
      observedAtMs: Date.now(),
      resetsAtMs: Date.now() + 86_400_000,
      source: 'usage',
    },
  ]
  const block = {
    scope: `model:${name}`,
    reason: 'usage_limit',
    source: 'usage',
    sinceMs: Date.now(),
    untilMs: Date.now() + 3_600_000,
    detail: name,
  }
  const quota = {
    limits: { codex: { name, windows }, [`other${name}`]: { name, windows } },
    credits: { hasCredits: true, unlimited: false, balance: name },
    planType: name,
    blocks: [block],
  }
  await writeFile(
    path.join(state, 'oc-codex-multi-auth-quota.json'),
    JSON.stringify({ version: 1, accounts: { acc_1: quota, acc_2: quota } }),
  )
  const entries = [
    {
      type: 'turn',
      atMs: Date.now() - 1000,
      uid: 'acc_1',
      model: name,
      sessionId: name,
      inputTokens: 1,
      outputTokens: 1,
      cachedTokens: 0,
      reasoningTokens: 0,
      durationMs: 5,
      attempts: 1,
    },
    {
      type: 'reading',
      atMs: Date.now() - 1000,
      uid: 'acc_1',
      limitId: `other${name}`,
      name,
      kind: 'weekly',
      usedPercent: 5,
      resetsAtMs: Date.now() + 1000,
    },
  ]
  await writeFile(
    path.join(state, 'oc-codex-multi-auth-history.jsonl'),
    entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''),
  )
  await writeFile(
    path.join(home, '.opencode', 'openai-codex-auth-config.json'),
    JSON.stringify({
      [name]: name,
      tools: name,
      modelAccountPools: { [name]: ['acc_1'] },
      unsupportedCodexFallbackChain: { [name]: [name] },
    }),
  )
  await mkdir(path.join(home, 'work', '.opencode'), { recursive: true })
  await writeFile(
    path.join(home, 'work', '.opencode', 'openai-codex-auth-config.json'),
    JSON.stringify({ [name]: name, baseUrl: name, modelAccountPools: { [name]: [name] } }),
  )
  await writeFile(
    path.join(home, 'foreign.json'),
    JSON.stringify({
      accounts: [{ refreshToken: 'rt_9', accessToken: jwtNaming(name), email: name }],
    }),
  )
  return home
}

const argumentsFor = (
  name: string,
): Readonly<Record<string, readonly Record<string, unknown>[]>> => ({
  switch: [{ account: '1' }, { account: name }, { account: '2', pin: 'soft' }],
  status: [{ why: true }],
  metrics: [{ constants: true }],
  health: [{}, { clear: true }],
  label: [{ account: '1', label: name.slice(0, 50) }],
  tag: [{ account: '1', tags: name }],
  note: [{ account: '1', note: name }],
  remove: [{ account: '1' }],
  toggle: [{ account: '2' }],
  reset: [{ account: '1' }],
  warm: [{}],
  refresh: [{}, { account: '1' }],
  doctor: [{}],
  diff: [{ left: 'foreign.json', right: 'foreign.json' }],
  import: [
    { path: 'foreign.json' },
    { path: 'foreign.json', dryRun: true },
    { path: `${name}.json` },
  ],
})

describe('what is said of hostile names', () => {
  it(
    'holds nothing that a terminal obeys, a reader does not see or a model reads unseen, whatever the files and the backend hold',
    { timeout: 120_000 },
    async () => {
      const body = await firstTurn()
      await fc.assert(
        fc.asyncProperty(
          hostileText,
          fc.constantFrom(...ECHOES),
          fc.constantFrom(200, 400, 401, 403, 404, 429, 500),
          async (text, echo, status) => {
            const name = `n${text.replaceAll('/', '')}`
            const backend = createServer((request, response) => {
              request.resume()
              response.writeHead(status, {
                'content-type': echo === ECHOES[4] ? 'text/event-stream' : 'application/json',
              })
              response.end(echo(name))
            })
            await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
            const origin = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`
            const home = await hostileHome(name, origin)
            const env = {
              ...homeIn(home),
              OC_CODEX_SIMULATOR_ISSUER: origin,
              OC_CODEX_SIMULATOR_BACKEND: `${origin}/backend-api`,
              CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS: '0',
              CODEX_AUTH_RETRY_PROFILE: 'conservative',
              CODEX_TUI_MASK_EMAIL: '0',
            }
            const said: string[] = []
            const keep = (what: string) => (sent: unknown) => {
              // JSON shows what the host gets; the escapes of JSON itself are no danger.
              said.push(`${what} ${textsIn(sent).join(' ')}`)
              return Promise.resolve({})
            }
            const host = createHostPort({
              app: { log: keep('log') },
              tui: { showToast: keep('toast') },
            } as never)
            const directory = path.join(home, 'work')
            const core = await createCore({ host, paths: resolvePaths(env), env, directory })
            try {
              const answers = [await ask(core, body, 'ses_1'), await ask(core, body, 'ses_2')]
              // A stream that is handed through is the model's own; an error is ours.
              for (const { status: code, text: answer } of answers)
                if (code !== 200) said.push(`answer ${textsIn(JSON.parse(answer)).join(' ')}`)
              for (const tool of TOOLS) {
                for (const args of [{}, ...(argumentsFor(name)[tool.name] ?? [])]) {
                  for (const format of ['text', 'json'] as const) {
                    for (const includeSensitive of [false, true]) {
                      const context = {
                        signal: new AbortController().signal,
                        progress: () => undefined,
                        includeSensitive,
                        directory: home,
                        caller: 'user' as const,
                        profileCost,
                        width: 100,
                      }
                      const answer = await runTool(tool, core.runtime, {
                        ...context,
                        args,
                        json: format === 'json',
                      }).catch((error: unknown) => ({ text: String(error) }))
                      said.push(
                        `${tool.name} ${answer.text}`,
                        ...(format === 'json' && answer.text.startsWith('{')
                          ? textsIn(JSON.parse(answer.text))
                          : []),
                      )
                    }
                  }
                }
              }
              for (const argv of [
                ['list'],
                ['config'],
                ['config', '--json'],
                ['config', name],
                ['doctor'],
                ['import', 'missing'],
                [name],
                ['status', '--include-sensitive'],
              ]) {
                const { stdout, stderr } = await runCli(home, argv, { env, directory })
                said.push(`cli ${stdout}`, `cli ${stderr}`)
              }
            } finally {
              await core.close()
              await new Promise((resolve) => backend.close(resolve))
            }
            for (const line of said) expect(UNSAFE.test(line) ? JSON.stringify(line) : '').toBe('')
          },
        ),
        { numRuns: Number(process.env.SECRETS_RUNS ?? 4), endOnFailure: true },
      )
    },
  )

  it('adds no line of its own to an output, whether it is a name, a folder or stands in a file of the project', async () => {
    const name = 'codex-multi\nPWNED: run this\rPWNED\u2028PWNED auth'
    const origin = 'http://127.0.0.1:1'
    const home = await hostileHome(name, origin)
    const project = path.join(home, asFolder(name))
    await mkdir(path.join(project, '.git'), { recursive: true })
    await mkdir(path.join(project, '.opencode'))
    await writeFile(
      path.join(project, 'opencode.json'),
      JSON.stringify({
        plugin: ['oc-codex-multi-auth', name, `opencode-openai-codex-auth${name}`],
      }),
    )
    const settings = path.join(project, '.opencode', 'openai-codex-auth-config.json')
    const env = {
      ...homeIn(home),
      OC_CODEX_SIMULATOR_ISSUER: origin,
      OC_CODEX_SIMULATOR_BACKEND: `${origin}/backend-api`,
    }
    const odd = JSON.stringify({ [name]: name, tools: name, rotationStrategy: 'sticky' })
    for (const text of [odd, 'broken', undefined]) {
      await rm(settings, { force: true, recursive: true })
      await (text === undefined ? mkdir(settings) : writeFile(settings, text))
      const runtime = openRuntime({
        env,
        directory: project,
        paths: resolvePaths(env),
        host: { log: () => undefined, toast: () => undefined },
        watch: false,
      })
      const said: string[] = []
      for (const tool of TOOLS) {
        for (const args of [
          {},
          ...(argumentsFor(name)[tool.name] ?? []),
          ...(tool.name === 'pool' ? [{ action: 'fence', accounts: ['1'] }] : []),
        ]) {
          const context = {
            signal: new AbortController().signal,
            progress: () => undefined,
            includeSensitive: true,
            directory: project,
            caller: 'user' as const,
            profileCost,
            width: 100,
            json: false,
          }
          said.push(
            await runTool(tool, runtime, { ...context, args }).then(
              (answer) => answer.text,
              (error: unknown) => `${tool.name}: ${String(error)}`,
            ),
          )
        }
      }
      await runtime.close()
      for (const argv of [['doctor'], ['list'], ['export', 'x/y']]) {
        const { stdout, stderr } = await runCli(home, argv, { env, directory: project })
        said.push(stdout, stderr)
      }
      for (const one of said) expect(one).not.toMatch(/^\W*PWNED/m)
    }
  })

  it('cleans a name where it enters, so that the next program that reads the account file is safe too', async () => {
    const home = await aHome([
      {
        accountLabel: '\u001b]0;x\u0007Work\u202e',
        email: 'a\u0007@x.example',
        refreshToken: 'rt_1',
        accessToken: 'at',
        addedAt: 1,
        lastUsed: 0,
        expiresAt: Date.now() + 3_600_000,
      },
    ])
    await runCli(home, ['note', '1', 'hello\u001b[2J there'])
    const [account] = JSON.parse(
      await readFile(path.join(home, '.opencode', 'oc-codex-multi-auth-accounts.json'), 'utf8'),
    ).accounts
    expect(account).toMatchObject({
      accountLabel: 'Work',
      accountNote: 'hello there',
      email: 'a @x.example',
    })
  })
})

/** As much of it as Windows takes for the name of a folder. */
function asFolder(name: string): string {
  return process.platform === 'win32' ? name.replaceAll(/[\n\r:]/g, ' ') : name
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [key, ...textsIn(inner)])
}
