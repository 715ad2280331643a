import type { PoolEvent } from '../history/pool-events.js'

export type SwitchEvent = Extract<PoolEvent, { kind: 'switch' }>

/** No request waits longer, ms: what says more is of another clock. */
const LONGEST_WAIT_MS = 300_000

/** Until when a request of a session waits, epoch ms; undefined when none does. Pure. */
export function waitOf(
  events: readonly PoolEvent[],
  session: string | undefined,
  nowMs: number,
): number | undefined {
  if (session === undefined) return undefined
  const last = events.findLast((event) => event.kind === 'wait' && event.session === session)
  if (last?.kind !== 'wait') return undefined
  const leftMs = last.untilMs - nowMs
  return leftMs > 0 && leftMs <= LONGEST_WAIT_MS ? last.untilMs : undefined
}

/** The last switch of a session, or of any when none is named. Pure. */
export function lastSwitchOf(
  events: readonly PoolEvent[],
  session?: string,
): SwitchEvent | undefined {
  const found = events.findLast(
    (event) => event.kind === 'switch' && (session === undefined || event.session === session),
  )
  return found?.kind === 'switch' ? found : undefined
}
