import { performance } from 'node:perf_hooks'

import { startSimulator, type Simulator } from '../../simulator/index.js'
import { send } from './host.js'
import {
  type Bench,
  bodyOf,
  canned,
  drain,
  figuresOf,
  goodAccount,
  median,
  type HomedPlugin,
} from './support.js'
import { signedIn } from '../support/records.js'

const ROOMY = [{ minutes: 300, limit: 1_000_000 }]
/** Many requests on one account, an expired token, and a thousand accounts. */
export async function load(bench: Bench): Promise<void> {
  const simulator = await startSimulator({ accounts: [{ name: 'one', windows: ROOMY }] })
  await quickRequests(bench, simulator)
  await expiredToken(bench, simulator)
  await simulator.close()
  await manyAccounts(bench)
}

const isAnswered = async (response: Response): Promise<boolean> =>
  response.status === 200 && (await response.text()).includes('response.completed')

async function quickRequests(bench: Bench, simulator: Simulator): Promise<void> {
  const { fetch, dispose } = await bench.plugin([signedIn(simulator, 'one')], simulator)
  const answers = await Promise.all(
    Array.from({ length: 120 }, async (_, index) =>
      isAnswered(await send(fetch, bodyOf(2_000), { 'session-id': `ses_${index}` })),
    ),
  )
  bench.rows.push({
    name: '120 quick requests on one account: answered',
    ours: answers.filter(Boolean).length,
    unit: 'of 120',
    target: 120,
    atLeast: true,
  })
  await dispose()
}

async function expiredToken(bench: Bench, simulator: Simulator): Promise<void> {
  simulator.changeSettings({ tokenLatencyMs: 100 })
  const waits: number[] = []
  let refreshes = 0
  let answered = 20
  for (let round = 0; round < bench.rounds(8); round += 1) {
    const { fetch, dispose } = await bench.plugin([signedIn(simulator, 'one', -1000)], simulator)
    const from = simulator.requests.length
    let tokenAnswered = 0
    let lastSent = 0
    bench.transport = (async (input: RequestInfo, init?: RequestInit) => {
      const isToken = typeof input === 'string' && input.endsWith('/oauth/token')
      if (!isToken) lastSent = performance.now()
      const response = await bench.realFetch(input, init)
      if (isToken) tokenAnswered = performance.now()
      return response
    }) as typeof globalThis.fetch
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => isAnswered(await send(fetch, bodyOf(2_000)))),
    )
    bench.transport = bench.realFetch
    waits.push(lastSent - tokenAnswered)
    answered = Math.min(answered, answers.filter(Boolean).length)
    refreshes = Math.max(
      refreshes,
      simulator.requests.slice(from).filter((request) => request.path === '/oauth/token').length,
    )
    await dispose()
  }
  bench.rows.push(
    {
      name: '20 parallel on an expired token: refreshes',
      ours: refreshes,
      unit: 'calls',
      target: 1,
    },
    {
      name: '20 parallel on an expired token: answered',
      ours: answered,
      unit: 'of 20',
      target: 20,
      atLeast: true,
    },
    {
      name: '20 parallel on an expired token: last one sent after the token came',
      ...figuresOf(waits),
      unit: 'ms',
      target: 50,
    },
  )
}

async function manyAccounts(bench: Bench): Promise<void> {
  const many = await bench.plugin(Array.from({ length: 1_000 }, (_, index) => goodAccount(index)))
  bench.transport = canned
  const body = bodyOf(2_000)
  const once = async ({ fetch }: HomedPlugin): Promise<number> => {
    const started = performance.now()
    await drain(await send(fetch, body))
    return performance.now() - started
  }
  // The core is created, with the environment of the moment, by the first request.
  await once(many)
  const few = await bench.plugin([goodAccount()])
  await once(few)
  const ofMany: number[] = []
  const ofFew: number[] = []
  const total = bench.rounds(3_000)
  for (let round = 0; round < total; round += 1) {
    const pair = [await once(many), await once(few)] as const
    if (round < total / 4) continue
    ofMany.push(pair[0])
    ofFew.push(pair[1])
  }
  bench.transport = bench.realFetch
  bench.rows.push(
    {
      name: 'one request with 1,000 accounts (beside: with one)',
      ...figuresOf(ofMany),
      plain: median(ofFew),
      unit: 'ms',
      target: 1.2,
      of: 'ratio',
    },
    { name: 'factory and loader with 1,000 accounts', ours: many.loaderMs, unit: 'ms', target: 15 },
  )
  await many.dispose()
  await few.dispose()
}
