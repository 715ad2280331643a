import { isMainThread } from '../../kernel/main-thread.js'
import type { RequestRuntime } from '../run.js'

/** From the end of an answer to the write, ms: what the host does of its own comes first. */
const PAUSE_MS = 20

type Behind = Pick<RequestRuntime, 'ahead' | 'ledger' | 'history' | 'sessions'>

/**
 * Behind an answer of `opencode run`, writes what would else be written calmly: such a process ends some hundred ms after its
 * last answer, and its end would wait for that (docs/development/facts/opencode-host.md#plugin-loading). Seldom in a long run:
 * never before the time since the first answer has doubled.
 */
export function writeAhead(
  { ahead, ledger, history, sessions }: Behind,
  isSingleRun: boolean = isRun(),
): void {
  if (!isSingleRun) return
  const nowMs = performance.now()
  const sinceMs = (ahead.sinceMs ??= nowMs)
  if (nowMs - sinceMs < 2 * ((ahead.lastMs ?? sinceMs) - sinceMs)) return
  clearTimeout(ahead.timer)
  ahead.timer = setTimeout(() => {
    ahead.lastMs = performance.now()
    for (const one of [ledger, history, sessions]) void one.flush()
  }, PAUSE_MS).unref()
}

function isRun(): boolean {
  return isMainThread() && process.argv.includes('run')
}
