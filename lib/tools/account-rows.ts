import type { AccountPool } from '../accounts/account.js'
import { leftTone, STATE_TONES } from '../account-view/tones.js'
import { type AccountView, accountViews, type WindowView } from '../account-view/view.js'
import { percentText, stateText, untilText } from '../account-view/words.js'
import { dropUndefined } from '../kernel/drop-undefined.js'
import { formatMoment, formatWhen } from '../kernel/text/moments.js'
import { type Column, cut } from '../kernel/text/table.js'
import type { TonedText } from '../kernel/text/tones.js'
import { DEFAULT_LIMIT_ID } from '../routing/limits.js'
import type { Runtime } from '../runtime.js'
import type { ToolContext } from './definition.js'

/** One account in the JSON of tools. E-mail address and ids are there only when asked for. */
export type AccountRow = ReturnType<typeof rowOf>

/** What every tool says of an empty pool. */
export const NO_ACCOUNT = 'No account is signed in. Run: {login}'

type Shown = Pick<ToolContext, 'includeSensitive'>

/** Every account of the pool as a request made now would find it. */
export function viewsOf(
  runtime: Runtime,
  pool: AccountPool,
  { includeSensitive }: Shown = { includeSensitive: false },
): readonly AccountView[] {
  const { config, clock, ledger, scope, health } = runtime
  const nowMs = clock.now()
  return accountViews({
    pool,
    nowMs,
    project: scope.project,
    config: includeSensitive ? { ...config, maskEmail: false } : config,
    quotaOf: (uid) => ledger.of(uid),
    restsUntil: (uid) => health.restsUntil(uid, nowMs),
  })
}

/** A view as JSON. */
export function rowOf(
  view: AccountView,
  pool: AccountPool,
  nowMs: number,
  { includeSensitive }: Shown,
) {
  const { email, accountId } = pool.accounts[view.index - 1] ?? {}
  return {
    /** From 1, the same number everywhere. */
    index: view.index,
    name: view.name,
    kind: view.kind,
    plan: view.plan ?? null,
    enabled: view.enabled,
    active: view.active,
    /** By the pin in force in this folder. */
    pinned: view.pin !== undefined,
    needsLogin: view.needsLogin ?? null,
    state: view.state.kind,
    /** The same in words. */
    status: stateText(view.state, view.active, (atMs) => formatWhen(atMs, nowMs)),
    /** When time alone ends that state, epoch ms; null where it does not. */
    untilMs: 'untilMs' in view.state ? view.state.untilMs : null,
    windows: view.windows.map(({ reading: _reading, ...window }) => ({
      ...window,
      resetsAtMs: window.resetsAtMs ?? null,
    })),
    blocks: view.blocks.map(({ scope, reason, untilMs, detail }) =>
      dropUndefined({ scope, reason, untilMs, detail }),
    ),
    tags: view.tags,
    note: view.note ?? null,
    /** Epoch ms; 0 for never. */
    lastUsedMs: view.lastUsedMs,
    resetCredits: view.resetCredits ?? null,
    ...(includeSensitive ? dropUndefined({ uid: view.uid, email, accountId }) : {}),
  }
}

/** Every account of the pool as JSON. */
export function accountRows(runtime: Runtime, pool: AccountPool, shown: Shown): AccountRow[] {
  const nowMs = runtime.clock.now()
  return viewsOf(runtime, pool, shown).map((view) => rowOf(view, pool, nowMs, shown))
}

/** Columns of a name that tell accounts apart as a rule. */
export const SHORTEST_NAME = 12

/** How every table of accounts begins: number, name and status. */
type Beginning = readonly Column<AccountRow>[]

/**
 * The beginnings of a table of accounts, the widest first: with whole names, with short ones, with the moment a state ends
 * and no time to go, and with that moment alone.
 */
export function accountBeginnings(nowMs: number): readonly [Beginning, ...Beginning[]] {
  const moment = (atMs: number): string => formatMoment(atMs, nowMs)
  const ends =
    (say: (row: AccountRow, untilMs: number) => string) =>
    (row: AccountRow): string =>
      row.untilMs === null ? row.status : say(row, row.untilMs)
  return [
    beginning(({ status }) => status),
    beginning(({ status }) => status, SHORTEST_NAME),
    beginning(
      ends(({ state }, untilMs) => `${state} ${untilText(untilMs, moment)}`),
      SHORTEST_NAME,
    ),
    beginning(
      ends((_row, untilMs) => untilText(untilMs, moment)),
      SHORTEST_NAME,
    ),
  ]
}

function beginning(statusOf: (row: AccountRow) => string, cutTo = Infinity): Beginning {
  return [
    { title: '#', value: ({ index, active }) => `${index}${active ? '*' : ''}`, align: 'right' },
    { title: 'Account', value: shortName, cutTo },
    {
      title: 'Status',
      value: (row) => [
        { text: statusOf(row), tone: STATE_TONES[row.state] },
        { text: row.pinned ? ', pinned' : '' },
      ],
    },
  ]
}

/** The windows of the usual family in one cell: `5h 62%  7d 81%`. */
export function windowsCell<Window extends Pick<WindowView, 'name' | 'limitId' | 'leftPercent'>>(
  { windows }: { readonly windows: readonly Window[] },
  bar: (leftPercent: number) => string = () => '',
  after: (window: Window) => string = () => '',
): readonly TonedText[] {
  const usual = windows.filter(({ limitId }) => limitId === DEFAULT_LIMIT_ID)
  if (usual.length === 0) return [{ text: '-' }]
  return usual.flatMap((window, place) => [
    { text: place === 0 ? '' : '  ' },
    {
      text: `${window.name} ${bar(window.leftPercent)}${percentText(window.leftPercent)}`,
      tone: leftTone(window.leftPercent),
    },
    { text: after(window) },
  ])
}

/** A name that fits into a cell. */
export function shortName(row: Pick<AccountRow, 'name'>): string {
  return cut(row.name, 32)
}

/** More of them are counted. */
const MOST_NAMED = 12

/** What went wrong with which accounts, a line for each thing: for tables that have no room to say it in the row. */
export function problemLines(
  rows: readonly { readonly index: number; readonly error: string | null }[],
): readonly string[] {
  const errors = new Set(rows.flatMap(({ error }) => error ?? []))
  return Array.from(errors, (error) => {
    const numbers = rows.filter((row) => row.error === error).map(({ index }) => String(index))
    const rest = numbers.length - MOST_NAMED
    const named = numbers.slice(0, MOST_NAMED).join(', ')
    const who = `Account${numbers.length === 1 ? '' : 's'} ${named}`
    return `${who}${rest > 0 ? ` and ${rest} more` : ''}: ${error}`
  })
}
