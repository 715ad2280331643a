import { statSync } from 'node:fs'

import { EMPTY_POOL } from '../accounts/account.js'
import { parsePool } from '../accounts/store/pool-format.js'
import { type AffinityEntries, parseAffinity } from '../accounts/session-affinity.js'
import { MAX_FOREIGN_BYTES, readBoundedFile } from '../kernel/files/bounded-file.js'
import { watchFiles } from '../kernel/files/watch-files.js'
import { type LedgerState, parseLedger } from '../quota/ledger-state.js'
import { parseEvents } from '../history/pool-events.js'
import { type PoolView, poolView, type ViewOptions } from './pool-view.js'

/** The files the view is made of. */
export interface PoolFiles {
  readonly accounts: string
  readonly quota: string
  readonly affinity: string
  readonly notices: string
}

/** Several writes at once are answered by one read, ms. */
const SETTLE_MS = 100
/** Where no watch works (network drives, exhausted limits) the times of the files are compared this often, ms. */
const POLL_MS = 5_000

/**
 * Follows the files and hands out a new view after every change, and when a window resets or a block ends. Missing or broken
 * files count as empty: the prompt is never disturbed. Needs one stat per file and `POLL_MS` when idle.
 * @returns a function that stops it
 */
export function watchPool(
  files: PoolFiles,
  options: ViewOptions,
  onView: (view: PoolView) => void,
): () => void {
  const paths = [files.accounts, files.quota, files.affinity, files.notices]
  let stopped = false
  let seen = ''
  let turnsAtMs = Infinity

  let newest = 0

  const read = async (): Promise<void> => {
    const turn = (newest += 1)
    seen = stampsOf(paths)
    const [accounts, quota, affinity, notices] = await Promise.all(
      paths.map((file) => readBoundedFile(file, MAX_FOREIGN_BYTES).catch(() => '')),
    )
    const nowMs = Date.now()
    const parsed = parsePool(accounts ?? '')
    const view = poolView({
      pool: parsed.kind === 'pool' ? parsed.pool : EMPTY_POOL,
      ledger: attempt<LedgerState>(() => parseLedger(quota ?? ''), {}),
      holds: attempt<AffinityEntries>(() => parseAffinity(affinity ?? ''), new Map()),
      events: parseEvents(notices ?? ''),
      nowMs,
      ...options,
    })
    turnsAtMs = nextTurn(view, nowMs)
    // A read that began later has seen more.
    if (!stopped && turn === newest) onView(view)
  }
  const changes = watchFiles(paths, () => void read(), SETTLE_MS)
  changes.start()
  const poll = setInterval(() => {
    if (stampsOf(paths) !== seen || Date.now() >= turnsAtMs) void read()
  }, POLL_MS)
  poll.unref()
  void read()
  return () => {
    stopped = true
    clearInterval(poll)
    changes.close()
  }
}

/** The next moment at which the same files say something else, epoch ms. */
function nextTurn({ accounts }: PoolView, nowMs: number): number {
  const ends = accounts.flatMap(({ windows, blocks, state }) => [
    ...windows.map(({ resetsAtMs = Infinity }) => resetsAtMs),
    ...blocks.map(({ untilMs }) => untilMs),
    'untilMs' in state ? state.untilMs : Infinity,
  ])
  return Math.min(...ends.filter((atMs) => atMs > nowMs))
}

/** What cannot be looked at counts as missing: an error thrown here would end the host. */
function stampsOf(paths: readonly string[]): string {
  return paths
    .map((file) => attempt(() => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0, 0))
    .join(' ')
}

function attempt<T>(parse: () => T, otherwise: T): T {
  try {
    return parse()
  } catch {
    return otherwise
  }
}
