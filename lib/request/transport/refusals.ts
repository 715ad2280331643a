import * as s from '../../kernel/shape.js'

import type { Clock } from '../../kernel/clock.js'
import { createStateFile } from '../../kernel/files/state-file.js'
import type { Logger } from '../../kernel/logger.js'
import { goodEntries, moment } from '../../kernel/text/odd-values.js'

/** What an account's way to the backend may refuse. */
type Extra = 'websocket' | 'zstd'

/** A refusal and how long it is believed. */
interface Refusal {
  /** Epoch ms. */
  readonly untilMs: number
  /** Refusals in a row. */
  readonly times: number
}

type Refusals = ReadonlyMap<string, Refusal>

/** After the first refusal the next try is this far away, ms; each further one in a row takes four times as long. */
const FIRST_PAUSE_MS = 10 * 60_000
/** A network or a backend changes: nothing is believed for longer than this, ms. */
export const LONGEST_PAUSE_MS = 24 * 3_600_000
const WRITE_DELAY_MS = 1_000

const fileSchema = s.looseObject({
  version: s.literal(1),
  refused: goodEntries(s.object({ untilMs: moment, times: s.int({ min: 1, max: 1_000 }) })).catch(
    {},
  ),
})

/** What accounts were refused, in all windows and across starts. */
export interface RefusalMemory {
  /** True while a refusal is believed. */
  isRefused(uid: string, extra: Extra): boolean
  refused(uid: string, extra: Extra): void
  /** It works. */
  accepted(uid: string, extra: Extra): void
  load(): Promise<void>
  close(): Promise<void>
}

/** Creates the memory over its file; nothing is read before `load`. */
export function createRefusalMemory(deps: {
  readonly file: string
  readonly clock: Clock
  readonly log: Logger
}): RefusalMemory {
  const { clock } = deps
  const state = createStateFile<Refusals>({
    ...deps,
    initial: new Map(),
    parse: (text) => new Map(Object.entries(fileSchema.parse(JSON.parse(text)).refused)),
    format: (refusals) =>
      JSON.stringify({ version: 1, refused: Object.fromEntries(inForce(refusals, clock.now())) }),
    merge: (ours, theirs) => new Map([...theirs, ...ours]),
    delayMs: WRITE_DELAY_MS,
  })
  const keyOf = (uid: string, extra: Extra): string => `${extra} ${uid}`
  return {
    isRefused(uid, extra) {
      const { untilMs = 0 } = state.current().get(keyOf(uid, extra)) ?? {}
      return untilMs > clock.now() && untilMs <= clock.now() + LONGEST_PAUSE_MS
    },
    refused(uid, extra) {
      const key = keyOf(uid, extra)
      const times = (state.current().get(key)?.times ?? 0) + 1
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 4 ** (times - 1))
      state.set(new Map(state.current()).set(key, { untilMs: clock.now() + pauseMs, times }))
    },
    accepted(uid, extra) {
      const key = keyOf(uid, extra)
      const known = state.current().get(key)
      // Kept with its end in the past: a merge with the file would bring a deleted one back.
      if (known !== undefined && known.untilMs !== 0)
        state.set(new Map(state.current()).set(key, { untilMs: 0, times: 1 }))
    },
    load: () => state.load(),
    close: () => state.close(),
  }
}

/** Without those long over, so that the file does not grow. */
function inForce(refusals: Refusals, nowMs: number): Refusals {
  return new Map(
    [...refusals].filter(([, { untilMs }]) => untilMs === 0 || untilMs > nowMs - LONGEST_PAUSE_MS),
  )
}
