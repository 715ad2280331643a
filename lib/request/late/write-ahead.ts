import { isMainThread } from 'node:worker_threads'

import type { RequestRuntime } from '../run.js'

/** From the end of an answer to the write, ms: what the host does of its own comes first. */
const PAUSE_MS = 20

interface Writes {
  readonly sinceMs: number
  lastMs: number
  timer?: NodeJS.Timeout
}

/** Of each plugin instance that answers in an `opencode run`. */
const writesOf = new WeakMap<object, Writes>()

/**
 * Behind an answer of `opencode run`, writes what would else be written calmly: such a process ends some hundred ms after its
 * last answer, and its end would wait for that (docs/development/facts/opencode-host.md#plugin-loading). Seldom in a long run:
 * never before the time since the first answer has doubled.
 */
export function writeAhead(
  { ledger, history, sessions }: Pick<RequestRuntime, 'ledger' | 'history' | 'sessions'>,
  isSingleRun: boolean = isRun(),
): void {
  if (!isSingleRun) return
  const nowMs = performance.now()
  const writes = writesOf.get(ledger) ?? { sinceMs: nowMs, lastMs: nowMs }
  writesOf.set(ledger, writes)
  if (nowMs - writes.sinceMs < 2 * (writes.lastMs - writes.sinceMs)) return
  clearTimeout(writes.timer)
  writes.timer = setTimeout(() => {
    writes.lastMs = performance.now()
    for (const one of [ledger, history, sessions]) void one.flush()
  }, PAUSE_MS).unref()
}

function isRun(): boolean {
  return isMainThread && process.argv.includes('run')
}
