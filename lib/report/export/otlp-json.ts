import { plainText } from '../../kernel/text/plain-text.js'
import type { Attributes, Measure } from '../measures.js'

/** How every export begins; a file that begins so may be replaced by the next one. */
export const OTLP_MARK =
  '{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"oc-codex-multi-auth"}}'

/** `AGGREGATION_TEMPORALITY_CUMULATIVE` */
const CUMULATIVE = 2

/**
 * Measures as an `ExportMetricsServiceRequest` in the JSON encoding of OTLP: what a collector takes at `/v1/metrics`.
 * 64-bit integers are strings there. Pure.
 */
export function otlpJson(
  measures: readonly Measure[],
  about: { readonly version: string; readonly nowMs: number },
): string {
  const timeUnixNano = nanos(about.nowMs)
  return JSON.stringify({
    resourceMetrics: [
      {
        resource: {
          attributes: attributesOf({
            'service.name': 'oc-codex-multi-auth',
            'service.version': about.version,
          }),
        },
        scopeMetrics: [
          {
            scope: { name: 'oc-codex-multi-auth', version: about.version },
            metrics: measures.map((measure) => metricOf(measure, timeUnixNano)),
          },
        ],
      },
    ],
  })
}

function metricOf(measure: Measure, timeUnixNano: string): Record<string, unknown> {
  const head = { name: measure.name, description: measure.help, unit: measure.unit }
  if (measure.type === 'gauge') {
    const dataPoints = measure.points.map((point) => numberPoint(point, { timeUnixNano }))
    return { ...head, gauge: { dataPoints } }
  }
  const times = { startTimeUnixNano: nanos(measure.sinceMs), timeUnixNano }
  if (measure.type === 'counter') {
    const dataPoints = measure.points.map((point) => numberPoint(point, times))
    return { ...head, sum: { aggregationTemporality: CUMULATIVE, isMonotonic: true, dataPoints } }
  }
  const dataPoints = measure.points.map(({ attributes, count, sum, buckets }) => ({
    attributes: attributesOf(attributes),
    ...times,
    count: String(count),
    sum,
    // Ours count up; OTLP wants each bucket by itself, and the last bound, infinity, unsaid.
    bucketCounts: buckets.map((bucket, index) =>
      String(bucket.count - (buckets[index - 1]?.count ?? 0)),
    ),
    explicitBounds: buckets.slice(0, -1).map(({ le }) => le),
  }))
  return { ...head, histogram: { aggregationTemporality: CUMULATIVE, dataPoints } }
}

function numberPoint(
  { attributes, value }: { readonly attributes: Attributes; readonly value: number },
  times: Readonly<Record<string, string>>,
): Record<string, unknown> {
  return { attributes: attributesOf(attributes), ...times, asDouble: value }
}

function attributesOf(attributes: Attributes): { key: string; value: { stringValue: string } }[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: { stringValue: plainText(value) },
  }))
}

function nanos(ms: number): string {
  return `${String(Math.round(ms))}000000`
}
