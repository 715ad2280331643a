import { cut } from '../kernel/table.js'
import type { Block } from '../routing/limits.js'
import type { AccountView, WindowView } from './pool-view.js'

/** How urgent a piece of text is; the theme turns it into a colour. */
export type Level = 'muted' | 'warning' | 'error'

/** A status text with its urgency. */
export interface StatusText {
  readonly text: string
  readonly level: Level
}

/** From this terminal width on, in columns, names and bars have room beside the prompt. */
const WIDE_COLUMNS = 120
/** Below this only the scarcest window is named. */
const NARROW_COLUMNS = 80
const NAME_COLUMNS = 18
const BAR_CELLS = 6
const LOW_PERCENT = 25
const VERY_LOW_PERCENT = 10
/** An older reading is marked with its age, ms. */
const STALE_MS = 30 * 60_000

/** The urgency of what is left of a window. */
export function levelOf(leftPercent: number): Level {
  if (leftPercent <= VERY_LOW_PERCENT) return 'error'
  return leftPercent <= LOW_PERCENT ? 'warning' : 'muted'
}

/**
 * The line beside the prompt; undefined when nothing is known, so that nothing is shown. Pure.
 * @param columns width of the terminal
 */
export function statusLine(
  account: AccountView | undefined,
  columns: number,
  nowMs: number,
): StatusText | undefined {
  if (account === undefined) return undefined
  if (account.needsLogin)
    return {
      text:
        columns < NARROW_COLUMNS ? 'login!' : `${cut(account.name, NAME_COLUMNS)}: sign in again`,
      level: 'error',
    }
  const { windows } = account
  const scarcest = [...windows].sort((left, right) => left.leftPercent - right.leftPercent)[0]
  if (scarcest === undefined) return undefined
  const level = levelOf(scarcest.leftPercent)
  if (columns < NARROW_COLUMNS) return { text: `${scarcest.name} ${percent(scarcest)}`, level }
  if (columns < WIDE_COLUMNS)
    return { text: windows.map((window) => `${window.name} ${percent(window)}`).join(' '), level }
  const shown = windows.map(
    (window) => `${window.name} ${bar(window)} ${percent(window)}${resetText(window, nowMs)}`,
  )
  const age =
    account.readAtMs === undefined || nowMs - account.readAtMs < STALE_MS
      ? ''
      : ` (${ageText(nowMs - account.readAtMs)} old)`
  return { text: `${cut(account.name, NAME_COLUMNS)}  ${shown.join('  ')}${age}`, level }
}

/** The block of one account in the sidebar, line by line. Pure. */
export function sidebarLines(
  account: AccountView | undefined,
  others: number,
  nowMs: number,
  unreadable = 0,
): readonly StatusText[] {
  const odd: StatusText[] =
    unreadable === 0
      ? []
      : [{ text: `${unreadable} unreadable: codex-doctor --fix`, level: 'warning' }]
  if (account === undefined) return odd
  const head: StatusText = {
    text: `${account.number} ${cut(account.name, 26)}${account.plan === undefined ? '' : ` · ${account.plan}`}`,
    level: 'muted',
  }
  const windows = account.windows.map((window): StatusText => ({
    text: `${window.name.padEnd(3)} ${bar(window, 12)} ${percent(window).padStart(4)}${resetText(window, nowMs)}`,
    level: levelOf(window.leftPercent),
  }))
  const block = standstillOf(account)
  const blocked: StatusText[] =
    block === undefined
      ? []
      : [{ text: `blocked until ${clockTime(block.untilMs, nowMs)}`, level: 'error' }]
  const login: StatusText[] = account.needsLogin
    ? [{ text: 'sign in again: opencode auth login', level: 'error' }]
    : []
  const read: StatusText[] =
    windows.length === 0 || account.readAtMs === undefined
      ? []
      : [
          {
            text: `read ${ageText(Math.max(60_000, nowMs - account.readAtMs))} ago`,
            level: 'muted',
          },
        ]
  const rest: StatusText[] =
    others === 0
      ? []
      : [{ text: `+${others} more account${others === 1 ? '' : 's'}`, level: 'muted' }]
  return [head, ...windows, ...read, ...blocked, ...login, ...rest, ...odd]
}

/** One account in one line: windows, then what keeps it from serving. Pure. */
export function accountSummary(account: AccountView, nowMs: number): string {
  const windows = account.windows.map(
    (window) => `${window.name} ${percent(window)}${resetText(window, nowMs)}`,
  )
  const block = standstillOf(account)
  const state = !account.enabled
    ? 'disabled'
    : account.needsLogin
      ? 'sign in again'
      : block === undefined
        ? undefined
        : `${block.reason.replaceAll('_', ' ')} until ${clockTime(block.untilMs, nowMs)}`
  const resets =
    account.resetCredits === undefined || account.resetCredits === 0
      ? undefined
      : `${account.resetCredits} banked resets`
  return [account.plan, ...windows, state, resets].filter((part) => part !== undefined).join(' · ')
}

/** The block that keeps an account from serving at all: one of a single model leaves it to the others. */
export function standstillOf({ blocks }: AccountView): Block | undefined {
  return blocks.find(({ scope }) => !scope.startsWith('model:'))
}

/** What is left, in whole percent. */
export function percent(window: WindowView): string {
  // 0.4 % left is not nothing, and 99.6 % is not everything.
  const left = window.leftPercent
  const whole = left < 50 ? Math.ceil(left) : Math.floor(left)
  return `${whole}%`
}

/** Cells filled by what is left. */
export function bar(window: WindowView, cells = BAR_CELLS): string {
  const filled = Math.round((window.leftPercent / 100) * cells)
  return '█'.repeat(filled) + '░'.repeat(cells - filled)
}

function resetText(window: WindowView, nowMs: number): string {
  return window.resetsAtMs === undefined ? '' : ` ${clockTime(window.resetsAtMs, nowMs)}`
}

/** Hour and minute, with the weekday when it is not within a day. */
export function clockTime(atMs: number, nowMs: number): string {
  const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' }).format(atMs)
  if (Math.abs(atMs - nowMs) < 20 * 3_600_000) return time
  return `${new Intl.DateTimeFormat('en-GB', { weekday: 'short' }).format(atMs)} ${time}`
}

function ageText(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`
}
