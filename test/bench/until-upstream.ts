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

const SIZES: readonly (readonly [name: string, bytes: number, count: number, targetMs: number])[] =
  [
    ['2 kB', 2_000, 4_000, 0.03],
    ['100 kB', 100_000, 400, 0.1],
    ['1 MB', 1_000_000, 100, 1],
    ['5 MB', 5_000_000, 30, 5],
    ['20 MB', 20_000_000, 12, 25],
  ]
/** The target for the slowest one in a hundred, ms. */
const P99_TARGET_MS = 0.3
/** Below this many samples a p99 is only the maximum. */
const P99_SAMPLES = 100
const WARM_SHARE = 0.25

/** From the host's call until `fetch` is entered, over a real loopback connection; beside, the same with `fetch` alone. */
export async function untilUpstream(bench: Bench): Promise<void> {
  const { fetch, dispose } = await bench.plugin([goodAccount()])
  const target = `${bench.upstream}/backend-api/codex/responses`
  let entered = 0
  bench.transport = ((input: RequestInfo, init?: RequestInit) => {
    entered = performance.now()
    return bench.realFetch(input, init)
  }) as typeof globalThis.fetch
  const plain: Fetch = (_url, init) => globalThis.fetch(target, init)
  const once = async (ask: Fetch, body: string): Promise<number> => {
    const started = performance.now()
    const response = await send(ask, body)
    const spent = entered - started
    await drain(response)
    return spent
  }
  for (const [name, bytes, count, targetMs] of SIZES) {
    const body = bodyOf(bytes)
    const ours: number[] = []
    const beside: number[] = []
    const total = bench.rounds(count)
    for (let round = 0; round < total; round += 1) {
      const pair = [await once(fetch, body), await once(plain, body)] as const
      if (round < total * WARM_SHARE) continue
      ours.push(pair[0])
      beside.push(pair[1])
    }
    const p99 = ours.length >= P99_SAMPLES ? { p99: percentile(ours, 0.99) } : {}
    bench.rows.push({
      name: `until upstream, ${name}`,
      ours: median(ours),
      plain: median(beside),
      ...p99,
      unit: 'ms',
      target: targetMs,
    })
    if (bytes === 2_000)
      bench.rows.push({
        name: `until upstream, ${name}, p99`,
        ours: percentile(ours, 0.99),
        plain: percentile(beside, 0.99),
        unit: 'ms',
        target: P99_TARGET_MS,
      })
  }
  bench.transport = bench.realFetch
  await dispose()
}
