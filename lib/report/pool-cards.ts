import { leftTone } from '../account-view/tones.js'
import type { AccountView, WindowView } from '../account-view/view.js'
import { evidenceText, percentText, pinText, stateText, windowName } from '../account-view/words.js'
import type { Calendar } from './formats.js'
import { html, type Markup } from './markup.js'
import { budgetText } from './sections/pace-table.js'

/** Every account with its state and what is left of its windows. */
export function poolCards(
  accounts: readonly AccountView[],
  nowMs: number,
  calendar: Calendar,
): Markup {
  if (accounts.length === 0) return html`<p class="card">No account is signed in.</p>`
  return html`<ul class="cards">${accounts.map((account) => card(account, nowMs, calendar))}</ul>`
}

function card(account: AccountView, nowMs: number, calendar: Calendar): Markup {
  const { index, name, windows } = account
  return html`<li>
<h3>${index}. <bdi>${name}</bdi></h3>
<p class="soft">${stateLine(account, calendar)}</p>
${windows.length === 0 ? html`<p class="soft">No reading yet.</p>` : html`<ul class="windows">${windows.map((window) => windowItem(window, nowMs, calendar))}</ul>`}
</li>`
}

/** The page is read later than it was made: moments stand in it without their distance. */
function stateLine({ state, active, pin, plan }: AccountView, calendar: Calendar): string {
  const words = stateText(state, active, (atMs) => calendar.moment(atMs))
  const parts = [
    words,
    evidenceText(state),
    active && words !== 'active' ? 'active' : '',
    pin === undefined ? '' : pinText(pin),
    plan === undefined ? '' : `plan ${plan}`,
  ]
  return parts.filter((part) => part !== '').join(', ')
}

function windowItem(
  { kind, limitId, leftPercent, resetsAtMs, observedAtMs }: WindowView,
  nowMs: number,
  calendar: Calendar,
): Markup {
  const reset =
    resetsAtMs === undefined ? 'reset not known' : `resets ${calendar.moment(resetsAtMs)}`
  const budget = budgetText({ leftPercent, resetsAtMs }, nowMs)
  const low = leftTone(leftPercent) === 'bad'
  return html`<li><span class="window-head"><span>${windowName(kind, limitId)}</span><span><b>${percentText(leftPercent)}</b> left${low ? ' (low)' : ''}</span></span>
<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="8"/><rect class="${low ? 'fill low' : 'fill'}" width="${Math.round(leftPercent * 10) / 10}" height="8"/></svg>
<span class="soft">${reset}, read ${calendar.dayTime(observedAtMs)}${budget === undefined || leftPercent <= 0 ? '' : `; to stay on pace: ${budget}`}</span></li>`
}
