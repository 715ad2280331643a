/** Times for messages. No number here has more than two digits, so none can look like a status to the host. */

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Beyond this only the date counts. */
const FAR_DAYS = 60

/**
 * A stretch of time in its two largest units: `45 s`, `5 min`, `2 h 5 min`, `3 d 4 h`. Rounded up: nobody should come
 * back too early.
 * @param ms a duration in ms; below zero counts as zero
 */
export function formatDuration(ms: number): string {
  return inTwoUnits(ms, Math.ceil)
}

/**
 * How long ago something was: `12 s ago`, `2 h 5 min ago`. Rounded down: nothing is said to be older than it is.
 * @param ms an age in ms; below zero, which a clock that was set can make of it, counts as zero
 */
export function formatAge(ms: number): string {
  return `${inTwoUnits(ms, Math.floor)} ago`
}

function inTwoUnits(ms: number, round: (units: number) => number): string {
  if (ms < MINUTE_MS) return `${Math.max(1, round(ms / 1000))} s`
  if (ms >= FAR_DAYS * DAY_MS) return 'about two months or more'
  if (round(ms / MINUTE_MS) < 60) return `${round(ms / MINUTE_MS)} min`
  if (ms < DAY_MS) return twoUnits(round(ms / MINUTE_MS), 60, 'h', 'min')
  return twoUnits(round(ms / HOUR_MS), 24, 'd', 'h')
}

/**
 * A moment as the user's clock shows it and how far off it is: `14:20 (in 45 min)`, `Thu 14:20 (in 2 d 3 h)`,
 * `26 Nov 14:20 (in 9 d)`. A moment that has passed is `now`.
 * @param atMs epoch ms
 * @param nowMs epoch ms
 * @param timeZone IANA name; the machine's own when absent
 */
export function formatWhen(atMs: number, nowMs: number, timeZone?: string): string {
  const aheadMs = atMs - nowMs
  if (!(aheadMs > 0)) return 'now'
  return `${formatMoment(atMs, nowMs, timeZone)} (in ${formatDuration(aheadMs)})`
}

/** A moment as the user's clock shows it, with the weekday or the date where the hour alone would mislead. */
export function formatMoment(atMs: number, nowMs: number, timeZone?: string): string {
  const at = clockParts(atMs, timeZone)
  const today = clockParts(nowMs, timeZone)
  const time = `${at.hour}:${at.minute}`
  if (at.day === today.day && at.month === today.month && Math.abs(atMs - nowMs) < DAY_MS)
    return time
  if (atMs > nowMs && atMs - nowMs < 6 * DAY_MS) return `${at.weekday} ${time}`
  return `${at.day} ${at.month} ${time}`
}

/** @param total count of the small unit */
function twoUnits(total: number, perLarge: number, large: string, small: string): string {
  const rest = total % perLarge
  const whole = `${Math.floor(total / perLarge)} ${large}`
  return rest === 0 ? whole : `${whole} ${rest} ${small}`
}

function clockParts(
  ms: number,
  timeZone: string | undefined,
): Record<'weekday' | 'day' | 'month' | 'hour' | 'minute', string> {
  const format = new Intl.DateTimeFormat('en-GB', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone,
  })
  const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, value]))
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? ''
  return {
    weekday: part('weekday'),
    day: part('day'),
    month: part('month'),
    hour: part('hour'),
    minute: part('minute'),
  }
}
