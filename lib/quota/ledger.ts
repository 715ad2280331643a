import type { Clock } from '../kernel/clock.js'
import type { Logger } from '../kernel/logger.js'
import { createStateFile } from '../kernel/files/state-file.js'
import type { Block, QuotaWindow } from '../routing/limits.js'
import {
  type AccountQuota,
  formatLedger,
  isWorthTelling,
  type LedgerState,
  mergedLedgers,
  parseLedger,
  withBlock,
  withoutBlocks,
  withoutReadings,
  withAlerts,
  withReading,
} from './ledger-state.js'
import type { Alert } from './alerts.js'
import type { QuotaReading } from './readings.js'

/** Blocks that come together are gathered this long before they are written, ms. */
const WRITE_DELAY_MS = 20

const NO_BLOCKS: readonly Block[] = []
const NO_WINDOWS: Readonly<Record<string, readonly QuotaWindow[]>> = {}

/**
 * What is known about quota and blocks, shared by all processes and the TUI through a file. Reading and changing it costs
 * memory only; the file follows (blocks, levels and first readings at once, other readings calmly), and the changes of
 * others arrive by a watch.
 */
export type QuotaLedger = ReturnType<typeof createQuotaLedger>

/** Creates the ledger; nothing is read before `load`. */
export function createQuotaLedger(deps: {
  readonly file: string
  readonly clock: Clock
  readonly log: Logger
  readonly watch?: boolean
  /** Hears of every reading; called on the request path, so it must neither wait nor write. */
  readonly onReading?: (uid: string, reading: QuotaReading, nowMs: number) => void
  /** A window came down to a level the user has not been told of. */
  readonly onAlert?: (uid: string, alert: Alert) => void
}) {
  const { clock } = deps
  const state = createStateFile<LedgerState>({
    ...deps,
    initial: {},
    parse: parseLedger,
    format: formatLedger,
    merge: (ours, theirs) => mergedLedgers(ours, theirs, clock.now()),
    delayMs: WRITE_DELAY_MS,
  })
  return {
    /** Blocks of an account that are in force. */
    activeBlocks(uid: string, nowMs: number): readonly Block[] {
      const blocks = state.current()[uid]?.blocks
      if (blocks === undefined || blocks.length === 0) return NO_BLOCKS
      const isActive = (block: Block): boolean => block.untilMs > nowMs
      return blocks.every(isActive) ? blocks : blocks.filter(isActive)
    },
    /** Windows as last read, by limit id; one whose reset has passed is left out: it says nothing any more. */
    windowsByLimit(uid: string, nowMs: number): Readonly<Record<string, readonly QuotaWindow[]>> {
      const limits = state.current()[uid]?.limits
      if (limits === undefined) return NO_WINDOWS
      const result: Record<string, readonly QuotaWindow[]> = {}
      for (const [id, { windows }] of Object.entries(limits)) {
        const valid = windows.filter(({ resetsAtMs = Infinity }) => resetsAtMs > nowMs)
        if (valid.length > 0) result[id] = valid
      }
      return result
    },
    hasCredits(uid: string): boolean {
      const credits = state.current()[uid]?.credits
      return credits !== undefined && (credits.unlimited || credits.hasCredits)
    },
    /** Everything known about an account. */
    of: (uid: string): AccountQuota | undefined => state.current()[uid],
    observe(uid: string, reading: QuotaReading, nowMs: number): void {
      const before = state.current()
      const read = withReading(before, uid, reading, nowMs)
      const { state: next, alerts } = withAlerts(read, uid, nowMs)
      const after = next[uid]
      const isUrgent = after !== undefined && isWorthTelling(before[uid], after)
      state.set(next, isUrgent ? 'soon' : 'calmly')
      deps.onReading?.(uid, reading, nowMs)
      for (const alert of alerts) deps.onAlert?.(uid, alert)
    },
    block: (uid: string, block: Block) => state.set(withBlock(state.current(), uid, block)),
    /** Lifts the blocks of an account (all, or one scope), for the user. */
    clear(uid: string, nowMs: number, scope?: string): void {
      const lifted = withoutBlocks(state.current(), uid, scope, nowMs)
      state.set(scope === undefined ? withoutReadings(lifted, uid, nowMs) : lifted)
    },
    load: () => state.load(),
    /** Writes what is still unwritten. */
    flush: () => state.flush(),
    close: () => state.close(),
  }
}
