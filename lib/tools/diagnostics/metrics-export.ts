import { canServe } from '../../account-view/state.js'
import { pseudonymOf } from '../../request/trace/trace.js'
import { packageVersion } from '../../kernel/version.js'
import { measuresOf } from '../../report/measures.js'
import { OTLP_MARK, otlpJson } from '../../report/export/otlp-json.js'
import { PROMETHEUS_MARK, prometheusText } from '../../report/export/prometheus.js'
import type { Runtime } from '../../runtime.js'
import { viewsOf } from '../account-rows.js'

/** Formats that other programs read. */
export const EXPORT_FORMATS = ['prometheus', 'otlp-json'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** How a file of each format begins. */
export const EXPORT_MARKS: Readonly<Record<ExportFormat, string>> = {
  prometheus: PROMETHEUS_MARK,
  'otlp-json': OTLP_MARK,
}

/** What this process and the shared files know, in the form another program takes. Accounts are pseudonyms. */
export async function metricsExport(runtime: Runtime, format: ExportFormat): Promise<string> {
  const nowMs = runtime.clock.now()
  const [pool, entries] = await Promise.all([runtime.store.read(), runtime.history.read()])
  const measures = measuresOf({
    process: runtime.metrics.snapshot(),
    // The same at each export: a start that moves would be read as a restart.
    processSinceMs: performance.timeOrigin,
    accounts: viewsOf(runtime, pool).map(({ uid, state, windows }) => ({
      account: pseudonymOf(uid),
      usable: canServe(state),
      windows,
    })),
    entries,
    nameOf: pseudonymOf,
    nowMs,
  })
  return format === 'prometheus'
    ? prometheusText(measures)
    : otlpJson(measures, { version: packageVersion(), nowMs })
}
