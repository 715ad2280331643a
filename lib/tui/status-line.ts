import { canServe } from '../account-view/state.js'
import { leftTone } from '../account-view/tones.js'
import type { AccountView, WindowView } from '../account-view/view.js'
import { percentText, stateText } from '../account-view/words.js'
import { commandsIn } from '../kernel/text/command-words.js'
import { formatAge, formatDuration, formatMoment } from '../kernel/text/moments.js'
import { counted } from '../kernel/text/plural.js'
import { displayWidth } from '../kernel/text/sure-width.js'
import { cut } from '../kernel/text/table.js'
import { DEFAULT_LIMIT_ID } from '../routing/limits.js'

/** How urgent a piece of text is; the theme turns it into a colour. */
export type Level = 'muted' | 'text' | 'warning' | 'error'

/** A piece of a line in one colour. */
export interface Span {
  readonly text: string
  readonly level: Level
}

/** One line, or one way to write it. */
export interface Line {
  readonly spans: readonly Span[]
  /** In columns. */
  readonly width: number
}

/** What the line beside the prompt is about. */
export interface StatusFacts {
  readonly account: AccountView | undefined
  /** Until when a request of this session waits for a limit, epoch ms. */
  readonly waitsUntilMs?: number | undefined
  /** Whom the account took over from just now, and why that one does not serve, as it follows its name. */
  readonly switched?: { readonly from: string; readonly why: string } | undefined
}

const NAME_COLUMNS = 18
const WHY_COLUMNS = 40
const BAR_CELLS = 6
const GAP: Span = { text: '  ', level: 'muted' }
const HOUR_MS = 60 * 60_000
/** An older reading is marked with its age, ms. */
export const STALE_MS = 30 * 60_000

/** The urgency of what is left of a window. */
export function levelOf(leftPercent: number): Level {
  const tone = leftTone(leftPercent)
  if (tone === undefined) return 'muted'
  return tone === 'bad' ? 'error' : 'warning'
}

/** A line made of spans. */
export function lineOf(...spans: readonly Span[]): Line {
  return { spans, width: spans.reduce((sum, { text }) => sum + displayWidth(text), 0) }
}

/**
 * The ways to write the line beside the prompt, the widest first: without the name, then without bars, times of reset, and
 * the second window. Empty when nothing is known, so that nothing is shown. Pure.
 */
export function statusForms(facts: StatusFacts, nowMs: number): readonly Line[] {
  const { account, waitsUntilMs = 0 } = facts
  if (waitsUntilMs > nowMs) return waitForms(waitsUntilMs, nowMs)
  if (account === undefined) return []
  if (account.state.kind === 'login-needed') return loginForms(account)
  const name = cut(account.name, NAME_COLUMNS)
  const { full, plain, short, scarcest } = windowForms(account, nowMs)
  if (facts.switched !== undefined) {
    const now: Span = { text: `now ${name}`, level: 'text' }
    const { from, why: reason } = facts.switched
    const why: Span = {
      text: `: ${cut(from, NAME_COLUMNS)} ${cut(reason, WHY_COLUMNS)}`,
      level: 'text',
    }
    const told = [full, plain, short, scarcest].map((form) => [now, why, ...after(form)])
    return linesOf(...told, [now, why], [now, ...after(scarcest)], [now], scarcest)
  }
  const owner: Span = { text: name, level: 'muted' }
  if (canServe(account.state))
    return linesOf(full.length === 0 ? [] : [owner, ...after(full)], full, plain, short, scarcest)
  const state: Span = { text: shortState(account, nowMs), level: 'error' }
  const kind: Span = { text: stateKind(account), level: 'error' }
  return linesOf(
    [owner, GAP, state, ...after(full)],
    [state, ...after(full)],
    [state, ...after(plain)],
    [state, ...after(short)],
    [state],
    [kind, ...after(scarcest)],
    [kind],
  )
}

/** The widest form that fits the room; undefined when none does. Pure. */
export function fitting(forms: readonly Line[], room: number): Line | undefined {
  return forms.find(({ width }) => width <= room)
}

function linesOf(...forms: readonly (readonly Span[])[]): readonly Line[] {
  return forms.filter((spans) => spans.length > 0).map((spans) => lineOf(...spans))
}

function after(form: readonly Span[]): readonly Span[] {
  return form.length === 0 ? [] : [GAP, ...form]
}

function waitForms(untilMs: number, nowMs: number): readonly Line[] {
  const left = countdown(untilMs - nowMs)
  return [
    `every account is at a limit: resumes ${formatMoment(untilMs, nowMs)}, in ${left}`,
    `at a limit: resumes ${formatMoment(untilMs, nowMs)}, in ${left}`,
    `at a limit: resumes in ${left}`,
    `resumes in ${left}`,
    left,
  ].map((text) => lineOf({ text, level: 'warning' }))
}

/** `4:05`; hours need no seconds. */
function countdown(ms: number): string {
  if (ms >= HOUR_MS) return formatDuration(ms)
  const seconds = Math.ceil(ms / 1_000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

function loginForms({ name }: AccountView): readonly Line[] {
  return [
    `${cut(name, NAME_COLUMNS)}: login needed, {login}`,
    'login needed, {login}',
    'login needed',
    '{login}',
  ].map((text) => lineOf({ text: commandsIn(text, 'tui'), level: 'error' }))
}

type Form = readonly Span[]

function windowForms(
  account: AccountView,
  nowMs: number,
): Readonly<Record<'full' | 'plain' | 'short' | 'scarcest', Form>> {
  const windows = usualWindows(account)
  const { readAtMs } = account
  const isStale = readAtMs !== undefined && nowMs - readAtMs >= STALE_MS
  const age: Form =
    isStale && windows.length > 0
      ? [GAP, { text: `(read ${formatAge(nowMs - readAtMs)})`, level: 'muted' }]
      : []
  const each = (say: (window: WindowView) => string): Form =>
    windows.flatMap((window, index): Form => [
      ...(index === 0 ? [] : [GAP]),
      { text: say(window), level: levelOf(window.leftPercent) },
    ])
  // A narrow form has no room for the age, but for a sign that the number is an old one.
  const about = isStale ? '~' : ''
  const short = (window: WindowView): string =>
    `${window.name} ${about}${percentText(window.leftPercent)}`
  const [scarcest] = [...windows].sort((left, right) => left.leftPercent - right.leftPercent)
  return {
    full: [
      ...each((window) => `${window.name} ${bar(window)} ${leftAndReset(window, nowMs)}`),
      ...age,
    ],
    plain: [...each((window) => `${window.name} ${leftAndReset(window, nowMs)}`), ...age],
    short: each(short),
    scarcest:
      scarcest === undefined
        ? []
        : [{ text: short(scarcest), level: levelOf(scarcest.leftPercent) }],
  }
}

/** One account in one line: windows, then its state where that is worth a word. Pure. */
export function accountSummary(account: AccountView, nowMs: number): string {
  const { plan, resetCredits = 0, pin, state } = account
  const windows = usualWindows(account).map(
    (window) => `${window.name} ${leftAndReset(window, nowMs)}`,
  )
  const parts = [
    plan,
    ...windows,
    state.kind === 'eligible' ? undefined : shortState(account, nowMs),
    pin === undefined ? undefined : 'pinned',
    resetCredits === 0 ? undefined : counted(resetCredits, 'banked reset'),
  ]
  return parts.filter((part) => part !== undefined).join(' · ')
}

/** The state in a few words, with what to do where somebody has to. */
export function shortState({ state, active }: AccountView, nowMs: number): string {
  const text = stateText(state, active, (atMs) => formatMoment(atMs, nowMs))
  return state.kind === 'login-needed' ? commandsIn(`${text}, {login}`, 'tui') : text
}

function stateKind({ state, active }: AccountView): string {
  return 'untilMs' in state ? state.kind : stateText(state, active, String)
}

/** Windows of the usual limit. */
export function usualWindows({ windows }: AccountView): readonly WindowView[] {
  return windows.filter(({ limitId }) => limitId === DEFAULT_LIMIT_ID)
}

/** Cells filled by what is left. */
export function bar({ leftPercent }: WindowView, cells = BAR_CELLS): string {
  const filled = Math.round((leftPercent / 100) * cells)
  return '█'.repeat(filled) + '░'.repeat(cells - filled)
}

function leftAndReset({ leftPercent, resetsAtMs }: WindowView, nowMs: number): string {
  const reset = resetsAtMs === undefined ? '' : ` ${formatMoment(resetsAtMs, nowMs)}`
  return `${percentText(leftPercent)}${reset}`
}
