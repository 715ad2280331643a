import type { Calendar } from './calendar.js'
import { html, type Markup } from './markup.js'
import { percentText } from './number-text.js'
import type { ReportAccount, ReportWindow } from './report-data.js'

/** From here down a window is shown as running low, percent. */
const LOW_PERCENT = 10

/** Every account with its state and what is left of its windows. */
export function poolCards(accounts: readonly ReportAccount[], calendar: Calendar): Markup {
  if (accounts.length === 0) return html`<p class="card">No account is signed in.</p>`
  return html`<ul class="cards">${accounts.map((account) => card(account, calendar))}</ul>`
}

function card(
  { index, name, plan, status, active, windows }: ReportAccount,
  calendar: Calendar,
): Markup {
  return html`<li>
<h3>${index}. <bdi>${name}</bdi></h3>
<p class="soft">${status}${active && status !== 'active' ? ', active' : ''}${plan === null ? '' : `, plan ${plan}`}</p>
${windows.length === 0 ? html`<p class="soft">No reading yet.</p>` : html`<ul class="windows">${windows.map((window) => windowItem(window, calendar))}</ul>`}
</li>`
}

function windowItem(
  { name, limitId, leftPercent, resetsAtMs, observedAtMs }: ReportWindow,
  calendar: Calendar,
): Markup {
  const reset = resetsAtMs === null ? 'reset not known' : `resets ${calendar.moment(resetsAtMs)}`
  const low = leftPercent <= LOW_PERCENT
  return html`<li><span class="window-head"><span>${limitId === 'codex' ? name : `${name} ${limitId}`}</span><span><b>${percentText(leftPercent)}</b> left${low ? ' (low)' : ''}</span></span>
<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="8"/><rect class="${low ? 'fill low' : 'fill'}" width="${Math.round(leftPercent * 10) / 10}" height="8"/></svg>
<span class="soft">${reset}, read ${calendar.dayTime(observedAtMs)}</span></li>`
}
