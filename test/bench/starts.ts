import { statSync } from 'node:fs'
import path from 'node:path'

import { childEnv, homeOf, type Outside } from './processes.js'
import { goodAccount, median } from './support.js'

/** What a fresh process says of its start. */
interface Start {
  readonly startMs: number
  readonly firstSentMs: number
  readonly answerMs: number
  readonly answered: boolean
  readonly calls: number
  readonly mb: number
  readonly grownMb: number
}
const LIMITED = 20

/** What the host pays before it shows anything, beside a process that starts nothing. */
export async function coldStart(outside: Outside): Promise<void> {
  const home = await homeOf(outside, [goodAccount()])
  const samples = await inTurns(outside, ['boot', 'nothing', 'read'], () => home)
  const of = (kind: string, key: 'startMs' | 'grownMb'): number =>
    median((samples.get(kind) ?? []).map((one) => one[key]))
  outside.rows.push(
    {
      name: 'cold start: import, factory, loader',
      ours: of('boot', 'startMs'),
      plain: of('nothing', 'startMs'),
      unit: 'ms',
      target: 10,
    },
    {
      name: 'cold start: memory',
      ours: of('boot', 'grownMb'),
      plain: of('nothing', 'grownMb'),
      unit: 'MB',
      target: 5,
      of: 'added',
    },
    {
      name: 'for comparison: memory of one import and one read, nothing of ours',
      ours: of('read', 'grownMb'),
      unit: 'MB',
    },
  )
  const ours = await filesOpened(outside, 'boot', home)
  const plain = await filesOpened(outside, 'nothing', home)
  if (ours !== undefined && plain !== undefined)
    outside.rows.push({
      name: 'cold start: files opened',
      ours,
      plain,
      unit: 'files',
      target: 5,
      of: 'added',
    })
}

/** From the start of a script until its first request reaches `fetch`, and what else a fresh process has to do at once. */
export async function firstRequest(outside: Outside): Promise<void> {
  const one = await homeOf(outside, [goodAccount()])
  const first = await inTurns(outside, ['first', 'fetch'], () => one)
  const of = (kind: string, key: 'firstSentMs' | 'mb'): { typical: number; p99: number } => {
    const values = (first.get(kind) ?? []).map((start) => start[key])
    return { typical: median(values), p99: Math.max(...values) }
  }
  const sent = of('first', 'firstSentMs')
  outside.rows.push(
    {
      name: 'fresh process: until the first request is sent',
      ours: sent.typical,
      plain: of('fetch', 'firstSentMs').typical,
      p99: sent.p99,
      unit: 'ms',
      target: outside.runtime === 'bun' ? 20 : 40,
    },
    {
      name: 'fresh process: memory after the first answer',
      ours: of('first', 'mb').typical,
      plain: of('fetch', 'mb').typical,
      unit: 'MB',
      target: 10,
      of: 'added',
    },
  )
  await failoverAtOnce(outside)
  await expiredAtOnce(outside)
}

async function failoverAtOnce(outside: Outside): Promise<void> {
  const accounts = Array.from({ length: LIMITED + 1 }, (_, index) => goodAccount(index))
  const samples = await inTurns(outside, ['failover'], () => homeOf(outside, accounts))
  const starts = samples.get('failover') ?? []
  const waits = starts.map(({ answerMs }) => answerMs)
  outside.rows.push(
    {
      name: `fresh process: past ${LIMITED} limited accounts`,
      ours: median(waits),
      p99: Math.max(...waits),
      unit: 'ms',
      target: 30,
    },
    {
      name: `fresh process: past ${LIMITED} limited accounts, upstream calls`,
      ours: Math.max(...starts.map(({ calls }) => calls)),
      unit: 'calls',
      target: LIMITED + 1,
    },
    answeredRow(`fresh process: past ${LIMITED} limited accounts, answered`, starts),
  )
}

async function expiredAtOnce(outside: Outside): Promise<void> {
  const accounts = [{ ...goodAccount(), expiresAt: 1 }]
  const samples = await inTurns(outside, ['expired', 'fetch-expired'], () =>
    homeOf(outside, accounts),
  )
  const starts = samples.get('expired') ?? []
  const waits = starts.map(({ answerMs }) => answerMs)
  outside.rows.push(
    {
      name: 'fresh process: 20 parallel on an expired token, all answered',
      ours: median(waits),
      p99: Math.max(...waits),
      plain: median((samples.get('fetch-expired') ?? []).map(({ answerMs }) => answerMs)),
      unit: 'ms',
      target: 30,
      of: 'added',
    },
    answeredRow('fresh process: 20 parallel on an expired token, answered', starts),
  )
}

const answeredRow = (name: string, starts: readonly Start[]) =>
  ({
    name,
    ours: (starts.filter(({ answered }) => answered).length * 100) / starts.length,
    unit: '%',
    target: 100,
    atLeast: true,
  }) as const

/** Fresh processes of each kind in turns; the first round fills the caches of the system and is not counted. */
async function inTurns(
  outside: Outside,
  kinds: readonly string[],
  home: () => string | Promise<string>,
): Promise<ReadonlyMap<string, readonly Start[]>> {
  const samples = new Map<string, Start[]>(kinds.map((kind) => [kind, []]))
  for (let round = 0; round <= outside.rounds(24); round += 1) {
    for (const [kind, list] of samples) {
      const start = JSON.parse(
        await outside.run(childArgs(outside, kind), envOf(await home())),
      ) as Start
      if (round > 0) list.push(start)
    }
  }
  return samples
}

const childArgs = (outside: Outside, kind: string): string[] => [
  outside.script('start-child'),
  path.join(outside.dist, 'index.js'),
  kind,
]

/** Files opened by a process with success, or undefined where they cannot be counted. */
async function filesOpened(
  outside: Outside,
  kind: string,
  home: string,
): Promise<number | undefined> {
  const { calls } = await outside.traced(['open', 'openat'], childArgs(outside, kind), envOf(home))
  return calls?.filter(
    ({ file, result }) => result >= 0 && !/^\/(?:proc|sys|dev)\//.test(file) && !isFolder(file),
  ).length
}

const isFolder = (file: string): boolean =>
  statSync(file, { throwIfNoEntry: false })?.isDirectory() === true

const envOf = (home: string): Record<string, string> => ({
  ...childEnv(home),
  BENCH_CAPTURE: process.env.BENCH_CAPTURE ?? '',
  BENCH_LIMITED: String(LIMITED),
})
