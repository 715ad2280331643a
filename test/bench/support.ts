import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { performance } from 'node:perf_hooks'

import { type Plugin, startPlugin } from './host.js'
import { MANAGED_AUTH } from '../../lib/login/managed-entry.js'
import {
  charge,
  createFamily,
  DEFAULT_LIMIT_ID,
  quotaHeaders,
  rateLimitsEvent,
} from '../../simulator/accounts/quota.js'
import { accountsFileOf, anAccount, type RecordOnDisk, writePool } from '../support/records.js'

/** What one measurement says: ours, plain `fetch` in the same run where that makes sense, and the target. */
export interface Row {
  readonly name: string
  readonly ours: number
  readonly plain?: number
  /** The smallest of the samples: what the others of the machine did not disturb. */
  readonly best?: number
  readonly p99?: number
  readonly unit: string
  /** Bound for `ours`; for the ratio, or for what is more than plain, when `of` says so. */
  readonly target?: number
  readonly of?: 'ratio' | 'added'
  /** The bound is a lower one. */
  readonly atLeast?: boolean
}

/** What `scripts/bench.mjs` tells a program of this folder. */
export interface Given {
  readonly dist: string
  readonly upstream: string
  /** Those of tool-upstream.ts. */
  readonly ports: readonly number[]
  readonly isQuick: boolean
  /** Names of the parts to run. */
  readonly only: readonly string[]
  readonly runtime: string
  /** The program of the runtime and what its environment must hold. */
  readonly command: string
  readonly env: Readonly<Record<string, string>>
  /** Where the bundled programs are. */
  readonly programs: string
  /** For whatever is made on the way. */
  readonly folder: string
  readonly home: string
}

/** The plugin in a home of its own. */
export interface HomedPlugin extends Plugin {
  readonly home: string
  readonly loaderMs: number
}

/** What every measurement needs. */
export interface Bench {
  readonly rows: Row[]
  readonly upstream: string
  readonly isQuick: boolean
  /** A number of repetitions for this run's size. */
  rounds(count: number): number
  /** What the plugin's calls of `fetch` end in; the real one unless replaced. */
  transport: typeof globalThis.fetch
  readonly realFetch: typeof globalThis.fetch
  plugin(
    accounts: readonly object[],
    other?: { readonly url: string; readonly backend: string },
  ): Promise<HomedPlugin>
}

const CANNED =
  'data: {"type":"response.output_text.delta","delta":"x"}\n\ndata: {"type":"response.completed","response":{"usage":{"input_tokens":1,"output_tokens":1}}}\n\n'

/** As wide as the requests of a long measurement. */
const FAMILY = createFamily(
  {
    id: DEFAULT_LIMIT_ID,
    windows: [
      { minutes: 300, limit: 1_000_000 },
      { minutes: 10_080, limit: 1_000_000 },
    ],
  },
  Date.now(),
)

/** Builds the bench over the built plugin and puts itself before `fetch`, which the core takes when it is created. */
export function createBench(options: Given): Bench {
  const realFetch = globalThis.fetch
  let homes = 0
  const bench: Bench = {
    rows: [],
    upstream: options.upstream,
    isQuick: options.isQuick,
    rounds: (count) => Math.max(3, Math.round(options.isQuick ? count / 4 : count)),
    transport: realFetch,
    realFetch,
    async plugin(accounts, other) {
      homes += 1
      const home = path.join(options.home, `home-${homes}`)
      mkdirSync(path.join(home, '.opencode', 'node_modules'), { recursive: true })
      writeFileSync(path.join(home, '.opencode', 'package.json'), '{}')
      await writePool(accountsFileOf(home), accounts)
      Object.assign(process.env, {
        HOME: home,
        OC_CODEX_SIMULATOR_ISSUER: other?.url ?? options.upstream,
        OC_CODEX_SIMULATOR_BACKEND: other?.backend ?? `${options.upstream}/backend-api`,
        CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS: '0',
      })
      const started = performance.now()
      const plugin = await startPlugin(path.join(options.dist, 'index.js'), {
        home,
        auth: MANAGED_AUTH,
      })
      return { ...plugin, home, loaderMs: performance.now() - started }
    },
  }
  globalThis.fetch = ((input: RequestInfo, init?: RequestInit) =>
    bench.transport(input, init)) as typeof fetch
  return bench
}

/** An account whose token is good for a day. */
export const goodAccount = (index = 0): RecordOnDisk =>
  anAccount(`bench-${index}`, { accountUserId: `user-${index}` })

/** The text that a body is full of: one byte for a character in the memory of the runtime, or two. */
export type Script = 'Latin' | '16-bit'

const REMARKS: Readonly<Record<Script, string>> = {
  Latin: 'Look at this file:\n',
  '16-bit': 'Посмотри на этот файл, 请看这个文件:\n',
}

const turnIn = (script: Script): readonly object[] => [
  {
    role: 'user',
    content: [
      {
        type: 'input_text',
        text: REMARKS[script].padEnd(2_000, 'const line = "some \\"quoted\\" code"\n'),
      },
    ],
  },
  { type: 'reasoning', encrypted_content: 'A'.repeat(600), summary: [] },
  { type: 'function_call', call_id: 'c1', name: 'read', arguments: '{"filePath":"a.ts"}' },
  {
    type: 'function_call_output',
    call_id: 'c1',
    output: `${REMARKS[script]}text of a file, line by line\n`.repeat(80),
  },
]

/** A prompt of the host, behind a history. */
export interface Prompt {
  readonly input: readonly unknown[]
}

/** The host's own first turn, with a history up to a size in characters. */
export function promptOf(size: number, script: Script = 'Latin'): Prompt {
  const captured = JSON.parse(readFileSync(process.env.BENCH_CAPTURE ?? '', 'utf8')) as {
    body: { input: unknown[]; instructions: string; tools: unknown[] }
  }
  const body =
    size < 20_000 ? { ...captured.body, instructions: 'x'.repeat(200), tools: [] } : captured.body
  const turn = turnIn(script)
  const rest = size - JSON.stringify(body).length
  const count = Math.max(0, Math.floor(rest / JSON.stringify(turn).length))
  return { ...body, input: [...Array.from({ length: count }, () => turn).flat(), ...body.input] }
}

/** The same prompt after another turn of about 4 kB. */
export const grown = (prompt: Prompt, script: Script): Prompt => ({
  ...prompt,
  input: [...prompt.input, ...turnIn(script)],
})

/** The session of a prompt that names no other. */
export const SESSION = 'ses_bench'

/** A new string for a prompt, as the host makes one for each request. Conversations differ from their first words on. */
export const textOf = (prompt: Prompt, script: Script, session = SESSION): string =>
  JSON.stringify({
    ...prompt,
    input: [
      { role: 'user', content: [{ type: 'input_text', text: `${session}: ${REMARKS[script]}` }] },
      ...prompt.input,
    ],
    prompt_cache_key: session,
  })

/** A body of about so many characters. */
export const bodyOf = (size: number): string => textOf(promptOf(size), 'Latin')

/** Reads an answer to its end; its length in bytes. */
export async function drain(response: Response): Promise<number> {
  let bytes = 0
  for await (const chunk of response.body ?? []) bytes += (chunk as Uint8Array).byteLength
  return bytes
}

/** A short good answer without a network. */
export const canned = async (): Promise<Response> =>
  new Response(CANNED, { headers: { 'content-type': 'text/event-stream' } })

/** The same with what the backend says of quota, in its headers and in an event; it moves with each answer. */
export const cannedWithQuota = async (): Promise<Response> => {
  const holder = { plan: 'plus', cost: 1, credits: undefined, families: [FAMILY] }
  charge(holder, FAMILY, Date.now())
  const limits = rateLimitsEvent(holder, FAMILY, Date.now())
  return new Response(`event: codex.rate_limits\ndata: ${JSON.stringify(limits)}\n\n${CANNED}`, {
    headers: { 'content-type': 'text/event-stream', ...quotaHeaders(holder, FAMILY, Date.now()) },
  })
}

export const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((left, right) => left - right)[
    Math.min(values.length - 1, Math.floor(values.length * share))
  ] ?? Number.NaN

export const median = (values: readonly number[]): number => percentile(values, 0.5)

export type Figures = Pick<Row, 'ours'> & Required<Pick<Row, 'best' | 'p99'>>

/** What is said of samples; the p99 of fewer than a hundred is the slowest one. */
export const figuresOf = (values: readonly number[]): Figures => ({
  ours: median(values),
  best: Math.min(...values),
  p99: percentile(values, 0.99),
})

/** CPU time of this process so far, ms: less noisy than a clock where others work too. */
export const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Both in turns, so that neither has the warmer machine; the first of each is not counted. */
export async function inTurns<T>(
  rounds: number,
  one: () => Promise<T>,
  other: () => Promise<T>,
): Promise<{ ours: T[]; beside: T[] }> {
  const ours: T[] = []
  const beside: T[] = []
  for (let round = 0; round <= rounds; round += 1) {
    const pair = [await one(), await other()] as const
    if (round === 0) continue
    ours.push(pair[0])
    beside.push(pair[1])
  }
  return { ours, beside }
}
