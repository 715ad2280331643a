import { plainLines } from '../../kernel/text/plain-text.js'
import type { Attributes, Measure } from '../measures.js'

/** First line of every export; a file with it may be replaced by the next one. */
export const PROMETHEUS_MARK = '# oc-codex-multi-auth metrics'

/** Units as Prometheus puts them into names; the others stay out. */
const SUFFIXES: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes', '1': '_ratio' }

/**
 * Measures in the text exposition format 0.0.4. Without time stamps, which the textfile collector refuses. Pure.
 * Names follow the usual translation from OpenTelemetry: dots to underscores, unit and `_total` at the end.
 */
export function prometheusText(measures: readonly Measure[]): string {
  const families = new Map<string, { head: string; lines: Set<string>; series: Set<string> }>()
  for (const measure of measures) {
    const name = familyName(measure)
    const family = families.get(name) ?? {
      head: `# HELP ${name} ${escapedHelp(measure.help)}\n# TYPE ${name} ${measure.type}`,
      lines: new Set(),
      series: new Set(),
    }
    families.set(name, family)
    for (const [labels, lines] of pointLines(measure, name)) {
      // Two names that differ in a dot only would meet in one series, and one series twice fails the whole scrape.
      if (family.series.has(labels)) continue
      family.series.add(labels)
      for (const line of lines) family.lines.add(line)
    }
  }
  return `${[PROMETHEUS_MARK, ...[...families.values()].flatMap(({ head, lines }) => [head, ...lines])].join('\n')}\n`
}

function familyName({ name, unit, type }: Measure): string {
  const base = name.replace(/[^a-zA-Z0-9_:]/g, '_').replace(/^[0-9]/, '_$&')
  const suffix = SUFFIXES[unit] ?? ''
  return `${base.endsWith(suffix) ? base : `${base}${suffix}`}${type === 'counter' ? '_total' : ''}`
}

function pointLines(
  measure: Measure,
  name: string,
): (readonly [labels: string, lines: readonly string[]])[] {
  if (measure.type !== 'histogram') {
    return measure.points.map(({ attributes, value }) => {
      const labels = labelsOf(attributes)
      return [labels, [`${name}${labels} ${numberText(value)}`]]
    })
  }
  return measure.points.map(({ attributes, count, sum, buckets }) => {
    const labels = labelsOf(attributes)
    return [
      labels,
      [
        ...buckets.map(
          (bucket) =>
            `${name}_bucket${labelsOf(attributes, numberText(bucket.le))} ${numberText(bucket.count)}`,
        ),
        `${name}_sum${labels} ${numberText(sum)}`,
        `${name}_count${labels} ${numberText(count)}`,
      ],
    ]
  })
}

function labelsOf(attributes: Attributes, le?: string): string {
  const pairs = Object.entries(attributes).map(
    ([name, value]) => `${name.replace(/[^a-zA-Z0-9_]/g, '_')}="${escapedLabel(value)}"`,
  )
  if (le !== undefined) pairs.push(`le="${le}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf'
  return value === -Infinity ? '-Inf' : String(value)
}

function escapedLabel(text: string): string {
  return plainLines(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function escapedHelp(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ').replaceAll('\\', '\\\\')
}
