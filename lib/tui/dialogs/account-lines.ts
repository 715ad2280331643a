import { canServe } from '../../account-view/state.js'
import { leftTone, STATE_TONES } from '../../account-view/tones.js'
import type { AccountView, WindowView } from '../../account-view/view.js'
import { percentText, stateText } from '../../account-view/words.js'
import { formatMoment } from '../../kernel/text/moments.js'
import { plainText } from '../../kernel/text/plain-text.js'
import { displayWidth } from '../../kernel/text/sure-width.js'
import { cut } from '../../kernel/text/table.js'
import { DEFAULT_LIMIT_ID } from '../../routing/limits.js'
import { type Span, spanTone } from './spans.js'

/** How a list of accounts is sorted. */
export type Order = 'number' | 'left'

/** The lines of one account. */
type Lines = readonly (readonly Span[])[]

const MINUTE_MS = 60_000
const NAME_COLUMNS = 32
const MIN_NAME_COLUMNS = 10
const GAP = 2

/** The accounts in an order: by number, or the one with the most left first and those that cannot serve last. Pure. */
export function ordered(accounts: readonly AccountView[], order: Order): readonly AccountView[] {
  if (order === 'number') return accounts
  const left = (account: AccountView): number =>
    canServe(account.state)
      ? Math.min(101, ...usual(account).map(({ leftPercent }) => leftPercent))
      : -1
  return [...accounts].sort((one, other) => left(other) - left(one))
}

/** The state in words and in its colour. Pure. */
function stateSpan({ state, active, pin }: AccountView, nowMs: number): Span {
  const text = stateText(state, active, (atMs) => formatMoment(atMs, nowMs))
  return {
    text: pin === undefined ? text : `${text}, pinned`,
    tone: spanTone(STATE_TONES[state.kind]),
  }
}

/**
 * A line for each account, or two where one has no room for a state and all reset times: those are never cut. Pure.
 */
export function accountLines(
  accounts: readonly AccountView[],
  columns: number,
  nowMs: number,
): readonly Lines[] {
  const rows = accounts.map((account) => ({
    number: `${account.index}${account.active ? '*' : ' '}`,
    name: plainText(account.name),
    state: stateSpan(account, nowMs),
    windows: usual(account).map((window) => windowSpans(window, nowMs)),
    plan: account.plan ?? '',
  }))
  const widest = (of: (row: (typeof rows)[number]) => number): number =>
    Math.max(0, ...rows.map((row) => of(row)))
  const numbers = widest(({ number }) => number.length)
  const states = widest(({ state }) => displayWidth(state.text))
  const names = Math.min(
    NAME_COLUMNS,
    widest(({ name }) => displayWidth(name)),
  )
  const windowWidths = [0, 1, 2].map((place) =>
    widest(({ windows }) => widthOf(windows[place] ?? [])),
  )
  const windowsWidth = windowWidths.reduce((sum, one) => sum + (one > 0 ? one + GAP : 0), 0)
  const plans = widest(({ plan }) => displayWidth(plan))
  const fixed = numbers + GAP + GAP + states + windowsWidth
  const roomForName = columns - fixed
  const isOneLine = roomForName >= Math.min(names, MIN_NAME_COLUMNS + 4)
  const nameWidth = isOneLine
    ? Math.min(names, roomForName)
    : Math.max(MIN_NAME_COLUMNS, Math.min(names, columns - numbers - 2 * GAP - states))
  const hasPlan = isOneLine && fixed + nameWidth + GAP + plans <= columns

  return rows.map(({ number, name, state, windows, plan }) => {
    const first: Span[] = [
      { text: `${number.padStart(numbers)}  `, tone: 'muted' },
      { text: padded(cut(name, nameWidth), nameWidth + GAP), tone: 'text' },
    ]
    if (!isOneLine) {
      const indent = ' '.repeat(numbers + GAP)
      return [
        [...first, state],
        [
          { text: indent, tone: 'muted' },
          ...(windows.length === 0 ? [{ text: 'nothing read yet', tone: 'muted' } as const] : []),
          ...windows.flatMap((spans, place) =>
            place === 0 ? spans : [{ text: '  ', tone: 'muted' } as const, ...spans],
          ),
        ],
      ]
    }
    const cells = windowWidths.flatMap((width, place) => {
      if (width === 0) return []
      const spans = windows[place] ?? []
      return [...spans, { text: ' '.repeat(width - widthOf(spans) + GAP), tone: 'muted' } as const]
    })
    return [
      [
        ...first,
        { ...state, text: padded(state.text, states + GAP) },
        ...cells,
        ...(hasPlan ? [{ text: plan, tone: 'muted' } as const] : []),
      ],
    ]
  })
}

function windowSpans(window: WindowView, nowMs: number): readonly Span[] {
  const { name, leftPercent, resetsAtMs } = window
  return [
    { text: `${name} `, tone: 'muted' },
    { text: percentText(leftPercent).padStart(4), tone: spanTone(leftTone(leftPercent)) },
    ...(resetsAtMs === undefined
      ? []
      : [{ text: ` ${formatMoment(resetsAtMs, nowMs)}`, tone: 'muted' } as const]),
  ]
}

function usual({ windows }: AccountView): readonly WindowView[] {
  return windows.filter(({ limitId }) => limitId === DEFAULT_LIMIT_ID).slice(0, 3)
}

function widthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { text }) => sum + displayWidth(text), 0)
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)))
}

/** Every key draws a list anew; its lines are made anew when an account, the width or the minute changes. */
export function rememberedLines() {
  let made:
    { readonly key: readonly unknown[]; readonly lines: ReadonlyMap<string, Lines> } | undefined
  return (
    all: readonly AccountView[],
    items: readonly { readonly id: string }[],
    columns: number,
    nowMs: number,
  ): readonly Lines[] => {
    const key = [all, columns, Math.floor(nowMs / MINUTE_MS)]
    if (made === undefined || key.some((part, place) => part !== made?.key[place])) {
      const lines = accountLines(all, columns, nowMs)
      made = { key, lines: new Map(all.map(({ uid }, place) => [uid, lines[place] ?? []])) }
    }
    const { lines } = made
    return items.map(({ id }) => lines.get(id) ?? [])
  }
}
