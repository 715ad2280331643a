import * as s from '../kernel/shape.js'

import {
  boundedEvents,
  isEventName,
  type Moments,
  nameOfEvent,
  type PoolEvent,
} from '../history/pool-events.js'
import type { Clock } from '../kernel/clock.js'
import { createStateFile } from '../kernel/files/state-file.js'
import type { Logger } from '../kernel/logger.js'
import { goodEntries } from '../kernel/text/odd-values.js'

const fileSchema = s.object({ version: s.literal(1), shown: goodEntries(s.number()).catch({}) })

/** Other windows must learn of a message before they would show it themselves, ms. */
const WRITE_DELAY_MS = 20
const KEEP_MS = 60 * 60_000

/** A message on its way to the file; lost when another window is seen to have shown it first. */
interface Claim {
  readonly key: string
  readonly atMs: number
  readonly withinMs: number
  isLost: boolean
}

/** What all windows of the user share of their messages. */
export type SharedGate = ReturnType<typeof createSharedGate>

/** A gate for all windows of the user: what one has shown the others keep to themselves. And what happened in them. */
export function createSharedGate(deps: { file: string; clock: Clock; log: Logger }) {
  const { clock } = deps
  const open = new Set<Claim>()
  /** Ends of what this window has told of and is not over. */
  const ends = new Set<() => void>()
  const state = createStateFile<Moments>({
    ...deps,
    initial: {},
    parse: (text) => fileSchema.parse(JSON.parse(text)).shown,
    format(shown) {
      // In the file from here on, where nobody takes it back: what the file says of the message is ours.
      open.clear()
      return JSON.stringify({ version: 1, shown })
    },
    merge: (ours, theirs) => {
      for (const claim of open)
        claim.isLost ||= Math.abs((theirs[claim.key] ?? -Infinity) - claim.atMs) < claim.withinMs
      return merged(ours, theirs, clock.now())
    },
    delayMs: WRITE_DELAY_MS,
    watch: true,
  })
  const put = (name: string, atMs: number): void =>
    state.set(merged({ ...state.current(), [name]: atMs }, {}, clock.now()))
  return {
    /**
     * True for the first caller within the time, in any window: of two at the same moment the one who writes first, which
     * the lock of the file decides. The same sentence with another number is the same message: the key tells.
     */
    async claim(key: string, withinMs: number): Promise<boolean> {
      const atMs = clock.now()
      if (isRecent(state.current()[key], atMs, withinMs)) return false
      const claim: Claim = { key, atMs, withinMs, isLost: false }
      open.add(claim)
      put(key, atMs)
      await state.flush()
      open.delete(claim)
      return !claim.isLost
    },
    /**
     * Tells all windows what happened; costs no wait.
     * @returns says that it is over before its time
     */
    note(event: PoolEvent): () => void {
      const name = nameOfEvent(event)
      put(name, event.atMs)
      const end = (): void => {
        if (ends.delete(end)) put(name, Math.max(clock.now(), event.atMs + 1))
      }
      if (event.kind === 'wait') ends.add(end)
      return end
    },
    load: () => state.load(),
    async close(): Promise<void> {
      // Nobody waits in a window that is closed.
      for (const end of ends) end()
      await state.close()
    },
  }
}

function isRecent(lastMs: number | undefined, nowMs: number, withinMs: number): boolean {
  return lastMs !== undefined && nowMs >= lastMs && nowMs - lastMs < withinMs
}

/** Both together, the later moment of each. Messages long over are forgotten, and of the events the oldest. Pure. */
function merged(ours: Moments, theirs: Moments, nowMs: number): Moments {
  const messages: Record<string, number> = {}
  const events: Record<string, number> = {}
  for (const [key, at] of [...Object.entries(ours), ...Object.entries(theirs)]) {
    const both = isEventName(key) ? events : messages
    if (both === events || (nowMs - at < KEEP_MS && at <= nowMs))
      both[key] = Math.max(at, both[key] ?? 0)
  }
  return { ...messages, ...boundedEvents(events, nowMs) }
}
