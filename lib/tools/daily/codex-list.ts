import * as z from 'zod'

import { unreadableRecords, unreadableText } from '../../accounts/store/unreadable.js'
import { renderTable } from '../../kernel/text/table.js'
import {
  ACCOUNT_COLUMNS,
  type AccountRow,
  accountRows,
  NO_ACCOUNT,
  windowsCell,
} from '../account-rows.js'
import { defineTool } from '../definition.js'

/** The accounts of the pool. */
interface ListData {
  readonly storagePath: string
  readonly scope: 'global' | 'project'
  /** Accounts in the pool, whatever the filter. */
  readonly totalAccounts: number
  /** Records of the file that hold no login that can be read. */
  readonly unreadable: number
  readonly filterTag: string | null
  readonly accounts: readonly AccountRow[]
  /** A sentence for each account whose new tokens could not be stored yet. */
  readonly unsaved: readonly string[]
}

export const codexList = defineTool({
  name: 'list',
  group: 'Daily use',
  summary: 'List the ChatGPT accounts with their state and what is left of their limits.',
  risk: 'read',
  args: { tag: z.string().describe('only accounts with this tag').optional() },
  async run(runtime, { tag }, context): Promise<ListData> {
    const pool = await runtime.store.read()
    const rows = accountRows(runtime, pool, context)
    const wanted = tag?.trim().toLowerCase()
    return {
      storagePath: runtime.store.path,
      scope: runtime.scope.kind,
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
    const table = renderTable(
      data.accounts,
      [
        ...ACCOUNT_COLUMNS,
        { title: 'Plan', value: (row) => row.plan ?? '-', priority: 2 },
        { title: 'Left', value: (row) => windowsCell(row), priority: 4 },
        { title: 'Tags', value: (row) => row.tags.join(','), priority: 1 },
        { title: 'Note', value: (row) => row.note ?? '', priority: 0 },
      ],
      view.width,
    )
    return [table, ...(unreadable === '' ? [] : [unreadable]), ...data.unsaved].join('\n\n')
  },
})
