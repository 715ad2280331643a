import { canServe } from '../account-view/state.js'
import type { AccountView, WindowView } from '../account-view/view.js'
import { percentText, stateText } from '../account-view/words.js'
import { commandsIn } from '../kernel/text/command-words.js'
import { formatDuration, formatMoment } from '../kernel/text/moments.js'
import { counted } from '../kernel/text/plural.js'
import { cut } from '../kernel/text/table.js'
import { DEFAULT_LIMIT_ID } from '../routing/limits.js'

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
  const { name, readAtMs, state } = account
  if (state.kind === 'login-needed') {
    const text = stateText(state, false, String)
    const isNarrow = columns < NARROW_COLUMNS
    return { text: isNarrow ? text : `${cut(name, NAME_COLUMNS)}: ${text}`, level: 'error' }
  }
  const windows = usualWindows(account)
  const [scarcest] = [...windows].sort((left, right) => left.leftPercent - right.leftPercent)
  if (scarcest === undefined) return undefined
  const level = levelOf(scarcest.leftPercent)
  if (columns < NARROW_COLUMNS) return { text: leftText(scarcest), level }
  if (columns < WIDE_COLUMNS) return { text: windows.map(leftText).join(' '), level }
  const shown = windows.map(
    (window) =>
      `${window.name} ${bar(window)} ${percentText(window.leftPercent)}${resetText(window, nowMs)}`,
  )
  const isStale = readAtMs !== undefined && nowMs - readAtMs >= STALE_MS
  const age = isStale ? ` (${formatDuration(nowMs - readAtMs)} old)` : ''
  return { text: `${cut(name, NAME_COLUMNS)}  ${shown.join('  ')}${age}`, level }
}

/** The block of one account in the sidebar, line by line. Pure. */
export function sidebarLines(
  account: AccountView | undefined,
  others: number,
  nowMs: number,
  unreadable = 0,
): readonly StatusText[] {
  const lines: StatusText[] = []
  if (account !== undefined) {
    const { index, name, plan, readAtMs, state } = account
    const windows = usualWindows(account)
    const head = `${index} ${cut(name, 26)}${plan === undefined ? '' : ` · ${plan}`}`
    lines.push({ text: head, level: 'muted' })
    for (const window of windows) {
      const left = percentText(window.leftPercent).padStart(4)
      lines.push({
        text: `${window.name.padEnd(3)} ${bar(window, 12)} ${left}${resetText(window, nowMs)}`,
        level: levelOf(window.leftPercent),
      })
    }
    if (windows.length > 0 && readAtMs !== undefined)
      lines.push({ text: `read ${formatDuration(nowMs - readAtMs)} ago`, level: 'muted' })
    if (!canServe(state)) lines.push({ text: shortState(account, nowMs), level: 'error' })
    if (others > 0) lines.push({ text: `+${counted(others, 'more account')}`, level: 'muted' })
  }
  if (unreadable > 0)
    lines.push({
      text: commandsIn(`${unreadable} unreadable: {doctor --fix}`, 'tui'),
      level: 'warning',
    })
  return lines
}

/** One account in one line: windows, then its state where that is worth a word. Pure. */
export function accountSummary(account: AccountView, nowMs: number): string {
  const { plan, resetCredits = 0, pin, state } = account
  const windows = usualWindows(account).map(
    (window) => `${leftText(window)}${resetText(window, nowMs)}`,
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

function shortState({ state, active }: AccountView, nowMs: number): string {
  const text = stateText(state, active, (atMs) => formatMoment(atMs, nowMs))
  return state.kind === 'login-needed' ? commandsIn(`${text}: {login}`, 'tui') : text
}

function usualWindows({ windows }: AccountView): readonly WindowView[] {
  return windows.filter(({ limitId }) => limitId === DEFAULT_LIMIT_ID)
}

function leftText({ name, leftPercent }: WindowView): string {
  return `${name} ${percentText(leftPercent)}`
}

/** Cells filled by what is left. */
function bar({ leftPercent }: WindowView, cells = BAR_CELLS): string {
  const filled = Math.round((leftPercent / 100) * cells)
  return '█'.repeat(filled) + '░'.repeat(cells - filled)
}

function resetText({ resetsAtMs }: WindowView, nowMs: number): string {
  return resetsAtMs === undefined ? '' : ` ${formatMoment(resetsAtMs, nowMs)}`
}
