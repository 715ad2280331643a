import path from 'node:path'

import { startSimulator } from '../../simulator/index.js'
import { signedIn } from '../support/records.js'
import { childEnv, homeOf, type Outside } from './processes.js'
import type { Row } from './support.js'

const ACCOUNTS = [1, 10, 100, 1_000] as const
const REQUESTS = 60
const SPACING_MS = 1_000
/** Readings that move with the requests and run towards no limit, so that nothing has to be told at once. */
const WINDOWS = [
  { minutes: 300, limit: 20_000 },
  { minutes: 10_080, limit: 1_000_000 },
]
/** Operations on files for a request. */
const TARGET = 0.1
/** One copy of a list of models, and what is small, kB. */
const MODEL_LIST_KB = 30

/** What is counted, by the names that systems have for it. */
const COUNTS = {
  opens: ['open', 'openat', 'openat2', 'creat'],
  fsyncs: ['fsync', 'fdatasync'],
  renames: ['rename', 'renameat', 'renameat2'],
  written: ['write', 'pwrite64', 'writev', 'pwritev', 'pwritev2'],
} as const
type Counted = keyof typeof COUNTS

/** Answers with quota headers and `codex.rate_limits` events, a second apart: what reaches the disk, as the system counts it. */
export async function disk(outside: Outside): Promise<void> {
  const sessions = await Promise.all(ACCOUNTS.map((accounts) => session(outside, accounts)))
  outside.rows.push(...sessions.flatMap(({ rows }) => rows))
  if (!sessions.every(({ isCounted }) => isCounted))
    process.stderr.write(
      'Operations on files are counted by strace, which is not here: left out.\n',
    )
}

async function session(
  outside: Outside,
  accounts: number,
): Promise<{ readonly rows: readonly Row[]; readonly isCounted: boolean }> {
  const names = Array.from({ length: accounts }, (_, index) => `a${index}`)
  const simulator = await startSimulator({
    accounts: names.map((name) => ({ name, windows: WINDOWS })),
  })
  const home = await homeOf(
    outside,
    names.map((name) => signedIn(simulator, name)),
  )
  const requests = outside.rounds(REQUESTS)
  const script = outside.script('spaced-child')
  const { output, calls } = await outside.traced(
    Object.values(COUNTS).flat(),
    [script, path.join(outside.dist, 'index.js'), `${requests}`, `${SPACING_MS}`],
    {
      ...childEnv(home),
      OC_CODEX_SIMULATOR_ISSUER: simulator.url,
      OC_CODEX_SIMULATOR_BACKEND: simulator.backend,
    },
  )
  const side = simulator.requests.filter(({ path }) => !path.endsWith('/responses')).length
  await simulator.close()
  const { from, to, answered } = JSON.parse(output) as Readonly<
    Record<'from' | 'to' | 'answered', number>
  >
  const name = accounts === 1 ? '1 account' : `${accounts} accounts`
  const rows: Row[] = [
    { name: `${name}: side requests of a session`, ours: side, unit: 'calls', target: 1 },
    {
      name: `${name}: answered, a second apart`,
      ours: answered,
      unit: `of ${requests}`,
      target: requests,
      atLeast: true,
    },
  ]
  if (calls === undefined) return { rows, isCounted: false }
  const ofFiles = calls.filter(({ file, result }) => file.startsWith(home) && result >= 0)
  const of = (what: Counted, isIn: (atMs: number) => boolean): readonly number[] => {
    const names: readonly string[] = COUNTS[what]
    return ofFiles.flatMap(({ name, atMs, result }) =>
      names.includes(name) && isIn(atMs) ? [result] : [],
    )
  }
  const bytes = (isIn: (atMs: number) => boolean): number =>
    of('written', isIn).reduce((sum, result) => sum + result, 0)
  const isSteady = (atMs: number): boolean => atMs >= from && atMs < to
  const forEach = (total: number): number => total / (requests - 1)
  rows.push(
    {
      name: `${name}: written by the start and its first request`,
      ours: bytes((atMs) => atMs < from) / 1_000,
      unit: 'kB',
      target: MODEL_LIST_KB,
    },
    {
      name: `${name}: written for each later request`,
      ours: forEach(bytes(isSteady)),
      unit: 'bytes',
    },
    ...(['opens', 'fsyncs', 'renames'] as const).map((what) => ({
      name: `${name}: ${what} for each later request`,
      ours: forEach(of(what, isSteady).length),
      unit: what,
      target: TARGET,
    })),
    {
      name: `${name}: opens, fsyncs and renames at the end`,
      ours: (['opens', 'fsyncs', 'renames'] as const).flatMap((what) =>
        of(what, (atMs) => atMs >= to),
      ).length,
      unit: 'operations',
    },
  )
  return { rows, isCounted: true }
}
