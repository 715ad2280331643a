import { plainText } from '../kernel/text/plain-text.js'
import { isRecord, parsedJson } from '../kernel/text/json.js'

/**
 * What the windows of the user tell each other through the file of notices: who took over and why, and who waits until
 * when. An event is a name among those of the messages that were shown, `event {…}`, and its value the moment of its last
 * change: a version that knows no events, or not this kind, takes it for a message and keeps it.
 */
export type PoolEvent =
  | {
      readonly kind: 'switch'
      readonly atMs: number
      readonly session?: string
      readonly from: string
      readonly to: string
      /** Why the first one does not serve, as it follows its name: `is at its weekly limit until 14:20`. */
      readonly why: string
    }
  | {
      readonly kind: 'wait'
      readonly atMs: number
      readonly session?: string
      /** When the wait ends, or ended; a moment that has passed: it is over. */
      readonly untilMs: number
    }

/** Names and moments of the file. */
export type Moments = Readonly<Record<string, number>>

const PREFIX = 'event '
/** Events that are kept, of all windows. */
const MAX_EVENTS = 40
const KEEP_EVENTS_MS = 24 * 60 * 60_000
/** A longer name is not ours. */
const MAX_NAME = 1_000
const MAX_WORD = 200

/** The name an event has in the file. Pure. */
export function nameOfEvent(event: PoolEvent): string {
  const { kind, atMs, session } = event
  const who = session === undefined ? {} : { session: cut(session) }
  const said =
    event.kind === 'switch'
      ? { from: event.from, to: event.to, why: cut(plainText(event.why)) }
      : { untilMs: event.untilMs }
  return PREFIX + JSON.stringify({ kind, atMs, ...who, ...said })
}

/** True for the name of an event, of whatever kind. Pure. */
export function isEventName(name: string): boolean {
  return name.startsWith(PREFIX)
}

/** The newest events alone, those of unknown kinds among them. Pure. */
export function boundedEvents(events: Moments, nowMs: number): Moments {
  const kept = Object.entries(events)
    .filter(([name, at]) => name.length <= MAX_NAME && Math.abs(nowMs - at) < KEEP_EVENTS_MS)
    .sort(([, left], [, right]) => right - left)
  return Object.fromEntries(kept.slice(0, MAX_EVENTS))
}

/** The events in a file of notices, the oldest first; of a broken file none, and none of a kind that is not known. Pure. */
export function parseEvents(text: string): readonly PoolEvent[] {
  const file = parsedJson(text)
  if (!isRecord(file) || !isRecord(file.shown)) return []
  return Object.entries(file.shown)
    .flatMap(([name, at]) => {
      if (!isEventName(name) || name.length > MAX_NAME || typeof at !== 'number') return []
      const event = eventOf(parsedJson(name.slice(PREFIX.length)), at)
      return event === undefined ? [] : [event]
    })
    .sort((left, right) => left.atMs - right.atMs)
}

function eventOf(value: unknown, changedAtMs: number): PoolEvent | undefined {
  if (!isRecord(value) || !isMoment(value.atMs)) return undefined
  const { kind, atMs } = value
  const who = typeof value.session === 'string' ? { session: value.session } : {}
  const { from, to, why, untilMs } = value
  if (kind === 'switch' && isText(from) && isText(to) && isText(why))
    return { kind, atMs, ...who, from, to, why: plainText(why) }
  if (kind === 'wait' && isMoment(untilMs)) {
    // Changed after its begin: it ended then.
    const endsAtMs = changedAtMs > atMs ? Math.min(changedAtMs, untilMs) : untilMs
    return { kind, atMs, ...who, untilMs: endsAtMs }
  }
  return undefined
}

function isMoment(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function cut(text: string): string {
  return text.slice(0, MAX_WORD)
}
