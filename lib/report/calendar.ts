/** Local time of a moment, as far as the report needs it. */
export interface LocalTime {
  /** `2026-11-21` */
  readonly day: string
  /** 0 Monday to 6 Sunday. */
  readonly weekday: number
  /** 0 to 23. */
  readonly hour: number
}

/** Days and texts in one time zone. */
export interface Calendar {
  of(atMs: number): LocalTime
  /** `Sat 21 Nov` */
  date(atMs: number): string
  /** `Sat 21 Nov, 14:20` */
  moment(atMs: number): string
  /** `21 Nov` */
  shortDate(atMs: number): string
  /** `14:20` */
  time(atMs: number): string
  /** `Sat 14:20` */
  dayTime(atMs: number): string
}

/** Offsets of time zones change at quarters of an hour at the earliest. */
const QUARTER_MS = 15 * 60_000
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

/**
 * A calendar for a time zone; an unknown name means UTC. Asking the system is slow and a history has many entries, so
 * each quarter of an hour is asked for once.
 */
export function createCalendar(timeZone: string): Calendar {
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
  const date = (atMs: number): string => `${partsOf(atMs).weekday ?? ''} ${shortDate(atMs)}`
  const shortDate = (atMs: number): string =>
    `${Number(partsOf(atMs).day)} ${partsOf(atMs).month ?? ''}`
  const time = (atMs: number): string => {
    const { hour, minute } = partsOf(atMs)
    return `${hour ?? ''}:${String(Number(minute) + Math.floor((atMs % QUARTER_MS) / 60_000)).padStart(2, '0')}`
  }
  return {
    of(atMs) {
      const { year, month, day, weekday, hour } = partsOf(atMs)
      return {
        day: `${year ?? ''}-${monthNumber(month)}-${day ?? ''}`,
        weekday: Math.max(0, WEEKDAYS.indexOf(weekday ?? '')),
        hour: Number(hour),
      }
    },
    date,
    moment: (atMs) => `${date(atMs)}, ${time(atMs)}`,
    shortDate,
    time,
    dayTime: (atMs) => `${partsOf(atMs).weekday ?? ''} ${time(atMs)}`,
  }
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

function monthNumber(name: string | undefined): string {
  return String(MONTHS.indexOf(name ?? '') + 1).padStart(2, '0')
}

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  const options = {
    year: 'numeric',
    month: 'short',
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
