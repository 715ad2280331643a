/** Days and texts in one time zone. */
export type Calendar = ReturnType<typeof createCalendar>

/** Offsets of time zones change at quarters of an hour at the earliest. */
const QUARTER_MS = 15 * 60_000
export const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/**
 * A calendar for a time zone; an unknown name means UTC. Asking the system is slow and a history has many entries, so
 * each quarter of an hour is asked for once.
 */
export function createCalendar(timeZone: string) {
  const formatter = formatterOf(timeZone)
  const known = new Map<number, Readonly<Record<string, string>>>()
  const partsOf = (atMs: number): Readonly<Record<string, string>> => {
    const quarter = Math.floor(atMs / QUARTER_MS)
    const parts =
      known.get(quarter) ??
      Object.fromEntries(
        formatter.formatToParts(quarter * QUARTER_MS).map(({ type, value }) => [type, value]),
      )
    known.set(quarter, parts)
    return parts
  }
  /** `21 Nov` */
  const shortDate = (atMs: number): string => {
    const { day, month } = partsOf(atMs)
    return `${Number(day)} ${MONTHS[Number(month) - 1] ?? ''}`
  }
  /** `Sat 21 Nov` */
  const date = (atMs: number): string => `${partsOf(atMs).weekday ?? ''} ${shortDate(atMs)}`
  /** `14:20` */
  const time = (atMs: number): string => {
    const { hour, minute } = partsOf(atMs)
    return `${hour ?? ''}:${String(Number(minute) + Math.floor((atMs % QUARTER_MS) / 60_000)).padStart(2, '0')}`
  }
  return {
    /** `day` as `2026-11-21`, `weekday` from 0 for Monday, `hour` to 23. */
    of(atMs: number) {
      const { year, month, day, weekday, hour } = partsOf(atMs)
      return {
        day: `${year ?? ''}-${month ?? ''}-${day ?? ''}`,
        weekday: Math.max(0, WEEKDAYS.indexOf(weekday ?? '')),
        hour: Number(hour),
      }
    },
    date,
    /** `Sat 21 Nov, 14:20` */
    moment: (atMs: number): string => `${date(atMs)}, ${time(atMs)}`,
    shortDate,
    time,
    /** `Sat 14:20` */
    dayTime: (atMs: number): string => `${partsOf(atMs).weekday ?? ''} ${time(atMs)}`,
  }
}

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  const options = {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  } as const
  try {
    return new Intl.DateTimeFormat('en-US', { ...options, timeZone })
  } catch {
    return new Intl.DateTimeFormat('en-US', { ...options, timeZone: 'UTC' })
  }
}

const COMPACT = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 })
const PLAIN = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const DOLLARS = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' })

/** A number in at most five characters: `950`, `12.3K`, `4.1M`. */
export function compactText(value: number): string {
  return COMPACT.format(value)
}

/** Every digit, in groups: `1,234,567`. */
export function groupedText(value: number): string {
  return PLAIN.format(value)
}

/** `$1,234.50` */
export function dollarsText(value: number): string {
  return DOLLARS.format(value)
}
