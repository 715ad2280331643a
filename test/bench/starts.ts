import { statSync } from 'node:fs'
import path from 'node:path'

import { childEnv, homeOf, type Outside, sealedHomeOf } from './processes.js'
import { type Figures, figuresOf, goodAccount, median } from './support.js'

/** What a fresh process says of its start. */
interface Start {
  readonly startMs: number
  readonly firstSentMs: number
  readonly firstSentCpuMs: number
  readonly answerMs: number
  readonly endMs: number
  readonly answered: boolean
  readonly calls: number
  readonly mb: number
  readonly grownMb: number
}
type Measure = Exclude<keyof Start, 'answered' | 'calls'>

const LIMITED = 20
/** After the kind of a start: in a process that has loaded what the host has. */
const IN_HOST = ' in-host'

/** What the host pays before it shows anything, beside a process that starts nothing. */
export async function coldStart(outside: Outside): Promise<void> {
  const home = await homeOf(outside, [goodAccount()])
  const samples = await inTurns(outside, ['boot', 'nothing', 'read'], () => home)
  const of = (kind: string, key: Measure): Figures => figuresOf(valuesOf(samples, kind, key))
  outside.rows.push(
    {
      name: 'cold start: import, factory, loader',
      ...of('boot', 'startMs'),
      plain: of('nothing', 'startMs').ours,
      unit: 'ms',
      target: 10,
    },
    {
      name: 'cold start: memory',
      ...of('boot', 'grownMb'),
      plain: of('nothing', 'grownMb').ours,
      unit: 'MB',
      target: 5,
      of: 'added',
    },
    {
      name: 'for comparison: memory of one import and one read, nothing of ours',
      ...of('read', 'grownMb'),
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
  const kinds = ['first', 'fetch', `first${IN_HOST}`, `fetch${IN_HOST}`]
  const samples = await inTurns(outside, kinds, () => one)
  const of = (key: Measure, where = ''): Figures & { readonly plain: number } => ({
    ...figuresOf(valuesOf(samples, `first${where}`, key)),
    plain: median(valuesOf(samples, `fetch${where}`, key)),
  })
  outside.rows.push(
    {
      name: 'fresh process: until the first request is sent',
      ...of('firstSentMs'),
      unit: 'ms',
      target: outside.runtime === 'bun' ? 20 : 40,
    },
    {
      name: 'fresh process: CPU until the first request is sent',
      ...of('firstSentCpuMs'),
      unit: 'ms',
    },
    {
      name: 'fresh process: memory after the first answer',
      ...of('mb'),
      unit: 'MB',
      target: 10,
      of: 'added',
    },
    {
      name: 'fresh process: the end right after the first answer',
      ...figuresOf(valuesOf(samples, 'first', 'endMs')),
      unit: 'ms',
      target: 10,
    },
  )
  const inHost = 'for comparison, modules of the host loaded before'
  outside.rows.push(
    {
      name: `${inHost}: until the first request is sent`,
      ...of('firstSentMs', IN_HOST),
      unit: 'ms',
    },
    { name: `${inHost}: memory after the first answer`, ...of('mb', IN_HOST), unit: 'MB' },
  )
  // Elsewhere the keychain is asked through another program, whose time is its own affair.
  if (outside.runtime === 'bun') {
    const { home, secrets } = await sealedHomeOf(outside, [goodAccount()])
    const sealed = await inTurns(outside, ['first', 'fetch'], () => home, secrets)
    outside.rows.push({
      name: 'fresh process, sealed accounts: until the first request is sent',
      ...figuresOf(valuesOf(sealed, 'first', 'firstSentMs')),
      plain: median(valuesOf(sealed, 'fetch', 'firstSentMs')),
      unit: 'ms',
    })
  }
  const accounts = Array.from({ length: LIMITED + 1 }, (_, index) => goodAccount(index))
  const limited = await atOnce(outside, 'failover', accounts)
  const name = `fresh process: past ${LIMITED} limited accounts`
  outside.rows.push(
    { name, ...limited.waits, unit: 'ms', target: 30 },
    {
      name: `${name}, upstream calls`,
      ours: Math.max(...limited.starts.map(({ calls }) => calls)),
      unit: 'calls',
      target: LIMITED + 1,
    },
    { name: `${name}, answered`, ...limited.answered },
  )
  const expired = await atOnce(outside, 'expired', [{ ...goodAccount(), expiresAt: 1 }])
  const parallel = 'fresh process: 20 parallel on an expired token'
  outside.rows.push(
    {
      name: `${parallel}, until all are answered`,
      ...expired.waits,
      unit: 'ms',
      target: 30,
      of: 'added',
    },
    { name: `${parallel}, answered`, ...expired.answered },
  )
}

/** From the start of the loader's answer to the end of all, each time in a home that knows nothing yet; beside, `fetch` alone. */
async function atOnce(outside: Outside, kind: string, accounts: readonly object[]) {
  const plain = `fetch-${kind}`
  const samples = await inTurns(outside, [kind, plain], () => homeOf(outside, accounts))
  const starts = samples.get(kind) ?? []
  const answered = starts.filter((start) => start.answered).length
  return {
    starts,
    waits: {
      ...figuresOf(valuesOf(samples, kind, 'answerMs')),
      plain: median(valuesOf(samples, plain, 'answerMs')),
    },
    answered: { ours: (answered * 100) / starts.length, unit: '%', target: 100, atLeast: true },
  } as const
}

const valuesOf = (samples: Samples, kind: string, key: Measure): readonly number[] =>
  (samples.get(kind) ?? []).map((start) => start[key])

type Samples = ReadonlyMap<string, readonly Start[]>

/** Fresh processes of each kind in turns; the first round fills the caches of the system and is not counted. */
async function inTurns(
  outside: Outside,
  kinds: readonly string[],
  home: () => string | Promise<string>,
  secrets?: Readonly<Record<string, string>>,
): Promise<Samples> {
  const samples = new Map<string, Start[]>(kinds.map((kind) => [kind, []]))
  for (let round = 0; round <= outside.rounds(24); round += 1) {
    for (const [kind, list] of samples) {
      const start = JSON.parse(
        await outside.run(childArgs(outside, kind), {
          ...envOf(await home()),
          ...(secrets === undefined ? {} : { BENCH_SECRETS: JSON.stringify(secrets) }),
        }),
      ) as Start
      if (round > 0) list.push(start)
    }
  }
  return samples
}

const childArgs = (outside: Outside, kind: string): string[] => [
  outside.script('start-child'),
  path.join(outside.dist, 'index.js'),
  ...kind.split(' '),
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
