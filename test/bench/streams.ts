import { performance } from 'node:perf_hooks'

import { DELTA, HEAD, tailOf } from './answers.js'
import { type Fetch, send } from './host.js'
import {
  type Bench,
  bodyOf,
  cpuMs,
  drain,
  type Figures,
  figuresOf,
  goodAccount,
  inTurns,
  median,
} from './support.js'

/** Tells the backend how many megabytes to send; one of the headers that the plugin passes on. */
const SIZE_HEADER = 'x-parent-session-id'
const LONG_MB = 56
const CHUNK = 16_384
/** A piece of a long event as it comes through TLS over the internet, bytes. */
const PACKET = 1_400

interface Spent {
  readonly ms: number
  readonly cpu: number
  readonly grown: number
}

/** Long answers in the process, where a plain one is only read, and over a loopback connection; beside, `fetch` alone. */
export async function streams(bench: Bench): Promise<void> {
  const { fetch, dispose } = await bench.plugin([goodAccount()])
  const megabytes = bench.isQuick ? 16 : LONG_MB
  const body = bodyOf(2_000)
  const spent = async (target: Fetch, headers = {}): Promise<Spent> => {
    const memory = process.memoryUsage().rss
    const cpu = cpuMs()
    const started = performance.now()
    await drain(await send(target, body, headers))
    return {
      ms: performance.now() - started,
      cpu: cpuMs() - cpu,
      grown: (process.memoryUsage().rss - memory) / 1e6,
    }
  }
  /** Ours beside a body that is only read, of these chunks. */
  const read = async (chunks: readonly Uint8Array[], rounds: number): Promise<Pair> => {
    const transport = async (): Promise<Response> => answerOf(chunks)
    bench.transport = transport
    const { ours, beside } = await inTurns(
      bench.rounds(rounds),
      () => spent(fetch),
      () => spent(transport),
    )
    bench.transport = bench.realFetch
    return pairOf(ours, beside)
  }

  const long = Buffer.from(
    HEAD + DELTA.repeat(Math.ceil((megabytes * 1e6) / DELTA.length)) + tailOf(),
  )
  const inChunks = await read(cut(long, CHUNK), 15)
  const events = bench.isQuick ? 20_000 : 100_000
  const one = Buffer.from(DELTA)
  const apart = await read(
    [Buffer.from(HEAD), ...Array.from({ length: events }, () => one), Buffer.from(tailOf())],
    9,
  )
  bench.rows.push(
    {
      name: `${megabytes} MB in 16 kB chunks, CPU`,
      ...inChunks('cpu'),
      unit: 'ms',
      target: (20 * megabytes) / LONG_MB,
    },
    {
      name: `${events} events, one in a chunk, time`,
      ...apart('ms'),
      unit: 'ms',
      target: 1.5,
      of: 'ratio',
    },
    { name: `${events} events, one in a chunk, CPU`, ...apart('cpu'), unit: 'ms' },
  )
  const endOf = async (size: number): Promise<Pair> =>
    read(cut(Buffer.from(HEAD + DELTA + tailOf('words '.repeat(size / 6))), PACKET), 7)
  const small = (await endOf(2e6))('ms')
  bench.rows.push({
    name: 'last event of 2 MB in 1.4 kB pieces, time',
    ...small,
    unit: 'ms',
  })
  bench.rows.push({
    name: 'last event of 8 MB in 1.4 kB pieces, time (beside: of 2 MB)',
    ...(await endOf(8e6))('ms'),
    plain: small.ours,
    unit: 'ms',
    // Four times as much.
    target: 5,
    of: 'ratio',
  })

  const plain: Fetch = (_url, init) =>
    bench.realFetch(`${bench.upstream}/backend-api/codex/responses`, init)
  const size = { [SIZE_HEADER]: String(megabytes) }
  const { ours, beside } = await inTurns(
    bench.rounds(15),
    () => spent(fetch, size),
    () => spent(plain, size),
  )
  const row = pairOf(ours, beside)
  const name = `${megabytes} MB over loopback`
  bench.rows.push(
    { name: `${name}, time`, ...row('ms'), unit: 'ms', target: 1.1, of: 'ratio' },
    { name: `${name}, CPU`, ...row('cpu'), unit: 'ms' },
    { name: `${name}, growth of memory`, ...row('grown'), unit: 'MB', target: 1 },
  )
  await dispose()
}

type Pair = (key: keyof Spent) => Figures & { readonly plain: number }

const pairOf =
  (ours: readonly Spent[], beside: readonly Spent[]): Pair =>
  (key) => ({
    ...figuresOf(ours.map((one) => one[key])),
    plain: median(beside.map((one) => one[key])),
  })

const cut = (bytes: Uint8Array, size: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  )

function answerOf(chunks: readonly Uint8Array[]): Response {
  let next = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks[next]
      next += 1
      if (chunk === undefined) controller.close()
      else controller.enqueue(chunk)
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
}
