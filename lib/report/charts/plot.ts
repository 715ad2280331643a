import type { Calendar } from '../formats.js'
import { html, type Markup, type Part } from '../markup.js'

/** Time from left to right. */
export interface TimeAxis {
  /** Epoch ms. */
  readonly fromMs: number
  readonly toMs: number
}

/** Every plot is drawn on this field and stretched to the space there is; texts stand beside it, so they keep their size. */
export const PLOT_WIDTH = 1000
export const PLOT_HEIGHT = 100

const DAY_MS = 86_400_000
const TICKS = [0, 1, 2, 3, 4]

/** Place of a moment on the field, cut at its edges. */
export function xOf(atMs: number, { fromMs, toMs }: TimeAxis): number {
  const share = toMs > fromMs ? (atMs - fromMs) / (toMs - fromMs) : 0
  return Math.round(Math.min(1, Math.max(0, share)) * PLOT_WIDTH)
}

/** Place of a percentage on the field, one decimal. */
export function yOf(percent: number): number {
  return oneDecimal(PLOT_HEIGHT - Math.min(100, Math.max(0, percent)))
}

/** More digits of a place would only make the page larger. */
export function oneDecimal(value: number): number {
  return Math.round(value * 10) / 10
}

/** A chart with its caption. */
export function figure(caption: Part, parts: readonly Markup[]): Markup {
  return html`<figure>
<figcaption>${caption}</figcaption>
${parts}
</figure>`
}

/** A mark of a legend, 12 high. */
export function sample(width: number, mark: Markup): Markup {
  return html`<svg class="sample" viewBox="0 0 ${width} 12" aria-hidden="true">${mark}</svg>`
}

/** The `d` of a line through points; one point alone becomes a short dash. */
export function linePath(points: readonly { readonly x: number; readonly y: number }[]): string {
  const [first, ...rest] = points
  if (first === undefined) return ''
  return rest.length === 0
    ? `M${String(first.x - 3)} ${String(first.y)}h6`
    : `M${points.map(({ x, y }) => `${String(x)} ${String(y)}`).join('L')}`
}

/** The `d` of round marks of constant size: strokes of no length with round ends. */
export function dotsPath(points: readonly { readonly x: number; readonly y: number }[]): string {
  return points.map(({ x, y }) => `M${String(x)} ${String(y)}h.01`).join('')
}

/**
 * A plot with percent on its left side.
 * @param label says in words what can be seen
 * @param below stand under it: from edge to edge, or each in the middle of its equal part
 */
export function percentPlot(
  label: string,
  below: { readonly texts: readonly string[]; readonly place: 'edges' | 'parts' },
  drawing: readonly Markup[],
): Markup {
  return html`<div class="plot">
<div class="y" aria-hidden="true"><span>100%</span><span>50%</span><span>0%</span></div>
<svg role="img" aria-label="${label}" viewBox="0 0 ${PLOT_WIDTH} ${PLOT_HEIGHT}" preserveAspectRatio="none"><path class="grid" d="M0 0H1000M0 25H1000M0 50H1000M0 75H1000M0 100H1000"/>${drawing}</svg>
<div class="x ${below.place}" aria-hidden="true">${below.texts.map((text) => html`<span>${text}</span>`)}</div>
</div>`
}

/** A plot of percent over time; see `percentPlot`. */
export function timePlot(
  label: string,
  axis: TimeAxis,
  calendar: Calendar,
  drawing: readonly Markup[],
): Markup {
  return percentPlot(label, { texts: tickTexts(axis, calendar), place: 'edges' }, drawing)
}

function tickTexts({ fromMs, toMs }: TimeAxis, calendar: Calendar): string[] {
  const span = toMs - fromMs
  const text = (atMs: number): string =>
    span > 4 * DAY_MS
      ? calendar.shortDate(atMs)
      : span > DAY_MS
        ? calendar.dayTime(atMs)
        : calendar.time(atMs)
  return TICKS.map((tick) => text(fromMs + (span * tick) / (TICKS.length - 1)))
}
