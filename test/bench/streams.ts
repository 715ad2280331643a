import { performance } from 'node:perf_hooks'

import {
  type Bench,
  bodyOf,
  drain,
  type Fetch,
  goodAccount,
  median,
  percentile,
  send,
} from './support.js'

/** Tells the backend how many megabytes to send; one of the headers that the plugin passes on. */
const SIZE_HEADER = 'x-parent-session-id'

/** A long stream, the first byte, and many requests at once, each beside `fetch` alone. */
export async function streams(bench: Bench): Promise<void> {
  const { fetch, dispose } = await bench.plugin([goodAccount()])
  const plain: Fetch = (_url, init) =>
    bench.realFetch(`${bench.upstream}/backend-api/codex/responses`, init)
  await longStream(bench, fetch, plain)
  await firstByte(bench, fetch, plain)
  await parallel(bench, fetch, plain)
  await dispose()
}

async function longStream(bench: Bench, fetch: Fetch, plain: Fetch): Promise<void> {
  const megabytes = bench.isQuick ? 16 : 64
  const body = bodyOf(2_000)
  const once = async (target: Fetch): Promise<{ ms: number; cpu: number; grown: number }> => {
    const memory = process.memoryUsage().rss
    const cpu = process.cpuUsage()
    const started = performance.now()
    await drain(await send(target, body, { [SIZE_HEADER]: String(megabytes) }))
    const used = process.cpuUsage(cpu)
    return {
      ms: performance.now() - started,
      cpu: (used.user + used.system) / 1000,
      grown: (process.memoryUsage().rss - memory) / 1e6,
    }
  }
  const { ours, beside } = await inTurns(
    bench.rounds(9),
    () => once(fetch),
    () => once(plain),
  )
  const row = (key: 'ms' | 'cpu' | 'grown'): { ours: number; plain: number } => ({
    ours: median(ours.map((one) => one[key])),
    plain: median(beside.map((one) => one[key])),
  })
  bench.rows.push(
    { name: `stream of ${megabytes} MB, time`, ...row('ms'), unit: 'ms', target: 1.1, of: 'ratio' },
    { name: `stream of ${megabytes} MB, CPU`, ...row('cpu'), unit: 'ms' },
    { name: `stream of ${megabytes} MB, growth of memory`, ...row('grown'), unit: 'MB', target: 1 },
  )
}

async function firstByte(bench: Bench, fetch: Fetch, plain: Fetch): Promise<void> {
  const body = bodyOf(2_000)
  const once = async (target: Fetch): Promise<number> => {
    const started = performance.now()
    const response = await send(target, body)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    const first = performance.now() - started
    while (!(await reader.read()).done);
    return first
  }
  const { ours, beside } = await inTurns(
    bench.rounds(400),
    () => once(fetch),
    () => once(plain),
  )
  bench.rows.push({
    name: 'first byte',
    ours: median(ours),
    plain: median(beside),
    p99: percentile(ours, 0.99),
    unit: 'ms',
    target: 0.3,
    of: 'added',
  })
}

async function parallel(bench: Bench, fetch: Fetch, plain: Fetch): Promise<void> {
  const body = bodyOf(200_000)
  const once = async (target: Fetch): Promise<{ ms: number; stall: number }> => {
    const started = performance.now()
    let last = started
    let stall = 0
    const look = (): void => {
      const now = performance.now()
      stall = Math.max(stall, now - last - 1)
      last = now
    }
    const timer = setInterval(look, 1)
    await Promise.all(Array.from({ length: 50 }, async () => drain(await send(target, body))))
    const ms = performance.now() - started
    // A loop that was blocked to the very end never ran the timer: that is the longest stall, not none.
    look()
    clearInterval(timer)
    return { ms, stall }
  }
  const { ours, beside } = await inTurns(
    bench.rounds(15),
    () => once(fetch),
    () => once(plain),
  )
  const row = (key: 'ms' | 'stall'): { ours: number; plain: number } => ({
    ours: median(ours.map((one) => one[key])),
    plain: median(beside.map((one) => one[key])),
  })
  bench.rows.push(
    { name: '50 parallel 200 kB requests', ...row('ms'), unit: 'ms', target: 1.25, of: 'ratio' },
    { name: '50 parallel, longest stall', ...row('stall'), unit: 'ms', target: 10, of: 'added' },
  )
}

/** Both in turns, so that neither has the warmer machine; the first of each is not counted. */
async function inTurns<T>(
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
