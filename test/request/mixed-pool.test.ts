import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { createCore } from '../../lib/core.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { firstTurn } from '../support/core-over.js'
import { aHome, homeIn } from '../support/home.js'
import { toolData } from '../support/run-tool.js'

const CONFIGURED = 'https://configured.example'
const DONE =
  'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"hi"}\n\nevent: response.completed\ndata: {"type":"response.completed","response":{"id":"resp_1","output":[]}}\n\n'

/** What an account of the pool is; the number of an account is in each of its secrets. */
const kinds = ['chatgpt', 'expired', 'key', 'key-without-endpoint', 'public-key'] as const
type Kind = (typeof kinds)[number]

/** Answers that make the bridge move on at once, or serve. */
const answers = [
  'stream',
  'unauthorized',
  'usage_limit',
  'forbidden',
  'deactivated',
  'no_model',
  'encrypted',
] as const

const secretsOf = (n: number): readonly string[] => [`at.${n}.`, `rt.${n}.`, `sk.${n}.`, `ws.${n}.`]

function accountOf(kind: Kind, n: number): Record<string, unknown> {
  const times = { addedAt: 1, lastUsed: 0 }
  // A ChatGPT record with an endpoint and a key with a workspace are left-overs that must mean nothing.
  const key = { kind: 'api-key', apiKey: `sk.${n}.`, accountId: `ws.${n}.`, ...times }
  if (kind === 'key') return { ...key, baseUrl: `https://key-${n}.example` }
  if (kind === 'public-key') return { ...key, baseUrl: 'https://api.openai.com/v1' }
  if (kind === 'key-without-endpoint') return key
  return {
    accessToken: `at.${n}.0`,
    refreshToken: `rt.${n}.0`,
    accountId: `ws.${n}.`,
    baseUrl: `https://key-${n}.example`,
    expiresAt: Date.now() + (kind === 'expired' ? -1 : 1) * 3_600_000,
    ...times,
  }
}

/** The only places that may learn a secret of the account. */
function homesOf(kind: Kind, n: number): readonly string[] {
  if (kind === 'key') return [`https://key-${n}.example`]
  if (kind === 'public-key') return ['https://api.openai.com']
  return kind === 'key-without-endpoint'
    ? [CONFIGURED]
    : ['https://chatgpt.com', 'https://auth.openai.com']
}

function answered(how: (typeof answers)[number]): Response {
  const refused = (status: number, error: Record<string, unknown>): Response =>
    Response.json({ error }, { status })
  switch (how) {
    case 'stream':
      return new Response(DONE, {
        headers: { 'content-type': 'text/event-stream', 'x-codex-turn-state': 'state' },
      })
    case 'unauthorized':
      return refused(401, { code: 'token_expired' })
    case 'usage_limit':
      return refused(429, { type: 'usage_limit_reached', resets_in_seconds: 60 })
    case 'forbidden':
      return refused(403, {})
    case 'deactivated':
      return refused(402, { code: 'deactivated_workspace' })
    case 'no_model':
      return refused(400, { code: 'model_not_supported' })
    case 'encrypted':
      return refused(400, { code: 'invalid_encrypted_content' })
  }
}

describe('a mixed pool', () => {
  it('never sends a credential of an account to another host than its own, whatever happens', async () => {
    const turn = JSON.parse(await firstTurn()) as { input: unknown[] }
    const body = JSON.stringify({
      ...turn,
      input: [{ type: 'reasoning', encrypted_content: 'sealed', summary: [] }, ...turn.input],
    })
    const styles = fc.record({
      codexIdentity: fc.boolean(),
      responsesLite: fc.constantFrom('off', 'auto'),
      rotationStrategy: fc.constantFrom('hybrid', 'round-robin'),
    })
    const asked = new Set<string>()
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...kinds), { minLength: 2, maxLength: 5 }),
        fc.array(fc.constantFrom(...answers), { maxLength: 12 }),
        styles,
        async (pool, script, style) => {
          const home = await aHome(pool.map(accountOf))
          await writeFile(
            path.join(home, '.opencode', 'openai-codex-auth-config.json'),
            JSON.stringify({ ...style, baseUrl: CONFIGURED, proactiveRefresh: true }),
          )
          const sent: { readonly origin: string; readonly text: string }[] = []
          const left = [...script]
          const fetch = ((
            url: string,
            init: { headers?: HeadersInit; body?: string; redirect?: string },
          ) => {
            sent.push({
              origin: new URL(url).origin,
              text: JSON.stringify([url, [...new Headers(init.headers)], init.body ?? '']),
            })
            expect(init.redirect, url).toBe('error')
            if (url.endsWith('/oauth/token')) {
              const n = /rt\.(\d+)\./.exec(init.body ?? '')?.[1]
              return Promise.resolve(
                Response.json({
                  access_token: `at.${n}.${sent.length}`,
                  refresh_token: `rt.${n}.${sent.length}`,
                  expires_in: 3600,
                }),
              )
            }
            return Promise.resolve(
              url.endsWith('/responses')
                ? answered(left.shift() ?? 'stream')
                : Response.json({}, { status: 404 }),
            )
          }) as unknown as typeof globalThis.fetch
          const env = { ...homeIn(home), CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS: '0' }
          const core = await createCore({
            host: { log: () => undefined, toast: () => undefined },
            paths: resolvePaths(env),
            env,
            directory: home,
            fetch,
            providerBaseUrl: () => 'https://provider.example',
          })
          try {
            const headers = {
              authorization: 'Bearer of-the-host',
              'chatgpt-account-id': 'of-the-host',
              'session-id': 'ses_1',
            }
            for (let count = 0; count < 3; count += 1)
              await (
                await core.fetch('https://provider.example/responses', {
                  method: 'POST',
                  headers,
                  body,
                })
              ).text()
            await core.runtime.catalogue.refresh()
            await toolData(core.runtime, 'limits', { refresh: true }).catch(() => undefined)
            await toolData(core.runtime, 'health').catch(() => undefined)
          } finally {
            await core.close()
            await rm(home, { recursive: true, force: true })
          }
          for (const { origin, text } of sent) {
            asked.add(origin.replace(/\d/, 'n'))
            expect(text).not.toContain('of-the-host')
            for (const [n, kind] of pool.entries()) {
              if (!homesOf(kind, n).includes(origin))
                for (const secret of secretsOf(n))
                  expect(text, `${kind} at ${origin}`).not.toContain(secret)
            }
          }
        },
      ),
      { numRuns: 40 },
    )
    expect([...asked].sort()).toEqual(
      [
        'https://api.openai.com',
        'https://auth.openai.com',
        'https://chatgpt.com',
        CONFIGURED,
        'https://key-n.example',
        // For the newest version of the Codex CLI, with no secret at all.
        'https://registry.npmjs.org',
      ].sort(),
    )
  }, 60_000)
})
