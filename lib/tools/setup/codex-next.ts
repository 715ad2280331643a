import { nextAction } from '../../account-view/next-action.js'
import { viewsOf } from '../account-rows.js'
import { defineTool, LOCAL_PACE } from '../definition.js'

export const codexNext = defineTool({
  name: 'next',
  group: 'Setup and help',
  summary: 'Name the one thing to do next.',
  risk: 'read',
  args: {},
  watch: () => LOCAL_PACE,
  async run(runtime) {
    const pool = await runtime.store.read()
    const views = viewsOf(runtime, pool)
    return {
      recommendedNextAction: nextAction(views, runtime.clock.now()),
      totalAccounts: views.length,
      activeIndex: views.find(({ active }) => active)?.index ?? null,
    }
  },
  render: (data) => data.recommendedNextAction,
})
