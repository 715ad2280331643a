import type { AccountView } from '../../lib/account-view/view.js'
import { sidebarLines, type SidebarFacts } from '../../lib/tui/slots/sidebar-lines.js'
import type { Line } from '../../lib/tui/status-line.js'

/** Columns of the host's sidebar with its scroll bar. */
export const SIDEBAR_COLUMNS = 36

/** What a line shows. */
export function textOf(line: Line | undefined): string {
  return line?.spans.map(({ text }) => text).join('') ?? ''
}

/** The block of the sidebar, line by line. */
export function sidebarOf(
  accounts: readonly AccountView[],
  nowMs: number,
  facts: Partial<SidebarFacts> = {},
  width = SIDEBAR_COLUMNS,
): readonly Line[] {
  return sidebarLines(
    {
      accounts,
      serving: accounts[0],
      unreadable: 0,
      paceOf: () => undefined,
      lastSwitch: undefined,
      isOpen: true,
      ...facts,
    },
    nowMs,
    width,
  )
}
