import { performance } from 'node:perf_hooks'

import { startSimulator } from '../../simulator/index.js'
import { send } from './host.js'
import { type Bench, bodyOf, canned, drain, figuresOf } from './support.js'
import { signedIn } from '../support/records.js'

const FULL = [{ minutes: 300, limit: 100, used: 100 }]
const EMPTY = [{ minutes: 300, limit: 100_000 }]

interface Sample {
  readonly spent: number
  readonly calls: number
  readonly wasted: number
  readonly answered: boolean
  readonly refusedMs: number
  readonly refusedCalls: number
  readonly status: number
}

/** Accounts at their limit before one that is not; counts are the worst of all rounds, times the median. */
export async function failover(bench: Bench): Promise<void> {
  for (const [limited, targetMs] of [
    [1, 5],
    [5, 5],
    [20, 15],
  ] as const) {
    const samples: Sample[] = []
    for (let round = 0; round < bench.rounds(12); round += 1)
      samples.push(await once(bench, limited))
    const spent = samples.map((sample) => sample.spent)
    const most = (key: 'calls' | 'wasted' | 'refusedCalls'): number =>
      Math.max(...samples.map((sample) => sample[key]))
    const refused = samples.map(({ refusedMs }) => refusedMs)
    bench.rows.push(
      {
        name: `${limited} limited, then success: in the plugin`,
        ...figuresOf(spent),
        unit: 'ms',
        target: targetMs,
      },
      {
        name: `${limited} limited, then success: upstream calls`,
        ours: most('calls'),
        unit: 'calls',
        target: limited + 1,
      },
      {
        name: `${limited} limited, then success: answered`,
        ours: (samples.filter(({ answered }) => answered).length * 100) / samples.length,
        unit: '%',
        target: 100,
        atLeast: true,
      },
      {
        name: `${limited} limited and known: wasted calls`,
        ours: most('wasted'),
        unit: 'calls',
        target: 0,
      },
      {
        name: `all ${limited + 1} limited, no wait: refused (status ${samples[0]?.status ?? 0})`,
        ...figuresOf(refused),
        unit: 'ms',
        target: 20,
      },
      {
        name: `all ${limited + 1} limited and known: upstream calls`,
        ours: most('refusedCalls'),
        unit: 'calls',
        target: 0,
      },
    )
  }
}

async function once(bench: Bench, limited: number): Promise<Sample> {
  const names = Array.from({ length: limited + 1 }, (_, index) => `a${index}`)
  const simulator = await startSimulator({
    accounts: names.map((name, index) => ({ name, windows: index < limited ? FULL : EMPTY })),
  })
  const { fetch, dispose } = await bench.plugin(
    names.map((name) => signedIn(simulator, name)),
    simulator,
  )
  const body = bodyOf(2_000)
  // The first request of a process loads the core; the host has it loaded before a prompt is typed.
  bench.transport = canned
  await drain(await send(fetch, body, { 'session-id': 'ses_warm' }))
  let inUpstream = 0
  bench.transport = (async (input: RequestInfo, init?: RequestInit) => {
    const started = performance.now()
    try {
      return await bench.realFetch(input, init)
    } finally {
      inUpstream += performance.now() - started
    }
  }) as typeof globalThis.fetch
  const started = performance.now()
  const response = await send(fetch, body)
  const text = await response.text()
  const spent = performance.now() - started - inUpstream
  const calls = simulator.requests.length
  await drain(await send(fetch, body, { 'session-id': 'ses_other' }))
  const wasted = simulator.requests.length - calls - 1

  simulator.patchAccount(`a${limited}`, { windows: FULL })
  await drain(await send(fetch, body, { 'session-id': 'ses_third' }))
  const before = simulator.requests.length
  const begun = performance.now()
  const refused = await send(fetch, body, { 'session-id': 'ses_fourth' })
  await drain(refused)
  const refusedMs = performance.now() - begun
  const refusedCalls = simulator.requests.length - before
  bench.transport = bench.realFetch
  await dispose()
  await simulator.close()
  return {
    spent,
    calls,
    wasted,
    answered: response.status === 200 && text.includes('response.completed'),
    refusedMs,
    refusedCalls,
    status: refused.status,
  }
}
