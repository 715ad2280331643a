import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { createMetrics } from '../../lib/kernel/metrics.js'
import { type MeasureInput, measuresOf } from '../../lib/report/measures.js'
import { OTLP_MARK, otlpJson } from '../../lib/report/export/otlp-json.js'
import { PROMETHEUS_MARK, prometheusText } from '../../lib/report/export/prometheus.js'
import { anyHistory, DAY, HOUR, move, NOW, reading, turn } from './entries.js'

const NOTHING: MeasureInput = {
  process: { counters: {} },
  processSinceMs: NOW - HOUR,
  accounts: [],
  entries: [],
  nameOf: (uid) => `account-${uid}`,
  nowMs: NOW,
}
const input = (parts: Partial<MeasureInput>): MeasureInput => ({ ...NOTHING, ...parts })
const textOf = (parts: Partial<MeasureInput>): string => prometheusText(measuresOf(input(parts)))
const otlpOf = (parts: Partial<MeasureInput>): ExportRequest =>
  JSON.parse(otlpJson(measuresOf(input(parts)), { version: '1.2.3', nowMs: NOW })) as ExportRequest

/** The parts of an export request that the tests look at. */
interface ExportRequest {
  readonly resourceMetrics: readonly [
    {
      readonly resource: { readonly attributes: unknown }
      readonly scopeMetrics: readonly [{ readonly metrics: readonly Metric[] }]
    },
  ]
}
interface Metric {
  readonly name: string
  readonly sum?: { readonly dataPoints: readonly unknown[] }
  readonly histogram?: {
    readonly dataPoints: readonly {
      readonly count: string
      readonly bucketCounts: readonly string[]
      readonly explicitBounds: readonly number[]
    }[]
  }
}

/** Lines of the text exposition format: a comment, or a name with labels and a value. */
const LINE =
  /^(?:# (?:HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* .*|# oc-codex.*|[a-zA-Z_:][a-zA-Z0-9_:]*(?:\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)+\})? (?:[+-]Inf|-?[0-9.e+-]+))$/

describe('the Prometheus export', () => {
  it('says what is left of each window of each account, when it resets and when it was read', () => {
    const text = textOf({
      accounts: [
        {
          account: 'account-1',
          usable: true,
          windows: [
            {
              name: '5h',
              limitId: 'codex',
              leftPercent: 62,
              resetsAtMs: NOW + HOUR,
              observedAtMs: NOW - 1000,
            },
          ],
        },
      ],
    })
    expect(text).toContain(
      '# TYPE codex_quota_left_ratio gauge\ncodex_quota_left_ratio{codex_account="account-1",codex_limit="codex",codex_window="5h"} 0.62\n',
    )
    expect(text).toContain(
      `codex_quota_reset_time_seconds{codex_account="account-1",codex_limit="codex",codex_window="5h"} ${(NOW + HOUR) / 1000}\n`,
    )
    expect(text).toContain('codex_account_usable{codex_account="account-1"} 1\n')
  })

  it('leaves a reset time that is not known out', () => {
    const text = textOf({
      accounts: [
        {
          account: 'a',
          usable: false,
          windows: [
            {
              name: '7d',
              limitId: 'codex',
              leftPercent: 0,
              resetsAtMs: undefined,
              observedAtMs: NOW,
            },
          ],
        },
      ],
    })
    expect(text).not.toContain('codex_quota_reset_time_seconds')
    expect(text).toContain('codex_account_usable{codex_account="a"} 0')
  })

  it('counts the tokens of today by account, model and type, and forgets those of yesterday', () => {
    const text = textOf({
      entries: [turn({ atMs: NOW - DAY }), turn(), turn({ inputTokens: 500 })],
    })
    expect(text).toContain(
      'codex_tokens_total{codex_account="account-u1",gen_ai_request_model="gpt-5.5",codex_token_type="input"} 1500\n',
    )
  })

  it('gives histograms cumulative buckets that end at +Inf with the count', () => {
    const text = textOf({ entries: [turn({ durationMs: 15 }), turn({ durationMs: 500_000 })] })
    const labels =
      'gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-5.5"'
    expect(text).toContain('# TYPE gen_ai_client_operation_duration_seconds histogram\n')
    expect(text).toContain(
      `gen_ai_client_operation_duration_seconds_bucket{${labels},le="0.02"} 1\n`,
    )
    expect(text).toContain(
      `gen_ai_client_operation_duration_seconds_bucket{${labels},le="+Inf"} 2\n`,
    )
    expect(text).toContain(`gen_ai_client_operation_duration_seconds_count{${labels}} 2\n`)
    expect(text).toContain(`gen_ai_client_operation_duration_seconds_sum{${labels}} 500.015\n`)
  })

  it('turns the dotted counters of the process into one family with kinds', () => {
    const metrics = createMetrics()
    metrics.count('requests.completed', 3)
    metrics.count('requests.failed')
    metrics.count('waits')
    const text = textOf({ process: metrics.snapshot() })
    expect(text).toContain(
      '# TYPE codex_process_requests_total counter\ncodex_process_requests_total{codex_kind="completed"} 3\ncodex_process_requests_total{codex_kind="failed"} 1\n',
    )
    expect(text).toContain('codex_process_waits_total 1\n')
  })

  it('is well-formed for any names, with each series and each family once', () => {
    fc.assert(
      fc.property(
        anyHistory,
        fc.dictionary(fc.string({ unit: 'binary', minLength: 1 }), fc.nat()),
        fc.string({ unit: 'binary' }),
        (entries, counters, name) => {
          const text = textOf({
            entries: [...entries, turn({ model: name }), move({ reason: name })],
            process: { counters },
          })
          expect(text.startsWith(`${PROMETHEUS_MARK}\n`)).toBe(true)
          expect(text.endsWith('\n')).toBe(true)
          const lines = text.slice(0, -1).split('\n')
          for (const line of lines) expect(line).toMatch(LINE)
          const series = lines
            .filter((line) => !line.startsWith('#'))
            .map((line) => line.slice(0, line.lastIndexOf(' ')))
          expect(new Set(series).size).toBe(series.length)
          const families = lines.filter((line) => line.startsWith('# TYPE'))
          expect(new Set(families).size).toBe(families.length)
        },
      ),
    )
  })

  it('is a comment and nothing else when there is nothing to tell', () => {
    expect(textOf({})).toBe(`${PROMETHEUS_MARK}\n`)
  })
})

describe('the OTLP export', () => {
  it('is an export request with the name and version of the service', () => {
    const [{ resource, scopeMetrics }] = otlpOf({ entries: [turn()] }).resourceMetrics
    expect(resource.attributes).toEqual([
      { key: 'service.name', value: { stringValue: 'oc-codex-multi-auth' } },
      { key: 'service.version', value: { stringValue: '1.2.3' } },
    ])
    expect(scopeMetrics[0].metrics.map(({ name }) => name)).toEqual([
      'codex.tokens',
      'gen_ai.client.token.usage',
      'gen_ai.client.operation.duration',
    ])
  })

  it('writes times as nanoseconds in strings and counters as monotonic sums since midnight UTC', () => {
    const [tokens] = otlpOf({ entries: [turn()] }).resourceMetrics[0].scopeMetrics[0].metrics
    expect(tokens?.sum).toMatchObject({ aggregationTemporality: 2, isMonotonic: true })
    expect(tokens?.sum?.dataPoints[0]).toMatchObject({
      startTimeUnixNano: `${NOW - 12 * HOUR}000000`,
      timeUnixNano: `${NOW}000000`,
      asDouble: 1000,
    })
  })

  it('gives histograms one bucket more than bounds, adding up to the count', () => {
    fc.assert(
      fc.property(anyHistory, (entries) => {
        for (const { histogram } of otlpOf({ entries }).resourceMetrics[0].scopeMetrics[0]
          .metrics) {
          for (const point of histogram?.dataPoints ?? []) {
            expect(point.bucketCounts).toHaveLength(point.explicitBounds.length + 1)
            expect(point.bucketCounts.reduce((sum, one) => sum + Number(one), 0)).toBe(
              Number(point.count),
            )
          }
        }
      }),
    )
  })

  it('begins as the tool expects of a file it may replace', () => {
    expect(otlpJson([], { version: '1.2.3', nowMs: NOW }).startsWith(OTLP_MARK)).toBe(true)
  })
})

describe('both exports', () => {
  it('take nothing from readings, which the ledger knows better', () => {
    expect(measuresOf(input({ entries: [reading()] }))).toEqual([])
  })
})
