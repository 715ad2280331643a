import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { type Ended, endOf, startProcess } from '../../support/child-process.js'
import type { Bundles } from './bundles.js'
import type { FaultHome } from './home.js'
import type { Operation } from './operations.js'

const KILLS = ['kill-before', 'kill-after', 'kill-half'] as const
const ERRORS = ['ENOSPC', 'EROFS', 'EIO', 'EACCES', 'EMFILE'] as const

/** What happens at a point. */
export interface Fault {
  readonly what: (typeof KILLS)[number] | (typeof ERRORS)[number]
  /** `on`: from that point on. */
  readonly span: 'once' | 'on'
}

/** One change that an operation makes to its home. */
export interface Point {
  readonly n: number
  readonly op: string
  /** From the home, without what differs from run to run. */
  readonly path: string
}

/** A run with its list of points. */
export interface FaultedRun extends Ended {
  readonly points: readonly Point[]
  /** At the fault a refresh token was spent, or about to be, and its successor was on no disk yet. */
  readonly isBetweenAnswerAndDisk: boolean
}

/** Many times longer than any wait of the product, also on a machine with much else to do, ms; what takes longer hangs. */
const HANGS_AFTER_MS = 600_000

/** Which operations an error code can meet; the shim has the same table for what happens from a point on. */
const MEETS: Readonly<Record<(typeof ERRORS)[number], readonly string[]>> = {
  ENOSPC: ['open', 'write', 'mkdir', 'fsync', 'link'],
  EMFILE: ['open'],
  EACCES: ['open', 'mkdir', 'rename', 'unlink', 'rmdir', 'chmod', 'utimes', 'truncate', 'link'],
  EROFS: [
    'open',
    'write',
    'mkdir',
    'rename',
    'unlink',
    'rmdir',
    'chmod',
    'utimes',
    'truncate',
    'link',
  ],
  EIO: [
    'open',
    'write',
    'mkdir',
    'rename',
    'fsync',
    'unlink',
    'rmdir',
    'chmod',
    'utimes',
    'truncate',
    'link',
  ],
}

/** Every fault that can happen at a point. */
export function faultsAt({ op }: Point): Fault[] {
  const kills = KILLS.filter((what) => what !== 'kill-half' || op === 'write')
  const errors = ERRORS.filter((what) => MEETS[what].includes(op))
  return [
    ...kills.map((what) => ({ what, span: 'once' as const })),
    ...errors.flatMap((what) => [
      { what, span: 'once' as const },
      { what, span: 'on' as const },
    ]),
  ]
}

/** Runs an operation in a home; with a fault it is killed or disturbed at that point. */
export async function runWithFault(
  bundles: Bundles,
  operation: Operation,
  home: FaultHome,
  at?: { readonly n: number; readonly fault: Fault },
): Promise<FaultedRun> {
  const report = path.join(home.outside, 'points.jsonl')
  const env = {
    ...home.env,
    ...operation.env,
    POINTS_ROOT: home.home,
    POINTS_REPORT: report,
    ...(at === undefined
      ? {}
      : { POINTS_AT: String(at.n), POINTS_FAULT: at.fault.what, POINTS_SPAN: at.fault.span }),
  }
  const program = operation.program === 'cli' ? bundles.cli : bundles.window
  const running = startProcess({
    file: process.execPath,
    args: ['--require', bundles.shim, program, ...operation.args(home)],
    cwd: home.home,
    env,
  })
  const ended = await endOf(running, HANGS_AFTER_MS)
  const lines = (await readFile(report, 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
  return { ...ended, ...readReport(lines, at) }
}

const JOURNAL = /refresh\/[^/]*\.json$/

interface Line {
  readonly n?: number
  readonly op?: string
  readonly path?: string
  readonly mark?: 'token-request' | 'token-answer' | 'token-refusal'
  /** The number of a point whose change is through. */
  readonly ended?: number
}

function readReport(
  lines: readonly Line[],
  at?: { readonly n: number; readonly fault: Fault },
): Pick<FaultedRun, 'points' | 'isBetweenAnswerAndDisk'> {
  const points: Point[] = []
  /** Journal files whose intent is on the disk. */
  const begun = new Set<string>()
  /** Changes that put tokens on a disk, by number, until they are through. */
  const storing = new Set<number>()
  let asked = 0
  let unstored = 0
  let isBetween = false
  for (const { n, op = '', path: file = '', mark, ended } of lines) {
    if (mark !== undefined) asked += mark === 'token-request' ? 1 : -1
    if (mark === 'token-answer') unstored += 1
    if (ended !== undefined && storing.delete(ended)) unstored = Math.max(0, unstored - 1)
    if (n === undefined) continue
    points.push({ n, op, path: nameless(file) })
    const isIntent = op === 'rename' && JOURNAL.test(file) && !begun.has(file)
    // The intent becomes the entry by one write into the open file; where that fails, by a file of the same name anywhere.
    const isStored = JOURNAL.test(file) && (op === 'write' || (op === 'rename' && !isIntent))
    // What fails from here on was not seen coming by the intent, which was still written.
    if (n === at?.n)
      isBetween =
        asked + unstored > (isStored && at.fault.what === 'kill-after' ? 1 : 0) ||
        (at.fault.span === 'on' && (begun.size > 0 || isIntent))
    if (isIntent) begun.add(file)
    if (isStored) storing.add(n)
  }
  return { points, isBetweenAnswerAndDisk: isBetween }
}

/** A path without the numbers of a run: process ids, moments, hashes. */
function nameless(file: string): string {
  return file
    .replaceAll(/\d+-(?:[0-9a-f]{1,8}-)?(?:\d+-)?[0-9a-f]{12}/g, '*')
    .replaceAll(/\b[0-9a-f]{16,64}\b/g, '#')
    .replaceAll(/\d{8}-\d{9}(?:-[0-9a-f]{6})?/g, '@')
    .replaceAll(/\d{8}T?\d{6}\w*/g, '@')
}
