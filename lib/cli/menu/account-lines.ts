import type { Detail } from '../../account-view/details.js'
import type { AccountView } from '../../account-view/view.js'
import { stateText } from '../../account-view/words.js'
import { formatMoment } from '../../kernel/text/moments.js'
import { renderTable } from '../../kernel/text/table.js'
import { shortName, windowsCell } from '../../tools/account-rows.js'

/** One line per account that fits `width` columns. Pure. */
export function accountLines(
  views: readonly AccountView[],
  width: number,
  nowMs: number,
): readonly string[] {
  const [, ...lines] = renderTable(
    views,
    [
      { title: '', value: ({ index, active }) => `${index}${active ? '*' : ' '}`, align: 'right' },
      { title: '', value: shortName },
      { title: '', value: (view) => statusText(view, nowMs) },
      { title: '', value: (view) => windowsCell(view) },
      { title: '', value: ({ plan }) => plan ?? '', priority: 2 },
      { title: '', value: ({ tags }) => tags.join(','), priority: 1 },
    ],
    width,
  ).split('\n')
  return lines
}

/** The state in words, and the pin. */
export function statusText({ state, active, pin }: AccountView, nowMs: number): string {
  const text = stateText(state, active, (atMs) => formatMoment(atMs, nowMs))
  return pin === undefined ? text : `${text}, pinned`
}

/** Facts in lines, their titles side by side. Pure. */
export function detailLines(details: readonly Detail[]): string {
  const width = Math.max(...details.map(({ title }) => title.length))
  return details.map(({ title, text }) => `${title.padEnd(width)}  ${text}`).join('\n')
}
