import { writeFile } from 'node:fs/promises'
import path from 'node:path'

import { onTestFinished } from 'vitest'

import { type Core, createCore } from '../../lib/core.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { aHome, homeIn } from './home.js'
import { anAccount } from './records.js'

/** A request for an answer, as the backend got it. */
export interface Asked {
  /** Name of the account whose token was sent. */
  readonly account: string
  readonly headers: Headers
  readonly body: Record<string, unknown>
  /** `performance.now()`. */
  readonly atMs: number
}

/** What the backend answers; a good answer when undefined. `turn`: number of the request from 0, `own`: among those of its account. */
type Script = (asked: Asked, turn: number, own: number) => Response | undefined

export const event = (type: string, fields: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
export const CREATED = event('response.created', { response: {} })
export const DELTA = event('response.output_text.delta', { delta: 'hello' })
export const COMPLETED = event('response.completed', {
  response: { id: 'resp_1', output: [], usage: { input_tokens: 1, output_tokens: 1 } },
})

/** An answer of the backend as an event stream. `then`: what follows its text. */
export function stream(
  text: string,
  headers: Record<string, string> = {},
  then: 'end' | 'cut' | 'hang' = 'end',
): Response {
  const bytes = new TextEncoder().encode(text)
  let isSent = false
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (!isSent) controller.enqueue(bytes)
        else if (then === 'end') controller.close()
        else if (then === 'cut') controller.error(new TypeError('terminated'))
        else return new Promise<void>(() => undefined)
        isSent = true
        return undefined
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { headers: { 'content-type': 'text/event-stream', ...headers } })
}

export const good = (headers: Record<string, string> = {}): Response =>
  stream(CREATED + DELTA + COMPLETED, headers)
export const refusal = (
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Response => Response.json(body, { status, headers })

export interface ScriptedStage {
  readonly core: Core
  /** Requests for an answer, oldest first. */
  readonly asked: readonly Asked[]
  /** Names of the accounts that were asked, oldest first. */
  accounts(): string[]
  /** How often a token was renewed. */
  renewals(): number
  uidOf(name: string): string
}

/** The plugin's core over a backend that follows a script, with these accounts signed in. */
export async function scripted(
  names: readonly string[],
  script: Script,
  options: {
    config?: Record<string, unknown>
    env?: NodeJS.ProcessEnv
    expiresInMs?: number
    account?: Record<string, unknown>
  } = {},
): Promise<ScriptedStage> {
  const expiresAt = Date.now() + (options.expiresInMs ?? 10 * 86_400_000)
  const home = await aHome(
    names.map((name) =>
      anAccount(name, {
        accessToken: `at.${name}`,
        refreshToken: `rt.${name}`,
        accountId: `ws.${name}`,
        email: undefined,
        expiresAt,
        ...options.account,
      }),
    ),
  )
  await writeFile(
    path.join(home, '.opencode', 'openai-codex-auth-config.json'),
    JSON.stringify(options.config ?? {}),
  )
  const asked: Asked[] = []
  let renewals = 0
  const fetch = (async (
    url: string,
    init: { headers?: HeadersInit; body?: string },
  ): Promise<Response> => {
    if (url.endsWith('/oauth/token')) {
      renewals += 1
      const name = /rt\.([a-z]+)/.exec(init.body ?? '')?.[1]
      return Response.json({
        access_token: `at.${name}`,
        refresh_token: `rt.${name}.${renewals}`,
        expires_in: 864_000,
      })
    }
    if (!url.endsWith('/responses')) return Response.json({}, { status: 404 })
    const headers = new Headers(init.headers)
    const request = {
      account: (headers.get('authorization') ?? '').replace(/^Bearer at\./, ''),
      headers,
      body: JSON.parse(init.body ?? '{}') as Record<string, unknown>,
      atMs: performance.now(),
    }
    const own = asked.filter(({ account }) => account === request.account).length
    asked.push(request)
    return script(request, asked.length - 1, own) ?? good()
  }) as unknown as typeof globalThis.fetch
  const env = { ...homeIn(home), CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS: '0', ...options.env }
  const core = await createCore({
    host: { log: () => undefined, toast: () => undefined },
    paths: resolvePaths(env),
    env,
    directory: home,
    fetch,
  })
  onTestFinished(() => core.close())
  const { accounts } = await core.runtime.store.read()
  const uids = new Map(names.map((name, position) => [name, accounts[position]?.uid ?? '']))
  return {
    core,
    asked,
    accounts: () => asked.map(({ account }) => account),
    renewals: () => renewals,
    uidOf: (name) => uids.get(name) ?? '',
  }
}

/** The sentence and code of an answer that is an error. */
export function errorIn(text: string): { readonly message: string; readonly code: string } {
  return (JSON.parse(text) as { error: { message: string; code: string } }).error
}
