import * as z from 'zod'

import type { Clock } from '../kernel/clock.js'
import type { Logger } from '../kernel/logger.js'
import { goodEntries } from '../kernel/odd-values.js'
import { createStateFile } from '../kernel/state-file.js'
import type { NoticeGate } from './notices.js'

/** When each message was last shown, in any window. */
type Shown = Readonly<Record<string, number>>

const fileSchema = z.object({ version: z.literal(1), shown: goodEntries(z.number()).catch({}) })

/** Other windows must learn of a message before they would show it themselves, ms. */
const WRITE_DELAY_MS = 20
const KEEP_MS = 60 * 60_000

/** A gate for all windows of the user: what one has shown the others keep to themselves. */
export function createSharedGate(deps: {
  file: string
  clock: Clock
  log: Logger
}): NoticeGate & { load(): Promise<void>; close(): Promise<void> } {
  const { clock } = deps
  const state = createStateFile<Shown>({
    ...deps,
    initial: {},
    parse: (text) => fileSchema.parse(JSON.parse(text)).shown,
    format: (shown) => JSON.stringify({ version: 1, shown }),
    merge: (ours, theirs) => merged(ours, theirs, clock.now()),
    delayMs: WRITE_DELAY_MS,
    watch: true,
  })
  return {
    mayShow(key, nowMs, withinMs) {
      const last = state.current()[key]
      if (last !== undefined && nowMs >= last && nowMs - last < withinMs) return false
      state.set(merged({ ...state.current(), [key]: nowMs }, {}, nowMs))
      return true
    },
    load: () => state.load(),
    close: () => state.close(),
  }
}

function merged(ours: Shown, theirs: Shown, nowMs: number): Shown {
  const both: Record<string, number> = {}
  for (const [key, at] of [...Object.entries(ours), ...Object.entries(theirs)]) {
    if (nowMs - at < KEEP_MS && at <= nowMs) both[key] = Math.max(at, both[key] ?? 0)
  }
  return both
}
