import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { type Core, createCore } from '../../lib/core.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { anAccount, writePool } from '../support/records.js'
import { homeIn } from '../support/home.js'

/** A request as it would have gone out. */
interface Outgoing {
  readonly path: string
  /** Name of the account whose token it carries. */
  readonly account: string
  readonly headers: Headers
  readonly body: string
}

/** What stands in for the network. */
export type Answering = (request: Outgoing) => Response | Promise<Response>

export interface FuzzStage {
  readonly core: Core
  readonly home: string
  /** Requests to the responses endpoint, oldest first. */
  readonly asked: readonly Outgoing[]
  /** What the host was told. */
  readonly said: readonly string[]
  readonly accountsFile: string
}

export const SECRET = /(?:at|rt)-secret-\w+/
export const MISSING = new Response('{}', { status: 404 })

/**
 * The whole plugin over an answering function, for the time of `work`.
 * @param accounts names; `expired` ones have to refresh first
 */
export async function withCore<T>(
  accounts: readonly { readonly name: string; readonly isExpired?: boolean }[],
  answer: Answering,
  work: (stage: FuzzStage) => Promise<T>,
  extraEnv: NodeJS.ProcessEnv = {},
): Promise<T> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'oc-codex-fuzz-'))
  const env = { ...homeIn(home), CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS: '0', ...extraEnv }
  const paths = resolvePaths(env)
  await writePool(
    paths.accountsFile,
    accounts.map(({ name, isExpired }) =>
      anAccount(name, {
        refreshToken: `rt-secret-${name}`,
        accessToken: `at-secret-${name}`,
        ...(isExpired === true && { expiresAt: Date.now() - 60_000 }),
      }),
    ),
  )
  const asked: Outgoing[] = []
  const said: string[] = []
  const fetch = (async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input instanceof Request ? input : input.toString(), init)
    const outgoing = {
      path: new URL(request.url).pathname,
      account:
        /secret-(\w+?)(?:-new\d*)?$/.exec(request.headers.get('authorization') ?? '')?.[1] ?? '',
      headers: request.headers,
      body: await request.text(),
    }
    if (outgoing.path.endsWith('/codex/responses')) asked.push(outgoing)
    return answer(outgoing)
  }) as typeof globalThis.fetch
  const core = await createCore({
    host: {
      log: (level, text, details) =>
        void said.push(`${level}: ${text} ${JSON.stringify(details ?? {})}`),
      toast: ({ message }) => void said.push(message),
    },
    paths,
    env,
    directory: home,
    fetch,
  })
  try {
    return await work({ core, home, asked, said, accountsFile: paths.accountsFile })
  } finally {
    await core.close()
    await rm(home, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Sends one prompt, or a body of one's own, and reads the answer to its end; a broken line counts as its text so far. */
export async function ask(
  core: Core,
  body?: string,
): Promise<{ readonly status: number; readonly text: string; readonly brokeOff: boolean }> {
  const response = await core.fetch('https://api.openai.com/v1/responses', {
    method: 'POST',
    headers: { 'session-id': 'ses_fuzz', 'content-type': 'application/json' },
    body: body ?? PROMPT,
  })
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const part of response.body ?? []) text += decoder.decode(part, { stream: true })
    return { status: response.status, text, brokeOff: false }
  } catch {
    return { status: response.status, text, brokeOff: true }
  }
}

const PROMPT = JSON.stringify({
  model: 'gpt-5.5',
  instructions: 'x',
  input: [{ role: 'user', content: [{ type: 'input_text', text: 'hi' }] }],
  store: false,
  stream: true,
  include: ['reasoning.encrypted_content'],
})

/** The accounts as they lie in the file. */
export async function recordsIn(file: string): Promise<readonly Record<string, unknown>[]> {
  return (JSON.parse(await readFile(file, 'utf8')) as { accounts: Record<string, unknown>[] })
    .accounts
}

/** A plain good answer that says one word. */
export function goodAnswer(word: string): Response {
  const events = [
    { type: 'response.created', response: { id: 'r', status: 'in_progress' } },
    {
      type: 'response.output_item.added',
      output_index: 0,
      item: { type: 'message', id: 'm', role: 'assistant', content: [] },
    },
    { type: 'response.output_text.delta', item_id: 'm', delta: word },
    {
      type: 'response.completed',
      response: {
        id: 'r',
        status: 'completed',
        output: [],
        usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
      },
    },
  ]
  return new Response(
    events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''),
    { status: 200, headers: { 'content-type': 'text/event-stream' } },
  )
}
