import { limitName, percentText } from '../account-view/words.js'
import type { Toast } from '../kernel/host-port.js'
import { formatDuration, formatMoment, formatWhen } from '../kernel/text/moments.js'
import type { Alert } from '../quota/alerts.js'

/** A login that ended is told again after this time at the earliest, ms. */
const LOGIN_WITHIN_MS = 10 * 60_000
/** That credits are used, ms. */
const CREDITS_WITHIN_MS = 55 * 60_000

/** An account that could not serve a request. */
export interface Passed {
  readonly label: string
  /** What follows the name, without an end: `is at its weekly limit`. */
  readonly why: string
  readonly kind: 'limit' | 'login' | 'other'
  /** When it is free again, where that is known, epoch ms. */
  readonly untilMs?: number | undefined
}

/** The account that answers. */
export interface Served {
  readonly uid: string
  readonly label: string
  /** It is paid for: the window that is used up, and its end. */
  readonly onCredits?:
    { readonly window: string; readonly untilMs?: number | undefined } | undefined
}

/** One sentence worth a toast. */
export interface Notice {
  /** What it tells of; told by no other window for a while, at least one of them. */
  readonly keys: readonly string[]
  readonly message: string
  readonly variant: Toast['variant']
  /** The account that it tells is at a limit. */
  readonly uid?: string
  /** It is told again after this time at the earliest, ms. */
  readonly withinMs?: number
}

/** Little is left of a window. */
export interface AlertSaid {
  readonly uid: string
  readonly label: string
  readonly alert: Alert
  /** How long it lasts, as a sentence, or nothing. */
  readonly pace: string
}

/** Who could not serve, why and until when; who continues; who must sign in again; what is paid for. Pure. */
export function noticesOfServed(
  passed: ReadonlyMap<string, Passed>,
  by: Served,
  nowMs: number,
): readonly Notice[] {
  const others = [...passed].filter(([uid]) => uid !== by.uid)
  const moved = others.filter(([, { kind }]) => kind !== 'login')
  const notices: Notice[] = []
  if (moved.length > 0)
    notices.push({
      keys: moved.map(([uid, { kind }]) => `moved ${kind} ${uid}`),
      message: `${whoText(
        moved.map(([, one]) => one),
        nowMs,
      )}; continuing with ${by.label}.`,
      variant: 'info',
    })
  notices.push(...noticesOfLogins(passed, moved.length > 0 ? undefined : by))
  if (by.onCredits !== undefined) {
    const { window, untilMs } = by.onCredits
    const until = untilMs === undefined ? '' : ` until ${formatMoment(untilMs, nowMs)}`
    notices.push({
      keys: [`credits ${by.uid}`],
      message: `${by.label} uses paid credits: its ${window} is used up${until}.`,
      variant: 'warning',
      withinMs: CREDITS_WITHIN_MS,
    })
  }
  return notices
}

/** Who must sign in again. @param by who serves until then, where no other sentence says it. Pure. */
export function noticesOfLogins(
  passed: ReadonlyMap<string, Passed>,
  by?: Pick<Served, 'uid' | 'label'>,
): readonly Notice[] {
  const logins = [...passed].filter(([uid, { kind }]) => kind === 'login' && uid !== by?.uid)
  const [first] = logins
  if (first === undefined) return []
  const who = logins.length === 1 ? first[1].label : `${String(logins.length)} accounts`
  const rest = by === undefined ? '' : ` Until then ${by.label} serves.`
  return [
    {
      keys: logins.map(([uid]) => `login ${uid}`),
      message: `${who} must sign in again: {login}.${rest}`,
      variant: 'error',
      withinMs: LOGIN_WITHIN_MS,
    },
  ]
}

/** Why an account could not serve and until when, as it follows its name. Pure. */
export function whyText({ why, untilMs }: Passed, nowMs: number): string {
  return untilMs === undefined ? why : `${why} until ${formatMoment(untilMs, nowMs)}`
}

/** Who could not serve, in one clause: one by name, more of them counted. */
function whoText(passed: readonly Passed[], nowMs: number): string {
  const ends = passed.flatMap(({ untilMs }) => untilMs ?? [])
  const until = ends.length === 0 ? undefined : formatMoment(Math.min(...ends), nowMs)
  const [first] = passed
  if (first !== undefined && passed.length === 1) return `${first.label} ${whyText(first, nowMs)}`
  const isLimit = passed.every(({ kind }) => kind === 'limit')
  return `${String(passed.length)} accounts ${isLimit ? 'are at a limit' : 'cannot serve now'}${until === undefined ? '' : `, the first until ${until}`}`
}

/** Waits that end this close to each other are one to the user, ms: windows learn of a limit a moment apart. */
const SAME_WAIT_MS = 10_000

/** Every account is at a limit, and the request waits. Pure. */
export function noticeOfWait(untilMs: number, nowMs: number): Notice {
  return {
    keys: [`waiting ${String(Math.round(untilMs / SAME_WAIT_MS))}`],
    message: `Every account is at a limit. Resumes automatically at ${formatMoment(untilMs, nowMs)}, in ${formatDuration(untilMs - nowMs)}. Esc stops waiting.`,
    variant: 'warning',
  }
}

/** Little or nothing is left of a window. Pure. */
export function alertNotice({ uid, label, alert, pace }: AlertSaid, nowMs: number): Notice {
  const { window, level, limitId } = alert
  const name = limitName(window.kind)
  const resetsAt =
    window.resetsAtMs === undefined ? undefined : formatWhen(window.resetsAtMs, nowMs)
  const message =
    level === 0
      ? `${label}: the ${name} is used up${resetsAt === undefined ? '' : ` until ${resetsAt}`}.`
      : `${label}: ${percentText(100 - window.usedPercent)} of the ${name} is left.${resetsAt === undefined ? '' : ` It resets ${resetsAt}.`}${pace === '' ? '' : ` ${pace}`}`
  return {
    keys: [`alert ${uid} ${limitId} ${window.kind} ${String(level)}`],
    message,
    variant: level <= 5 ? 'warning' : 'info',
    ...(level === 0 ? { uid } : {}),
  }
}
