import type { Detail } from '../../account-view/details.js'
import type { AccountView } from '../../account-view/view.js'
import { stateText, untilText } from '../../account-view/words.js'
import { formatMoment } from '../../kernel/text/moments.js'
import { type Column, fits, formThatFits, renderTable } from '../../kernel/text/table.js'
import { shortName, windowsCell } from '../../tools/account-rows.js'

/** Columns of a name beside which, in a terminal of 60, everything else has room. The number tells accounts apart, too. */
const SHORTEST_NAME = 7

/** One line per account that fits `width` columns. Pure. */
export function accountLines(
  views: readonly AccountView[],
  width: number,
  nowMs: number,
): readonly string[] {
  const forms = [statusText, endText].map((status) => columnsWith((view) => status(view, nowMs)))
  const form = formThatFits(forms, (one) => fits(views, one, width))
  const least = { title: '', value: ({ tags }: AccountView) => tags.join(','), priority: 1 }
  const plan = { title: '', value: (view: AccountView) => view.plan ?? '', priority: 2 }
  const [, ...lines] = renderTable(views, [...form, plan, least], width).split('\n')
  return lines
}

function columnsWith(status: (view: AccountView) => string): readonly Column<AccountView>[] {
  return [
    { title: '', value: ({ index, active }) => `${index}${active ? '*' : ' '}`, align: 'right' },
    { title: '', value: shortName, cutTo: SHORTEST_NAME },
    { title: '', value: status },
    { title: '', value: (view) => windowsCell(view), priority: 3 },
  ]
}

/** The state in words, and the pin. */
export function statusText(view: AccountView, nowMs: number): string {
  return pinned(
    view,
    stateText(view.state, view.active, (atMs) => formatMoment(atMs, nowMs)),
  )
}

/** The same where there is hardly room: of a state that ends, its end. */
function endText(view: AccountView, nowMs: number): string {
  const { state } = view
  return 'untilMs' in state
    ? pinned(
        view,
        untilText(state.untilMs, (atMs) => formatMoment(atMs, nowMs)),
      )
    : statusText(view, nowMs)
}

function pinned({ pin }: AccountView, text: string): string {
  return pin === undefined ? text : `${text}, pinned`
}

/** Facts in lines, their titles side by side. Pure. */
export function detailLines(details: readonly Detail[]): string {
  const width = Math.max(...details.map(({ title }) => title.length))
  return details.map(({ title, text }) => `${title.padEnd(width)}  ${text}`).join('\n')
}
