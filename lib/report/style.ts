import { DARK, LIGHT } from './palette.js'

function declared(palette: Readonly<Record<string, string>>): string {
  return Object.entries(palette)
    .map(([name, colour]) => `--${name}: ${colour};`)
    .join(' ')
}

/** The one style sheet of the report; the page allows it by its hash. On paper it is light, whole, and cut between rows only. */
export const STYLE = `
:root { color-scheme: light dark; ${declared(LIGHT)} }
@media screen and (prefers-color-scheme: dark) { :root { ${declared(DARK)} } }
* { box-sizing: border-box; }
body { margin: 0; padding: 24px 16px 48px; font: 16px/1.5 system-ui, sans-serif; color: var(--fg); background: var(--bg); }
main { max-width: 72rem; margin: 0 auto; }
h1 { margin: 0; font-size: 1.6rem; }
h2 { margin: 40px 0 12px; font-size: 1.2rem; }
h3 { margin: 0; font-size: 1rem; overflow-wrap: anywhere; }
p { margin: 0 0 8px; overflow-wrap: anywhere; }
ul, dl, dd, figure { margin: 0; padding: 0; list-style: none; }
.soft, .legend, dt, caption { color: var(--soft); font-size: .875rem; }
.cards, .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); gap: 12px; align-items: start; }
.charts { grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr)); }
.cards > li, figure, .facts > div, .card { padding: 16px; border: 1px solid var(--line); border-radius: 12px; background: var(--card); min-width: 0; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 7.5rem), 1fr)); gap: 12px; margin-top: 20px; }
.facts dd { font-size: 1.4rem; font-weight: 600; }
.windows > li { margin-top: 12px; }
.window-head { display: flex; justify-content: space-between; gap: 8px; }
.bar { display: block; width: 100%; height: 10px; margin: 4px 0; border-radius: 5px; }
.track { fill: var(--h0); }
.fill { fill: var(--a); }
.low { fill: var(--bad); }
figcaption { font-weight: 600; overflow-wrap: anywhere; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 8px 0; }
.legend > span { display: inline-flex; align-items: center; gap: 6px; }
.sample { height: 12px; flex: none; }
.plot { display: grid; grid-template: 160px auto / 3rem minmax(0, 1fr); gap: 4px 6px; margin: 8px 0; font-size: .75rem; color: var(--soft); }
.plot > svg { width: 100%; height: 100%; overflow: visible; }
.plot .y { display: flex; flex-direction: column; justify-content: space-between; text-align: right; line-height: 1; margin: -6px 0; }
.plot .x { grid-column: 2; display: flex; justify-content: space-between; gap: 4px; white-space: nowrap; }
.plot .parts { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; text-align: center; }
.plot.heat { grid-template-rows: 196px auto; }
.plot.heat .y { justify-content: space-around; margin: 0; }
.plot .hours { display: grid; grid-template-columns: repeat(4, 1fr); }
path { fill: none; vector-effect: non-scaling-stroke; }
.grid { stroke: var(--line); stroke-width: 1; }
.line { stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.a { stroke: var(--a); }
.b { stroke: var(--b); stroke-dasharray: 7 4; }
.c { stroke: var(--c); stroke-dasharray: 2 4; }
.reset { stroke: var(--soft); stroke-width: 2; }
.alert { stroke: var(--bad); stroke-width: 7; stroke-linecap: round; }
.band { fill: var(--band); }
.column { fill: var(--a); }
.heat0 { fill: var(--h0); } .heat1 { fill: var(--h1); } .heat2 { fill: var(--h2); } .heat3 { fill: var(--h3); } .heat4 { fill: var(--h4); }
details { margin-top: 8px; }
details.more > summary { margin: 4px 0 12px; }
summary { cursor: pointer; color: var(--soft); font-size: .875rem; }
.scroll { overflow-x: auto; }
.scroll + .scroll, .scroll + p, p + .scroll { margin-top: 16px; }
.card > p:last-child { margin-bottom: 0; }
:focus-visible { outline: 2px solid var(--a); outline-offset: 2px; }
table { border-collapse: collapse; font-size: .875rem; width: 100%; }
caption { text-align: left; padding: 4px 0; }
th, td { padding: 4px 12px 4px 0; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; font-weight: 400; }
thead th { font-weight: 600; }
tbody th, td > bdi { white-space: normal; overflow-wrap: anywhere; }
tbody th { min-width: 8rem; }
td > bdi { display: inline-block; min-width: 7rem; }
bdi { unicode-bidi: isolate; direction: ltr; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
footer { margin-top: 40px; color: var(--soft); font-size: .875rem; }
@media screen and (max-width: 30rem) {
  th, td { white-space: normal; padding-right: 8px; overflow-wrap: anywhere; }
  .number { white-space: nowrap; }
  .plot .edges > span:nth-child(even):not(:last-child) { display: none; }
  .stack table, .stack tbody, .stack caption { display: block; }
  .stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .stack tr { display: flex; flex-wrap: wrap; gap: 0 16px; padding: 6px 0; border-bottom: 1px solid var(--line); }
  .stack th, .stack td { padding: 0; border: 0; }
  .stack tbody th { flex: 0 0 100%; font-weight: 600; }
  .stack td::before { content: attr(data-title) " "; color: var(--soft); }
  .stack td > bdi { display: inline; }
}
@media print {
  @page { margin: 14mm; }
  :root { color-scheme: light; }
  body { padding: 0; font-size: 10.5pt; background: none; }
  main { max-width: none; }
  h2 { margin-top: 24px; break-after: avoid; }
  h3, figcaption, caption { break-after: avoid; }
  figure, .cards > li, .facts, tr, p { break-inside: avoid; }
  thead { display: table-header-group; }
  .scroll { overflow: visible; }
  th, td { white-space: normal; overflow-wrap: anywhere; }
  .number { white-space: nowrap; }
  .charts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .plot .edges > span:nth-child(even):not(:last-child) { display: none; }
  .facts { grid-template-columns: repeat(4, minmax(0, 1fr)); }
  details:not(.more), details.more > summary { display: none; }
  details.more::details-content { content-visibility: visible; height: auto; }
}
`
