import * as z from 'zod'

import { unreadableRecords, unreadableText } from '../../accounts/store/unreadable.js'
import { type Column, fits, formThatFits, renderTable } from '../../kernel/text/table.js'
import {
  accountBeginnings,
  accountRows,
  type AccountRow,
  NO_ACCOUNT,
  windowsCell,
} from '../account-rows.js'
import { defineTool, LOCAL_PACE } from '../definition.js'

export const codexList = defineTool({
  name: 'list',
  group: 'Daily use',
  summary: 'List the ChatGPT accounts with their state and what is left of their limits.',
  risk: 'read',
  args: { tag: z.string().describe('only accounts with this tag').optional() },
  watch: () => LOCAL_PACE,
  async run(runtime, { tag }, context) {
    const pool = await runtime.store.read()
    const rows = accountRows(runtime, pool, context)
    const wanted = tag?.trim().toLowerCase()
    return {
      storagePath: runtime.store.path,
      scope: runtime.scope.kind,
      /** Whatever the filter. */
      totalAccounts: rows.length,
      unreadable: unreadableRecords(pool).length,
      filterTag: wanted ?? null,
      accounts: wanted === undefined ? rows : rows.filter((row) => row.tags.includes(wanted)),
      unsaved: await runtime.tokens.unsaved(),
    }
  },
  render(data, view) {
    const unreadable = unreadableText(data.unreadable)
    if (data.totalAccounts === 0) return [NO_ACCOUNT, unreadable].join('\n').trimEnd()
    if (data.accounts.length === 0)
      return `No account has the tag ${JSON.stringify(data.filterTag)}.`
    const left: Column<AccountRow> = {
      title: 'Left',
      value: (row) => windowsCell(row),
      priority: 4,
    }
    const beginning = formThatFits(accountBeginnings(view.nowMs), (one) =>
      fits(data.accounts, [...one, left], view.width),
    )
    const table = renderTable(
      data.accounts,
      [
        ...beginning,
        { title: 'Plan', value: (row) => row.plan ?? '-', priority: 2 },
        left,
        { title: 'Tags', value: (row) => row.tags.join(','), priority: 1 },
        { title: 'Note', value: (row) => row.note ?? '', priority: 0 },
      ],
      view.width,
    )
    return [table, ...(unreadable === '' ? [] : [unreadable]), ...data.unsaved].join('\n\n')
  },
})
