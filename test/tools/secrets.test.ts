import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { createCore } from '../../lib/core.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { profileCost } from '../../lib/tools/profiles.js'
import { TOOLS } from '../../lib/tools/index.js'
import { runTool } from '../../lib/tools/run-tool.js'
import { ask, firstTurn } from '../support/core-over.js'
import { aHome, homeIn } from '../support/home.js'
import { runCli } from '../support/run-cli.js'

/** Secrets of every shape a token, key or address comes in, also such as nothing would know for a secret. */
const word = (alphabet: string, min: number, max = min) =>
  fc.string({
    unit: fc.nat(alphabet.length - 1).map((index) => alphabet.charAt(index)),
    minLength: min,
    maxLength: max,
  })
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const jwt = fc
  .tuple(word(BASE64URL, 20, 60), word(BASE64URL, 43))
  .map(([payload, signature]) => `eyJhbGciOiJSUzI1NiJ9.eyJ${payload}.${signature}`)
const prefixed = fc
  .tuple(
    fc.constantFrom('sk-', 'sk-proj-', 'rt_', 'sess-', 'at-', 'oaistb_'),
    word(BASE64URL.slice(0, 62), 24, 60),
  )
  .map(([prefix, rest]) => prefix + rest)
const opaque = fc
  .oneof(
    word('0123456789abcdef', 64),
    word(BASE64URL.slice(0, 62), 42),
    fc.uuid().map((text) => text.slice(2)),
    word(BASE64URL.slice(0, 62), 20).map((text) => `${text}==`),
  )
  .map((text) => `7f${text}`)
const secret = fc.oneof(jwt, prefixed, opaque)
const address = fc
  .tuple(word('abcdefghij', 5, 9), word('klmnopqrst', 5, 9))
  .map(([name, host]) => `${name}.x@${host}.example`)

const account = fc.record({
  refreshToken: secret,
  accessToken: secret,
  email: address,
  kind: fc.constant('oauth'),
  accountId: fc.uuid(),
})
const key = fc.record({ apiKey: secret, kind: fc.constant('api-key') })

/** How a hostile or careless backend repeats what it was sent. */
const ECHOES: readonly ((said: string) => string)[] = [
  (said) =>
    JSON.stringify({
      error: {
        message: `Incorrect credential provided: ${said}`,
        type: 'invalid_request_error',
        code: 'x',
      },
    }),
  (said) => JSON.stringify({ detail: said }),
  (said) => `<html>${said}</html>`,
  (said) =>
    `data: ${JSON.stringify({ type: 'response.failed', response: { error: { code: 'server_error', message: said } } })}\n\n`,
]

const ARGUMENTS: Readonly<Record<string, readonly Record<string, unknown>[]>> = {
  switch: [{ account: '1' }, { account: 'nobody' }, { account: '2', pin: 'soft' }],
  status: [{ why: true }],
  metrics: [{ constants: true }],
  health: [{}, { clear: true }],
  label: [{ account: '1', label: 'mine' }],
  tag: [{ account: '1', tags: 'a' }],
  note: [{ account: '1', note: 'n' }],
  remove: [{ account: '1' }, { account: '9', confirm: true }],
  toggle: [{ account: '2' }],
  reset: [{ account: '1' }],
  warm: [{}, { confirm: true }],
  refresh: [{}, { account: '1' }],
  doctor: [{}, { fix: true }],
  export: [{ path: 'copy.json' }],
  import: [{ path: 'copy.json' }, { path: 'missing.json' }, { path: 'copy.json', dryRun: true }],
  diff: [{ left: 'copy.json', right: 'copy.json' }],
}

describe('what is said', () => {
  it(
    'holds no token, key or address, whatever its shape and whatever the backend repeats',
    { timeout: 600_000 },
    async () => {
      const body = await firstTurn()
      await fc.assert(
        fc.asyncProperty(
          fc.tuple(account, account, key),
          fc.constantFrom(...ECHOES),
          fc.constantFrom(200, 400, 401, 403, 404, 429, 500),
          async ([first, second, third], echo, status) => {
            const secrets = [
              first.refreshToken,
              first.accessToken,
              first.email,
              second.refreshToken,
              second.accessToken,
              second.email,
              third.apiKey,
            ]
            const backend = createServer((request, response) => {
              const parts: Buffer[] = []
              request.on('data', (part: Buffer) => parts.push(part))
              request.on('end', () => {
                response.writeHead(status, {
                  'content-type': echo === ECHOES[3] ? 'text/event-stream' : 'application/json',
                })
                // The body of a prompt says nothing about an account; that of a login does.
                const sent =
                  request.url?.includes('token') === true ? Buffer.concat(parts).toString() : ''
                response.end(
                  echo(`${request.headers.authorization ?? ''} ${sent} ${secrets.join(' ')}`),
                )
              })
            })
            await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
            const origin = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`
            const soon = { addedAt: 1, lastUsed: 0, expiresAt: Date.now() + 3_600_000 }
            const home = await aHome([
              { ...first, ...soon },
              { ...second, ...soon, expiresAt: 1 },
              { ...third, ...soon, baseUrl: `${origin}/v1` },
            ])
            const env = {
              ...homeIn(home),
              OC_CODEX_SIMULATOR_ISSUER: origin,
              OC_CODEX_SIMULATOR_BACKEND: `${origin}/backend-api`,
              CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS: '0',
              CODEX_AUTH_RETRY_PROFILE: 'conservative',
            }
            const said: string[] = []
            const host = {
              log: (level: string, text: string, details?: unknown) =>
                void said.push(`log ${level} ${text} ${JSON.stringify(details)}`),
              toast: (toast: unknown) => void said.push(`toast ${JSON.stringify(toast)}`),
            }
            const core = await createCore({ host, paths: resolvePaths(env), env, directory: home })
            try {
              for (const session of ['ses_1', 'ses_2'])
                said.push(`answer ${(await ask(core, body, session)).text}`)
              for (const tool of TOOLS) {
                for (const args of [{}, ...(ARGUMENTS[tool.name] ?? [])]) {
                  for (const format of ['text', 'json'] as const) {
                    const context = {
                      signal: new AbortController().signal,
                      progress: (line: string) => void said.push(`progress ${line}`),
                      includeSensitive: false,
                      directory: home,
                      caller: 'user' as const,
                      profileCost,
                      width: 100,
                    }
                    const answer = await runTool(tool, core.runtime, {
                      ...context,
                      args,
                      json: format === 'json',
                    }).catch((error: unknown) => ({
                      text: `${String(error)} ${JSON.stringify(error)}`,
                    }))
                    said.push(`${tool.name} ${JSON.stringify(args)} ${answer.text}`)
                  }
                }
              }
            } finally {
              await core.close()
              await new Promise((resolve) => backend.close(resolve))
            }
            for (const one of secrets)
              for (const line of said)
                expect(line.includes(one) ? `${path.basename(home)}: ${line}` : '', one).toBe('')
          },
        ),
        { numRuns: Number(process.env.SECRETS_RUNS ?? 12), endOnFailure: true },
      )
    },
  )
})

it('a report for a bug names no endpoint of the user’s own and no folder, and still says what was set', async () => {
  const home = await aHome([])
  const config = {
    baseUrl: 'https://planted.corp.example/v1',
    rotationStrategy: 'sticky',
    codexClientVersion: '0.170.0',
    personality: {
      agents: { plan: 'keeper' },
      projects: { '/srv/planted-client': 'keeper', 'D:\\planted\\x': 'none', '~/planted': 'none' },
    },
  }
  await writeFile(
    path.join(home, '.opencode', 'openai-codex-auth-config.json'),
    JSON.stringify(config),
  )
  const { code, stdout } = await runCli(home, ['diag'])
  expect(code).toBe(0)
  expect(stdout).not.toContain('planted')
  expect((JSON.parse(stdout) as { config: { changed: unknown } }).config.changed).toEqual({
    baseUrl: '[hidden]',
    rotationStrategy: 'sticky',
    codexClientVersion: '0.170.0',
    personality: {
      agents: { plan: 'keeper' },
      projects: { '[hidden 1]': 'keeper', '[hidden 2]': 'none', '[hidden 3]': 'none' },
    },
  })
})
