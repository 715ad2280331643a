import { paceText } from '../forecast/pace-text.js'
import { forecastOf } from '../history/forecasts.js'
import { parseLines } from '../history/lines.js'
import { MAX_FOREIGN_BYTES, readBoundedFile } from '../kernel/bounded-file.js'
import { formatDuration, formatWhen } from '../kernel/moments.js'
import { plainText } from '../kernel/plain-text.js'
import { DEFAULT_LIMIT_ID } from '../routing/limits.js'
import type { HistoryEntry } from '../history/entries.js'
import type { AccountView } from './pool-view.js'
import { percent, standstillOf } from './status-line.js'

/** One fact about an account. */
export interface Detail {
  readonly title: string
  readonly text: string
}

/** Everything that is known of an account, fact by fact. Pure. @param history what the history holds of it; may be empty */
export function accountDetails(
  account: AccountView,
  history: readonly HistoryEntry[],
  nowMs: number,
): readonly Detail[] {
  const state = !account.enabled
    ? 'disabled'
    : account.needsLogin
      ? 'has to sign in again: opencode auth login'
      : standstillOf(account) !== undefined
        ? 'blocked'
        : 'can serve'
  const lastUsedMs = Math.max(
    account.lastUsedMs,
    ...history.map((entry) => (entry.type === 'turn' ? entry.atMs : 0)),
  )
  const windows = account.windows.map((window): Detail => {
    const reset =
      window.resetsAtMs === undefined ? '' : `, resets ${formatWhen(window.resetsAtMs, nowMs)}`
    const pace =
      window.source === undefined
        ? ''
        : paceText(
            forecastOf(
              history,
              { uid: account.uid, limitId: DEFAULT_LIMIT_ID, window: window.source },
              nowMs,
            ),
            nowMs,
          )
    return {
      title: `${window.name} window`,
      text: `${percent(window)} left${reset}${pace === '' ? '' : `; at this pace ${pace}`}`,
    }
  })
  return [
    { title: 'State', text: state },
    ...(account.plan === undefined ? [] : [{ title: 'Plan', text: account.plan }]),
    ...windows,
    ...(account.readAtMs === undefined
      ? [{ title: 'Reading', text: 'never read' }]
      : [{ title: 'Reading', text: `${formatDuration(nowMs - account.readAtMs)} old` }]),
    ...account.blocks.map((block): Detail => ({
      title: 'Block',
      text: `${block.reason.replaceAll('_', ' ')}${scopeText(block.scope)}, until ${formatWhen(block.untilMs, nowMs)}`,
    })),
    ...account.pools.map((pool): Detail => ({ title: 'Model pool', text: pool })),
    ...(account.isPinned
      ? [{ title: 'Pin', text: 'new requests go here while it can serve' }]
      : []),
    {
      title: 'Last used',
      text: lastUsedMs === 0 ? 'not known' : `${formatDuration(nowMs - lastUsedMs)} ago`,
    },
    { title: 'Banked resets', text: String(account.resetCredits ?? 'not known') },
  ]
}

function scopeText(scope: string): string {
  return scope === '*' ? '' : ` (${plainText(scope.replace(':', ' '))})`
}

/** Readings and turns of an account in the history file; empty when it cannot be read. */
export async function historyOf(file: string, uid: string): Promise<readonly HistoryEntry[]> {
  const text = (await readBoundedFile(file, MAX_FOREIGN_BYTES).catch(() => '')) ?? ''
  return parseLines(text, (line) => line.includes(uid) && /"(?:reading|turn)"/.test(line))
}
