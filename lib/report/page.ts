import { percentText } from '../account-view/words.js'
import type { TurnEntry } from '../history/entries.js'
import { policyFor } from '../kernel/text/html.js'
import { forecastChart } from './charts/chart-forecast.js'
import { cacheChart, heatMap } from './charts/chart-tokens.js'
import { windowsChart } from './charts/chart-windows.js'
import { windowLines } from './charts/window-lines.js'
import { compactText, createCalendar, groupedText } from './formats.js'
import { html, type Markup, ownText, textOf } from './markup.js'
import { PERIOD_TITLES } from './comparison.js'
import { failoverSum, type SwitchOutcome, switchOutcomes } from './failover.js'
import { poolCards } from './pool-cards.js'
import { REMOVED, type ReportData } from './report-data.js'
import { comparisonTables } from './sections/comparison-tables.js'
import { paceTable } from './sections/pace-table.js'
import { switchTables } from './sections/switch-tables.js'
import { useTables, valueText } from './sections/use-tables.js'
import { STYLE } from './style.js'
import { cacheShare, grouped, sumsByDay, tokensByHour, tokenSum } from './token-sums.js'

/** How every report begins; a file that begins so may be replaced by the next one. */
export const REPORT_MARK =
  '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="generator" content="oc-codex-multi-auth report">'

/** No script, no request, no frame: the page allows its own style sheet by hash and nothing else. */
const POLICY = policyFor(STYLE)

/** A chart of one moment would have no width. */
const SHORTEST_RANGE_MS = 3_600_000

/** More pictures of one kind than these are looked for, not looked at. */
const CHARTS_AT_ONCE = 12

/**
 * The report as one HTML page that needs nothing beside itself. Its size is bounded by the number of accounts and days,
 * not by the number of entries. Pure.
 */
export function renderReport(data: ReportData): string {
  const calendar = createCalendar(data.timeZone)
  const names = new Map(
    data.accounts.map(({ uid, index, name }) => [uid, `${String(index)}. ${name}`]),
  )
  const nameOf = (uid: string): string => names.get(uid) ?? REMOVED
  const fromMs = Math.min(data.nowMs - SHORTEST_RANGE_MS, data.entries[0]?.atMs ?? data.nowMs)
  const turns = data.entries.filter((entry) => entry.type === 'turn')
  const outcomes = switchOutcomes(data.entries)
  const billed = new Set(
    data.accounts.filter(({ kind }) => kind === 'api-key').map(({ uid }) => uid),
  )
  const byAccount = [...grouped(windowLines(data.entries), ({ uid }) => uid)].sort(
    ([left], [right]) => placeOf(data, left) - placeOf(data, right),
  )
  return page(
    html`<header>
<h1>Codex usage</h1>
<p class="soft">Made ${calendar.moment(data.nowMs)} (${data.timeZone}). ${data.entries.length === 0 ? 'No history yet.' : `History from ${calendar.moment(fromMs)}.`} Personal usage as this computer saw it, not a bill.</p>
${facts(data.accounts.length, turns, outcomes)}
</header>
${data.comparison === undefined ? undefined : section(PERIOD_TITLES[data.comparison.period], card(comparisonTables(data.comparison, calendar)))}
${section('Accounts', poolCards(data.accounts, data.nowMs, calendar))}
${data.accounts.length === 0 ? undefined : section('Pace and budget', card(paceTable(data.accounts, data.forecasts, data.nowMs, calendar)))}
${data.accounts.length === 0 ? undefined : section('Forecast', data.forecasts.length === 0 ? nothing('No forecast yet: it needs readings of at least an hour.') : charts(data.forecasts.map((one) => forecastChart(nameOf(one.uid), one, data.nowMs, calendar))))}
${section('When tokens are used', turns.length === 0 ? nothing('No answer is recorded yet.') : heatMap(tokensByHour(turns, calendar)))}
${section('What was left over time', byAccount.length === 0 ? nothing('No reading is recorded yet.') : charts(byAccount.map(([uid, lines]) => windowsChart(nameOf(uid), lines, { fromMs, toMs: data.nowMs }, calendar))))}
${section('Cache hits', turns.length === 0 ? nothing('No answer is recorded yet.') : cacheChart(sumsByDay(turns, calendar), calendar))}
${section('Tokens by project and model', card(html`${useTables(turns, nameOf, (uid) => billed.has(uid))}${data.value && valueText(data.value)}`))}
${section('Account switches', card(switchTables(outcomes, nameOf, calendar)))}`,
  )
}

/** The few numbers to begin with. */
function facts(
  accounts: number,
  turns: readonly TurnEntry[],
  outcomes: readonly SwitchOutcome[],
): Markup {
  const sum = tokenSum(turns)
  const share = cacheShare(sum)
  const saved = turns.reduce((bytes, { savedBytes = 0 }) => bytes + savedBytes, 0)
  const rows: readonly (readonly [name: string, value: string])[] = [
    ['Accounts', groupedText(accounts)],
    ['Answers', groupedText(sum.turns)],
    ['Input tokens', compactText(sum.inputTokens)],
    ['Output tokens', compactText(sum.outputTokens)],
    ['Input from cache', share === undefined ? '-' : percentText(share * 100)],
    ['Account switches', groupedText(outcomes.length)],
    ['Interruptions avoided', groupedText(failoverSum(outcomes).avoided)],
    ...(saved === 0 ? [] : [['Not uploaded', sizeText(saved)] as const]),
  ]
  return html`<dl class="facts">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
}

/** @param bytes more than none */
function sizeText(bytes: number): string {
  return bytes >= 1e8 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`
}

/** Accounts in the order of the list, removed ones last. */
function placeOf({ accounts }: ReportData, uid: string): number {
  return accounts.find((account) => account.uid === uid)?.index ?? Infinity
}

function section(title: string, content: Markup): Markup {
  return html`<section><h2>${title}</h2>
${content}</section>`
}

/** The first charts; the others are folded away, but printed. */
function charts(list: readonly Markup[]): Markup {
  const more = list.slice(CHARTS_AT_ONCE)
  return html`<div class="charts">${list.slice(0, CHARTS_AT_ONCE)}</div>
${more.length === 0 ? undefined : html`<details class="more"><summary>${more.length} more</summary><div class="charts">${more}</div></details>`}`
}

function card(content: Markup): Markup {
  return html`<div class="card">${content}</div>`
}

function nothing(text: string): Markup {
  return card(html`<p>${text}</p>`)
}

function page(content: Markup): string {
  return `${REPORT_MARK}${textOf(html`
<meta http-equiv="Content-Security-Policy" content="${ownText(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>Codex usage</title>
<style>${ownText(STYLE)}</style>
</head>
<body>
<main>
${content}
<footer>Made on this computer by oc-codex-multi-auth. The page holds no script and asks nothing of the network.</footer>
</main>
</body>
</html>
`)}`
}
