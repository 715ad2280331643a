import { pseudonymOf } from '../bridge/trace.js'
import { packageVersion } from '../kernel/version.js'
import { measuresOf } from '../report/measures.js'
import { OTLP_MARK, otlpJson } from '../report/otlp-json.js'
import { PROMETHEUS_MARK, prometheusText } from '../report/prometheus.js'
import type { Runtime } from '../runtime.js'
import { accountRows } from './account-row.js'

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
  const rows = accountRows(runtime, pool, { includeSensitive: false })
  const measures = measuresOf({
    process: runtime.metrics.snapshot(),
    // The same at each export: a start that moves would be read as a restart.
    processSinceMs: performance.timeOrigin,
    accounts: pool.accounts.flatMap(({ uid }, position) => {
      const row = rows[position]
      return row === undefined
        ? []
        : [
            {
              account: pseudonymOf(uid),
              usable: row.status === 'ok' || row.status === 'active',
              windows: row.windows,
            },
          ]
    }),
    entries,
    nameOf: pseudonymOf,
    nowMs,
  })
  return format === 'prometheus'
    ? prometheusText(measures)
    : otlpJson(measures, { version: packageVersion(), nowMs })
}
