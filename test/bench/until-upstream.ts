import { performance } from 'node:perf_hooks'

import { type Fetch, send } from './host.js'
import {
  type Bench,
  drain,
  figuresOf,
  goodAccount,
  grown,
  median,
  percentile,
  promptOf,
  textOf,
} from './support.js'

const SIZES: readonly (readonly [name: string, size: number, count: number, targetMs: number])[] = [
  ['2 kB', 2_000, 4_000, 0.02],
  ['100 kB', 100_000, 400, 0.1],
  ['1 MB', 1_000_000, 100, 0.8],
  ['5 MB', 5_000_000, 30, 4],
  ['20 MB', 20_000_000, 12, 15],
]
/** The target for the slowest one in a hundred, ms. */
const P99_TARGET_MS = 0.3
const WARM_SHARE = 0.25
/** Turns of a conversation after its first, so that it stays about as large as it was. */
const TURNS = 6

type Once = (ask: Fetch, text: string, session: string) => Promise<number>

/**
 * From the host's call until `fetch` is entered, over a real loopback connection, with a string that no request had before:
 * of a conversation that is new, and of one that grew by a turn. Beside, the same with `fetch` alone.
 */
export async function untilUpstream(bench: Bench): Promise<void> {
  const { fetch, dispose } = await bench.plugin([goodAccount()])
  const target = `${bench.upstream}/backend-api/codex/responses`
  let entered = 0
  bench.transport = ((input: RequestInfo, init?: RequestInit) => {
    entered = performance.now()
    return bench.realFetch(input, init)
  }) as typeof globalThis.fetch
  const plain: Fetch = (_url, init) => globalThis.fetch(target, init)
  const once: Once = async (ask, text, session) => {
    const started = performance.now()
    const response = await send(ask, text, { 'session-id': session })
    const spent = entered - started
    await drain(response)
    return spent
  }
  let sessions = 0
  for (const [name, size, count, targetMs] of SIZES) {
    for (const script of ['Latin', '16-bit'] as const) {
      const first = promptOf(size, script)
      let prompt = first
      const fresh: number[] = []
      const beside: number[] = []
      const later: number[] = []
      const total = bench.rounds(count)
      for (let round = 0; round < total; round += 1) {
        prompt = round % TURNS === 0 ? first : grown(prompt, script)
        const isCounted = round >= total * WARM_SHARE
        sessions += 1
        const session = `ses_new_${sessions}`
        const text = textOf(first, script, session)
        const pair = [await once(fetch, text, session), await once(plain, text, session)] as const
        if (isCounted) fresh.push(pair[0])
        if (isCounted) beside.push(pair[1])
        const same = `ses_${size}_${script}_${Math.floor(round / TURNS)}`
        const spent = await once(fetch, textOf(prompt, script, same), same)
        if (isCounted && prompt !== first) later.push(spent)
      }
      const row = (kind: string, ours: readonly number[]): void => {
        bench.rows.push({
          name: `until upstream, ${name}, ${script}, ${kind}`,
          ...figuresOf(ours),
          plain: median(beside),
          unit: 'ms',
          target: targetMs,
        })
      }
      row('new', fresh)
      row('grown', later)
      if (size === 2_000 && script === 'Latin')
        bench.rows.push({
          name: `until upstream, ${name}, p99`,
          ours: percentile(fresh, 0.99),
          plain: percentile(beside, 0.99),
          unit: 'ms',
          target: P99_TARGET_MS,
        })
    }
  }
  bench.transport = bench.realFetch
  await dispose()
  for (const script of ['Latin', '16-bit'] as const)
    bench.rows.push({
      name: `for comparison: to look once at each character of 5 MB, ${script}`,
      ...figuresOf(
        Array.from({ length: 12 }, () => lookAtAll(textOf(promptOf(5_000_000, script), script))),
      ),
      unit: 'ms',
    })
}

/** What the machine takes at least for a check that leaves nothing out, ms. */
function lookAtAll(text: string): number {
  const started = performance.now()
  let quotes = 0
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) === 34) quotes += 1
  return quotes === 0 ? Number.NaN : performance.now() - started
}
