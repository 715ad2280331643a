import { canServe } from '../../account-view/state.js'
import type { AccountView } from '../../account-view/view.js'
import { percentText } from '../../account-view/words.js'
import type { ExpectedTime } from '../../forecast/types.js'
import { commandsIn } from '../../kernel/text/command-words.js'
import { formatAge, formatMoment } from '../../kernel/text/moments.js'
import { displayWidth } from '../../kernel/text/sure-width.js'
import { cut } from '../../kernel/text/table.js'
import { wrapped } from '../../kernel/text/wrap.js'
import {
  bar,
  type Level,
  levelOf,
  type Line,
  lineOf,
  shortState,
  STALE_MS,
  usualWindows,
} from '../status-line.js'

/** How long a window lasts at the present pace. */
export interface Pace {
  /** `5h`, `7d`. */
  readonly window: string
  /** When it is empty, if that is expected before it resets. */
  readonly runsOutAtMs?: ExpectedTime
  readonly resetsAtMs?: number
}

/** The last time another account took over, with names to show. */
export interface ShownSwitch {
  readonly atMs: number
  readonly from: string
  readonly to: string
  /** Why the first one does not serve, as it follows its name. */
  readonly why: string
}

/** What the block in the sidebar is about. */
export interface SidebarFacts {
  readonly accounts: readonly AccountView[]
  readonly serving: AccountView | undefined
  /** Records of the file that hold no login that can be read. */
  readonly unreadable: number
  readonly paceOf: (uid: string) => Pace | undefined
  readonly lastSwitch: ShownSwitch | undefined
  /** False when only the heading is wanted. */
  readonly isOpen: boolean
}

/** From more accounts on each but the serving one has one line. */
const FEW = 4
/** Of more accounts only the number is told. */
const MOST_LISTED = 10
const BAR_CELLS = 10
/**
 * A reading is told to others at once after so long a silence, ms; one that is younger may be on its way, so that no age
 * is said of what the file holds.
 */
const AGE_WORTH_A_WORD_MS = 10 * 60_000
const DAY_MS = 24 * 60 * 60_000
const INDENT = '  '

/** The block of the sidebar, line by line, each no wider than `width` columns; the first is the heading. Pure. */
export function sidebarLines(facts: SidebarFacts, nowMs: number, width: number): readonly Line[] {
  const { accounts, serving, unreadable, lastSwitch } = facts
  if (accounts.length === 0 && unreadable === 0) return []
  const lines = [headingOf(facts)]
  if (facts.isOpen) {
    const blocks = blocksOf(accounts, serving)
    for (const one of blocks)
      lines.push(...blockOf(one, one === serving ? 'text' : 'muted', facts, nowMs, width))
    const others = accounts.filter((one) => !blocks.includes(one))
    lines.push(...listOf(others, nowMs, width))
    if (lastSwitch !== undefined && nowMs - lastSwitch.atMs < DAY_MS)
      lines.push(...switchLines(lastSwitch, nowMs, width))
  }
  if (unreadable > 0)
    lines.push(said(`${unreadable} unreadable: ${commandsIn('{doctor --fix}', 'tui')}`, 'warning'))
  return lines.map((line) => cutLine(line, width))
}

/** The accounts that have more than one line, the serving one first. Pure. */
export function blocksOf(
  accounts: readonly AccountView[],
  serving: AccountView | undefined,
): readonly AccountView[] {
  const first = serving === undefined ? [] : [serving]
  if (accounts.length > FEW) return first
  return [...first, ...accounts.filter((one) => one !== serving)]
}

/** True when a click on the heading opens and closes the block, as those of the host with something to hide. */
export function isFoldable(accounts: number): boolean {
  return accounts > 1
}

function headingOf({ accounts, isOpen }: SidebarFacts): Line {
  const title = { text: 'Codex accounts', level: 'text' } as const
  if (!isFoldable(accounts.length)) return lineOf(title)
  const arrow = { text: isOpen ? '▼ ' : '▶ ', level: 'text' } as const
  if (isOpen) return lineOf(arrow, title)
  const ready = accounts.filter(({ state }) => canServe(state)).length
  const count = { text: ` (${ready} of ${accounts.length} ready)`, level: 'muted' } as const
  return lineOf(arrow, title, count)
}

function blockOf(
  account: AccountView,
  level: Level,
  { paceOf }: SidebarFacts,
  nowMs: number,
  width: number,
): readonly Line[] {
  const { index, name, plan, readAtMs, state, uid } = account
  const windows = usualWindows(account)
  const names = Math.max(0, ...windows.map((window) => window.name.length))
  const tail = plan === undefined ? '' : ` · ${plan}`
  const room = width - displayWidth(`${index} ${tail}`)
  const lines = [
    lineOf(
      { text: `${index} ${cut(name, Math.max(8, room))}`, level },
      { text: tail, level: 'muted' },
    ),
  ]
  if (!canServe(state)) lines.push(said(`${INDENT}${shortState(account, nowMs)}`, 'error'))
  for (const window of windows) {
    const { leftPercent, resetsAtMs } = window
    const reset = resetsAtMs === undefined ? '' : ` ${formatMoment(resetsAtMs, nowMs)}`
    lines.push(
      lineOf(
        { text: `${INDENT}${window.name.padEnd(names)} `, level: 'muted' },
        {
          text: `${bar(window, BAR_CELLS)} ${percentText(leftPercent).padStart(4)}`,
          level: levelOf(leftPercent),
        },
        { text: reset, level: 'muted' },
      ),
    )
  }
  lines.push(...paceLines(paceOf(uid), nowMs, width))
  const ageMs = nowMs - (readAtMs ?? nowMs)
  if (windows.length > 0 && ageMs >= AGE_WORTH_A_WORD_MS)
    lines.push(said(`${INDENT}read ${formatAge(ageMs)}`, ageMs >= STALE_MS ? 'warning' : 'muted'))
  return lines
}

function paceLines(pace: Pace | undefined, nowMs: number, width: number): readonly Line[] {
  if (pace === undefined) return []
  const { window, runsOutAtMs: { early, mid, late } = {}, resetsAtMs = 0 } = pace
  if (mid === undefined)
    return resetsAtMs > nowMs
      ? [said(`${INDENT}${window} lasts until ${formatMoment(resetsAtMs, nowMs)}`, 'muted')]
      : []
  if (mid <= nowMs) return []
  const empty = `${INDENT}${window} empty ~${formatMoment(mid, nowMs)}`
  if (early === undefined) return [said(empty, 'warning')]
  const from = formatMoment(Math.max(early, nowMs), nowMs)
  const range = late === undefined ? `from ${from}` : `${from}–${formatMoment(late, nowMs)}`
  const whole = said(`${empty}, 80%: ${range}`, 'warning')
  return whole.width <= width
    ? [whole]
    : [said(empty, 'warning'), said(`${INDENT}80%: ${range}`, 'muted')]
}

/** One line each: who, then what is left or why it cannot serve, at the right edge. */
function listOf(others: readonly AccountView[], nowMs: number, width: number): readonly Line[] {
  const listed = others.length > MOST_LISTED ? others.slice(0, MOST_LISTED - 1) : others
  const rest = others.slice(listed.length)
  const lines = listed.map((account) => {
    const windows = usualWindows(account)
    const isReady = canServe(account.state)
    const least = Math.min(100, ...windows.map(({ leftPercent }) => leftPercent))
    const tail = isReady
      ? windows.map((window) => `${window.name} ${percentText(window.leftPercent)}`).join(' ')
      : shortState(account, nowMs)
    const room = Math.max(8, width - displayWidth(tail) - 1)
    const head = cut(`${account.index} ${account.name}`, room)
    const space = ' '.repeat(Math.max(1, width - displayWidth(head) - displayWidth(tail)))
    return lineOf(
      { text: head + space, level: 'muted' },
      { text: tail, level: isReady ? levelOf(least) : 'error' },
    )
  })
  if (rest.length === 0) return lines
  const ready = rest.filter(({ state }) => canServe(state)).length
  return [...lines, said(`+${rest.length} more, ${ready} ready`, 'muted')]
}

function switchLines({ atMs, from, to, why }: ShownSwitch, nowMs: number, width: number) {
  const room = Math.max(1, width - INDENT.length)
  const reason = wrapped(`${cut(from, Math.ceil(room / 2))} ${why}`, room).split('\n')
  return [
    `Switched ${formatMoment(atMs, nowMs)} to ${to}`,
    ...reason.map((line) => `${INDENT}${line}`),
  ].map((text) => said(text, 'muted'))
}

function said(text: string, level: Level): Line {
  return lineOf({ text, level })
}

function cutLine(line: Line, width: number): Line {
  if (line.width <= width) return line
  let room = width
  const spans = line.spans.map(({ text, level }) => {
    const kept = room <= 0 ? '' : cut(text, room)
    room -= displayWidth(kept)
    return { text: kept, level }
  })
  return lineOf(...spans)
}
