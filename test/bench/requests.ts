import { performance } from 'node:perf_hooks'

import { type Fetch, send } from './host.js'
import {
  type Bench,
  canned,
  cannedWithQuota,
  cpuMs,
  drain,
  type Figures,
  figuresOf,
  goodAccount,
  inTurns,
  median,
  promptOf,
  SESSION,
  textOf,
} from './support.js'

const BATCH = 200
const PARALLEL = 50

/** What requests cost beside the wait for the backend: CPU, time on the loopback, and many at once; beside, `fetch` alone. */
export async function requests(bench: Bench): Promise<void> {
  const { fetch, dispose } = await bench.plugin([goodAccount()])
  await cpuOfRequests(bench, fetch)
  const plain: Fetch = (_url, init) =>
    bench.realFetch(`${bench.upstream}/backend-api/codex/responses`, init)
  await overLoopback(bench, fetch, plain)
  await parallel(bench, fetch, plain)
  await dispose()
}

/** Bodies of 2 kB in one session, of which no two are equal. */
function prompts(): () => string {
  const prompt = promptOf(2_000)
  let count = 0
  return () => {
    count += 1
    const words = { role: 'user', content: [{ type: 'input_text', text: `And number ${count}?` }] }
    return textOf({ ...prompt, input: [...prompt.input, words] }, 'Latin')
  }
}

/** Without a network, which costs far more than all of it; with an answer that is short, and with one that speaks of quota. */
async function cpuOfRequests(bench: Bench, fetch: Fetch): Promise<void> {
  const next = prompts()
  const once = async (target: Fetch): Promise<number> => {
    const bodies = Array.from({ length: BATCH }, next)
    const before = cpuMs()
    for (const body of bodies) await drain(await send(target, body))
    return ((cpuMs() - before) * 1_000) / BATCH
  }
  const plain: Fetch = (url, init) => globalThis.fetch(url, init)
  for (const [name, answer] of [
    ['short answer', canned],
    ['answer with quota', cannedWithQuota],
  ] as const) {
    bench.transport = answer
    const { ours, beside } = await inTurns(
      bench.rounds(30),
      () => once(fetch),
      () => once(plain),
    )
    bench.rows.push({
      name: `CPU of a 2 kB request, without a network, ${name}`,
      ...figuresOf(ours),
      plain: median(beside),
      unit: 'µs',
      target: 120,
    })
  }
  bench.transport = bench.realFetch
}

async function overLoopback(bench: Bench, fetch: Fetch, plain: Fetch): Promise<void> {
  const next = prompts()
  const once = async (target: Fetch): Promise<{ first: number; all: number }> => {
    const body = next()
    const started = performance.now()
    const response = await send(target, body)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    const first = performance.now() - started
    while (!(await reader.read()).done);
    return { first, all: performance.now() - started }
  }
  const { ours, beside } = await inTurns(
    bench.rounds(800),
    () => once(fetch),
    () => once(plain),
  )
  const row = (key: 'first' | 'all'): Figures & { readonly plain: number } => ({
    ...figuresOf(ours.map((one) => one[key])),
    plain: median(beside.map((one) => one[key])),
  })
  bench.rows.push(
    { name: 'first byte', ...row('first'), unit: 'ms', target: 0.3, of: 'added' },
    { name: '2 kB over loopback, in all', ...row('all'), unit: 'ms', target: 0.3 },
  )
}

async function parallel(bench: Bench, fetch: Fetch, plain: Fetch): Promise<void> {
  const prompt = promptOf(200_000)
  let sessions = 0
  const once = async (target: Fetch): Promise<{ ms: number; stall: number; cpu: number }> => {
    const bodies = Array.from({ length: PARALLEL }, () => {
      sessions += 1
      const session = `${SESSION}_${sessions}`
      return { session, text: textOf(prompt, 'Latin', session) }
    })
    const cpu = cpuMs()
    const started = performance.now()
    let last = started
    let stall = 0
    const look = (): void => {
      const now = performance.now()
      stall = Math.max(stall, now - last - 1)
      last = now
    }
    const timer = setInterval(look, 1)
    await Promise.all(
      bodies.map(async ({ session, text }) =>
        drain(await send(target, text, { 'session-id': session })),
      ),
    )
    const ms = performance.now() - started
    // A loop that was blocked to the very end never ran the timer: that is the longest stall, not none.
    look()
    clearInterval(timer)
    return { ms, stall, cpu: cpuMs() - cpu }
  }
  const { ours, beside } = await inTurns(
    bench.rounds(15),
    () => once(fetch),
    () => once(plain),
  )
  const row = (key: 'ms' | 'stall' | 'cpu'): Figures & { readonly plain: number } => ({
    ...figuresOf(ours.map((one) => one[key])),
    plain: median(beside.map((one) => one[key])),
  })
  bench.rows.push(
    { name: '50 parallel 200 kB requests', ...row('ms'), unit: 'ms', target: 1.25, of: 'ratio' },
    { name: '50 parallel, longest stall', ...row('stall'), unit: 'ms', target: 5, of: 'added' },
    { name: '50 parallel, CPU', ...row('cpu'), unit: 'ms', target: 1.5, of: 'ratio' },
  )
}
