import { accountRows } from './account-row.js'
import { nextAction } from './codex-status.js'
import { defineTool } from './definition.js'

interface NextData {
  readonly recommendedNextAction: string
  readonly totalAccounts: number
  /** From 1; null without accounts. */
  readonly activeIndex: number | null
}

/** `codex-next`. */
export const codexNext = defineTool({
  name: 'next',
  group: 'Setup and help',
  summary: 'Say the one thing to do next.',
  risk: 'read',
  args: {},
  async run(runtime, _args, context): Promise<NextData> {
    const pool = await runtime.store.read()
    const rows = accountRows(runtime, pool, context)
    return {
      recommendedNextAction: nextAction(rows),
      totalAccounts: rows.length,
      activeIndex: rows.find((row) => row.active)?.index ?? null,
    }
  },
  render: (data) => data.recommendedNextAction,
})
