import * as s from '../kernel/shape.js'

import { isRecord, parsedJson } from '../kernel/text/json.js'
import { moment } from '../kernel/text/odd-values.js'
import { plainText } from '../kernel/text/plain-text.js'

/** Another account took over. */
const switchEvent = s.object({
  kind: s.literal('switch'),
  /** Epoch ms. */
  atMs: moment,
  session: s.string().exactOptional(),
  /** The uids of the accounts. */
  from: s.string(),
  to: s.string(),
  /** In words. */
  why: s.string(),
})

/** A request waits until a limit ends; over when that moment has passed. */
const waitEvent = s.object({
  kind: s.literal('wait'),
  atMs: moment,
  session: s.string().exactOptional(),
  untilMs: s.number(),
})

const eventSchema = s.union([switchEvent, waitEvent])

/** What a window has told the others. */
export type PoolEvent = s.Infer<typeof eventSchema>
export type SwitchEvent = s.Infer<typeof switchEvent>

/** The events of the shared notices file, oldest first; what is none is left out. Pure; never throws. */
export function parsePoolEvents(text: string): readonly PoolEvent[] {
  const parsed = parsedJson(text)
  const events = isRecord(parsed) && Array.isArray(parsed.events) ? parsed.events : []
  return events
    .flatMap((event) => eventSchema.safeParse(event).data ?? [])
    .map((event) => (event.kind === 'switch' ? { ...event, why: plainText(event.why) } : event))
    .sort((left, right) => left.atMs - right.atMs)
}

/** Until when a request of a session waits, epoch ms; undefined when none does. Pure. */
export function waitOf(
  events: readonly PoolEvent[],
  session: string | undefined,
  nowMs: number,
): number | undefined {
  if (session === undefined) return undefined
  const last = events.findLast((event) => event.kind === 'wait' && event.session === session)
  return last?.kind === 'wait' && last.untilMs > nowMs ? last.untilMs : undefined
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
