import { budgetOf, type RetryBudget } from '../bridge/budget.js'
import type { MetricsSnapshot } from '../kernel/metrics.js'
import { renderTable } from '../kernel/table.js'
import { defineTool } from './definition.js'

interface MetricsData {
  readonly counters: MetricsSnapshot['counters']
  readonly histograms: MetricsSnapshot['histograms']
  readonly retryProfile: string
  readonly retryBudget: RetryBudget
  readonly lastRequests: readonly { readonly startedAtMs: number; readonly model: string; readonly outcome: string | null; readonly attempts: number; readonly durationMs: number | null; readonly firstOutputMs: number | null }[]
}

/** `codex-metrics`. */
export const codexMetrics = defineTool({
  name: 'metrics',
  group: 'Diagnostics',
  summary: 'Show counters and the last requests of this OpenCode process.',
  args: {},
  async run(runtime): Promise<MetricsData> {
    const { counters, histograms } = runtime.metrics.snapshot()
    return {
      counters,
      histograms,
      retryProfile: runtime.config.retryProfile,
      retryBudget: budgetOf(runtime.config),
      lastRequests: runtime.trace
        .recent()
        .slice(-20)
        .map((record) => ({
          startedAtMs: record.startedAtMs,
          model: record.model,
          outcome: record.outcome ?? null,
          attempts: record.attempts.length,
          durationMs: record.durationMs ?? null,
          firstOutputMs: record.firstOutputMs ?? null,
        })),
    }
  },
  render(data, view) {
    const counters = Object.entries(data.counters)
    if (counters.length === 0) return 'This process has sent no request yet.'
    return renderTable(counters, [{ title: 'Counter', value: ([name]) => name }, { title: 'Count', value: ([, count]) => String(count), align: 'right' }], view.width)
  },
})
