import { paceText } from './forecast-words.js'
import type { HistoryEntry } from '../history/entries.js'
import { forecastOf } from '../history/estimates.js'
import { formatAge, formatWhen } from '../kernel/text/moments.js'
import { plainText } from '../kernel/text/plain-text.js'
import { toned } from '../kernel/text/tones.js'
import { leftTone, STATE_TONES } from './tones.js'
import type { AccountView, WindowView } from './view.js'
import {
  blockText,
  evidenceText,
  percentText,
  pinText,
  scopeText,
  stateText,
  windowName,
} from './words.js'

/** One fact about an account. */
export interface Detail {
  readonly title: string
  readonly text: string
  /** The same with its marks (kernel/text/tones). */
  readonly toned: string
}

/**
 * Everything that is known of an account, fact by fact. Pure.
 * @param history for the pace and the last use; of other accounts nothing is taken
 */
export function accountDetails(
  view: AccountView,
  history: readonly HistoryEntry[],
  nowMs: number,
): readonly Detail[] {
  const isKey = view.kind === 'api-key'
  const evidence = evidenceText(view.state)
  const state = toned({
    text: stateText(view.state, view.active, (atMs) => formatWhen(atMs, nowMs)),
    tone: STATE_TONES[view.state.kind],
  })
  const lastUsedMs = history.reduce(
    (last, entry) =>
      entry.type === 'turn' && entry.uid === view.uid ? Math.max(last, entry.atMs) : last,
    view.lastUsedMs,
  )
  const facts: readonly (readonly [title: string, text: string | undefined])[] = [
    ['State', evidence === '' ? state : `${state}: ${evidence}`],
    ['Next', view.state.kind === 'login-needed' ? '{login}' : undefined],
    ['Kind', isKey ? 'API key' : ['ChatGPT', ...((view.plan ?? '') ? [view.plan] : [])].join(', ')],
    ...view.windows.map(
      (window) =>
        [
          `${windowName(window.kind, window.limitId)} window`,
          windowText(view.uid, window, history, nowMs),
        ] as const,
    ),
    ['Limits read', isKey ? undefined : agoText(view.readAtMs ?? 0, nowMs)],
    ...view.blocks.map(
      (block) =>
        [
          'Block',
          `${blockText(block)}${plainText(scopeText(block.scope))} until ${formatWhen(block.untilMs, nowMs)}`,
        ] as const,
    ),
    ...view.pools.map((pool) => ['Model pool', pool] as const),
    ['Pin', view.pin === undefined ? undefined : pinText(view.pin)],
    ['Last used', agoText(lastUsedMs, nowMs)],
    ['Banked resets', isKey ? undefined : String(view.resetCredits ?? 'not known')],
    ['Tags', view.tags.length === 0 ? undefined : view.tags.join(', ')],
    ['Note', view.note],
  ]
  return facts.flatMap(([title, text]) =>
    text === undefined ? [] : [{ title, text: plainText(text), toned: text }],
  )
}

function windowText(
  uid: string,
  window: WindowView,
  history: readonly HistoryEntry[],
  nowMs: number,
): string {
  const { limitId, leftPercent, resetsAtMs, reading } = window
  const reset = resetsAtMs === undefined ? '' : `, resets ${formatWhen(resetsAtMs, nowMs)}`
  const pace = paceText(forecastOf(history, { uid, limitId, window: reading }, nowMs), nowMs)
  const left = toned({ text: `${percentText(leftPercent)} left`, tone: leftTone(leftPercent) })
  return `${left}${reset}${pace === '' ? '' : `; at this pace ${pace}`}`
}

function agoText(atMs: number, nowMs: number): string {
  return atMs === 0 ? 'never' : formatAge(nowMs - atMs)
}
