import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { performance } from 'node:perf_hooks'

import { createPrng, type Prng } from '../../simulator/prng.js'
import { itemsOf } from '../support/conversation.js'
import { type Fetch, send } from './host.js'
import { type Bench, bodyOf, goodAccount, median } from './support.js'

const CALLS = 20
/** What a tool returns for one call, in characters. */
const OUTPUT_SIZE = 4_000
/** Sealed reasoning of one call, in bytes before its letters: about an eighth of a history. */
const SEALED_SIZE = 420
const SIZES = [
  ['30 kB', 30_000],
  ['300 kB', 300_000],
  ['1 MB', 1_000_000],
] as const

/** A way to send: its settings, and whether every request differs from the last in more than the conversation. */
interface Way {
  readonly name: string
  readonly transport: 'http' | 'auto'
  readonly compression: 'off' | 'auto'
  readonly varies?: true
}
const PLAIN: Way = { name: 'HTTP', transport: 'http', compression: 'off' }
const WAYS: readonly Way[] = [
  { name: 'HTTP with zstd', transport: 'http', compression: 'auto' },
  { name: 'WebSocket, whole', transport: 'auto', compression: 'off', varies: true },
  { name: 'WebSocket', transport: 'auto', compression: 'off' },
]
/** Bounds at 1 MB on the slow line, as shares of plain HTTP. */
const BOUNDS: Readonly<Record<string, { readonly bytes: number; readonly time: number }>> = {
  'HTTP with zstd': { bytes: 1 / 4, time: 1 / 3 },
  WebSocket: { bytes: 1 / 40, time: 1 / 10 },
}

interface Spent {
  readonly bytes: number
  readonly ms: number
}

/** A turn of twenty tool calls: bytes that go up and the sum of the waits, for each way and line, beside plain HTTP. */
export async function transports(bench: Bench, ports: readonly number[]): Promise<void> {
  const [fast = 0, slow = 0, counter = 0, refusing = 0] = ports
  await refusedUpgrade(bench, refusing)
  await idleConnections(bench, fast)
  const lines = [
    ['loopback', fast],
    ['10 Mbit/s, 40 ms', slow],
  ] as const
  for (const [line, port] of lines) {
    for (const [size, bytes] of SIZES) {
      const plain = await turn(bench, { way: PLAIN, port, counter, bytes })
      for (const way of WAYS) {
        const ours = await turn(bench, { way, port, counter, bytes })
        const bounds = size === '1 MB' && line !== 'loopback' ? BOUNDS[way.name] : undefined
        const name = `${CALLS} tool calls, ${size}, ${line}: ${way.name}`
        bench.rows.push(
          {
            name: `${name}, bytes up`,
            ours: ours.bytes / 1_000,
            plain: plain.bytes / 1_000,
            unit: 'kB',
            ...(bounds === undefined ? {} : { target: bounds.bytes, of: 'ratio' }),
          },
          {
            name: `${name}, waiting`,
            ours: ours.ms,
            plain: plain.ms,
            unit: 'ms',
            ...(bounds === undefined ? {} : { target: bounds.time, of: 'ratio' }),
          },
        )
      }
    }
  }
}

/** What a request waits longer for because the WebSocket is refused, on the slow line. */
async function refusedUpgrade(bench: Bench, port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}`
  const waits: number[][] = [[], []]
  for (let round = 0; round < 5; round += 1) {
    for (const [index, transport] of ['auto', 'http'].entries()) {
      Object.assign(process.env, {
        CODEX_AUTH_TRANSPORT: transport,
        CODEX_AUTH_REQUEST_COMPRESSION: 'off',
      })
      const plugin = await bench.plugin([goodAccount()], { url, backend: `${url}/backend-api` })
      const started = performance.now()
      await answered(plugin.fetch, bodyOf(20_000))
      waits[index]?.push(performance.now() - started)
      await plugin.dispose()
    }
  }
  bench.rows.push({
    name: 'first request where the WebSocket is refused, 40 ms there and back',
    ours: median(waits[0] ?? []),
    plain: median(waits[1] ?? []),
    unit: 'ms',
    // The round trip, and what a timer is late.
    target: 45,
    of: 'added',
  })
}

const IDLE_MS = 5_000
/** As many as a process keeps. */
const SESSIONS = 6

/** What connections cost that nobody uses. */
async function idleConnections(bench: Bench, port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}`
  const rest = async (): Promise<number> => {
    const before = process.cpuUsage()
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1_000
  }
  Object.assign(process.env, {
    CODEX_AUTH_TRANSPORT: 'auto',
    CODEX_AUTH_REQUEST_COMPRESSION: 'off',
  })
  const plugin = await bench.plugin([goodAccount()], { url, backend: `${url}/backend-api` })
  const body = bodyOf(20_000)
  await answered(plugin.fetch, body, 'ses_0')
  const plain = await rest()
  const memory = process.memoryUsage().rss
  for (let session = 1; session < SESSIONS; session += 1)
    await answered(plugin.fetch, body, `ses_${session}`)
  const ours = await rest()
  const grownKb = (process.memoryUsage().rss - memory) / 1_000 / (SESSIONS - 1)
  await plugin.dispose()
  bench.rows.push(
    { name: `CPU of ${SESSIONS} idle connections in 5 s, beside one`, ours, plain, unit: 'ms' },
    { name: 'memory of an idle connection', ours: Math.max(0, grownKb), unit: 'kB' },
  )
}

async function turn(
  bench: Bench,
  given: { way: Way; port: number; counter: number; bytes: number },
): Promise<Spent> {
  const { way, port, counter, bytes } = given
  Object.assign(process.env, {
    CODEX_AUTH_TRANSPORT: way.transport,
    CODEX_AUTH_REQUEST_COMPRESSION: way.compression,
  })
  const url = `http://127.0.0.1:${port}`
  const plugin = await bench.plugin([goodAccount()], { url, backend: `${url}/backend-api` })
  const random = createPrng(7)
  const body = JSON.parse(bodyOf(20_000)) as Record<string, unknown> & { input: unknown[] }
  const code = outputs(sources())
  for (let size = JSON.stringify(body).length; size < bytes; size += OUTPUT_SIZE + 800)
    body.input.unshift(...earlierCall(random, code.next().value))
  let ms = 0
  await counted(bench, counter)
  for (let call = 0; call < CALLS; call += 1) {
    if (way.varies === true) body.text = { verbosity: call % 2 === 0 ? 'low' : 'medium' }
    const text = JSON.stringify(body)
    const started = performance.now()
    const items = await answered(plugin.fetch, text)
    ms += performance.now() - started
    const output = code.next().value
    body.input.push(...items, { type: 'function_call_output', ...callOf(items), output })
  }
  const spent = { bytes: await counted(bench, counter), ms }
  await plugin.dispose()
  return spent
}

async function counted(bench: Bench, port: number): Promise<number> {
  return Number(await (await bench.realFetch(`http://127.0.0.1:${port}/`)).text())
}

/** Files of this plugin, one after the other: what a tool reads is code. */
function sources(): string {
  const folder = process.env.BENCH_SOURCES ?? ''
  const files = readdirSync(folder, { recursive: true }).map(String).sort()
  return files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(path.join(folder, file), 'utf8'))
    .join('\n')
}

/** What tools return, call by call; from the start again when all was read. */
function* outputs(code: string): Generator<string, never> {
  for (let at = 0; ; at = (at + OUTPUT_SIZE) % (code.length - OUTPUT_SIZE))
    yield code.slice(at, at + OUTPUT_SIZE)
}

/** A tool call of earlier with its sealed reasoning, which does not compress. */
function earlierCall(random: Prng, output: string): readonly object[] {
  const call_id = `call_${random.hex(16)}`
  const sealed = Buffer.from(random.hex(2 * SEALED_SIZE), 'hex').toString('base64url')
  return [
    { type: 'reasoning', encrypted_content: sealed, summary: [] },
    { type: 'function_call', call_id, name: 'read', arguments: `{"filePath":"${call_id}.ts"}` },
    { type: 'function_call_output', call_id, output },
  ]
}

/** What an answer adds to the history. */
async function answered(
  target: Fetch,
  body: string,
  session = 'ses_bench',
): Promise<readonly Record<string, unknown>[]> {
  return itemsOf(await (await send(target, body, { 'session-id': session })).text())
}

function callOf(items: readonly Record<string, unknown>[]): { readonly call_id: unknown } {
  return { call_id: items.find(({ type }) => type === 'function_call')?.call_id }
}
