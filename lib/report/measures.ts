import type { WindowView } from '../account-view/view.js'
import type { HistoryEntry, TurnEntry } from '../history/entries.js'
import type { MetricsSnapshot } from '../kernel/metrics.js'
import { grouped } from './token-sums.js'

/** Names and values that tell the points of a measure apart. */
export type Attributes = Readonly<Record<string, string>>

/** One number with what it belongs to. */
interface NumberPoint {
  readonly attributes: Attributes
  readonly value: number
}

interface HistogramPoint {
  readonly attributes: Attributes
  readonly count: number
  readonly sum: number
  /** Cumulative counts; the last `le` is Infinity. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[]
}

/** What is exported, before it takes the form of one of the formats. A counter counts from `sinceMs`, epoch ms. */
export type Measure = {
  /** Dotted and lower-case, as OpenTelemetry writes names. */
  readonly name: string
  /** A UCUM unit: `s`, `By`, `1`, `{token}`. */
  readonly unit: string
  readonly help: string
} & (
  | { readonly type: 'gauge'; readonly points: readonly NumberPoint[] }
  | { readonly type: 'counter'; readonly sinceMs: number; readonly points: readonly NumberPoint[] }
  | {
      readonly type: 'histogram'
      readonly sinceMs: number
      readonly points: readonly HistogramPoint[]
    }
)

type MeasuredWindow = Omit<WindowView, 'kind' | 'reading'>

/** Everything an export is made of. */
export interface MeasureInput {
  readonly process: MetricsSnapshot
  /** Since when `process` counts, epoch ms. */
  readonly processSinceMs: number
  /** `account` is a pseudonym; never an address, label or id. */
  readonly accounts: readonly {
    readonly account: string
    readonly usable: boolean
    readonly windows: readonly MeasuredWindow[]
  }[]
  readonly entries: readonly HistoryEntry[]
  /** The pseudonym of an account of the history. */
  readonly nameOf: (uid: string) => string
  readonly nowMs: number
}

/** Bounds that the GenAI conventions of OpenTelemetry ask for: tokens, and seconds. */
const TOKEN_BOUNDS = [
  1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
  67_108_864,
]
const SECOND_BOUNDS = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
]

const DAY_MS = 86_400_000

/**
 * The measures of an export: quota of every account, tokens and durations of today's answers, and the counters of this
 * process. What comes from the history counts from 00:00 UTC: the file forgets old lines, and a total that shrinks at
 * any hour would be taken for new work; one that starts again at a known hour is what counters allow. Pure.
 */
export function measuresOf(input: MeasureInput): Measure[] {
  const sinceMs = Math.floor(input.nowMs / DAY_MS) * DAY_MS
  const today = input.entries.filter((entry) => entry.atMs >= sinceMs && entry.atMs <= input.nowMs)
  const turns = today.filter((entry) => entry.type === 'turn')
  const all: Measure[] = [
    ...quotaMeasures(input),
    ...turnMeasures(turns, sinceMs, input.nameOf),
    switchMeasure(today, sinceMs),
    ...processMeasures(input),
  ]
  return all.filter(({ points }) => points.length > 0)
}

function quotaMeasures({ accounts }: MeasureInput): Measure[] {
  const perWindow = (value: (window: MeasuredWindow) => number | undefined): NumberPoint[] =>
    accounts.flatMap(({ account, windows }) =>
      windows.flatMap((window) => {
        const number = value(window)
        if (number === undefined) return []
        const attributes = {
          'codex.account': account,
          'codex.limit': window.limitId,
          'codex.window': window.name,
        }
        return [{ attributes, value: number }]
      }),
    )
  return [
    {
      type: 'gauge',
      name: 'codex.account.usable',
      unit: '{account}',
      help: '1 when the account can serve now, else 0.',
      points: accounts.map(({ account, usable }) => ({
        attributes: { 'codex.account': account },
        value: usable ? 1 : 0,
      })),
    },
    {
      type: 'gauge',
      name: 'codex.quota.left',
      unit: '1',
      help: 'Share of the quota window that is left, 0 to 1.',
      points: perWindow(({ leftPercent }) => leftPercent / 100),
    },
    {
      type: 'gauge',
      name: 'codex.quota.reset.time',
      unit: 's',
      help: 'When the quota window resets, as Unix time.',
      points: perWindow(({ resetsAtMs }) => resetsAtMs && resetsAtMs / 1000),
    },
    {
      type: 'gauge',
      name: 'codex.quota.read.time',
      unit: 's',
      help: 'When the quota window was last read, as Unix time.',
      points: perWindow(({ observedAtMs }) => observedAtMs / 1000),
    },
  ]
}

function turnMeasures(
  turns: readonly TurnEntry[],
  sinceMs: number,
  nameOf: (uid: string) => string,
): Measure[] {
  const tokens = turns.flatMap((turn) =>
    Object.entries({
      input: turn.inputTokens,
      cached: turn.cachedTokens,
      output: turn.outputTokens,
      reasoning: turn.reasoningTokens,
    }).map(([type, value]) => ({
      attributes: {
        'codex.account': nameOf(turn.uid),
        'gen_ai.request.model': turn.model,
        'codex.token.type': type,
      },
      value,
    })),
  )
  const models = [...new Set(turns.map(({ model }) => model))].sort()
  const ofModel = (
    model: string,
    attributes: Attributes,
    bounds: readonly number[],
    value: (turn: TurnEntry) => number,
  ): HistogramPoint => ({
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': model,
      ...attributes,
    },
    ...distribution(turns.filter((turn) => turn.model === model).map(value), bounds),
  })
  return [
    {
      type: 'counter',
      name: 'codex.tokens',
      unit: '{token}',
      sinceMs,
      help: 'Tokens of finished answers since 00:00 UTC; cached is a part of input, reasoning a part of output.',
      points: summed(tokens),
    },
    {
      type: 'histogram',
      name: 'gen_ai.client.token.usage',
      unit: '{token}',
      sinceMs,
      help: 'Number of input and output tokens used per answer, since 00:00 UTC.',
      points: models.flatMap((model) => [
        ofModel(model, { 'gen_ai.token.type': 'input' }, TOKEN_BOUNDS, (turn) => turn.inputTokens),
        ofModel(
          model,
          { 'gen_ai.token.type': 'output' },
          TOKEN_BOUNDS,
          (turn) => turn.outputTokens,
        ),
      ]),
    },
    {
      type: 'histogram',
      name: 'gen_ai.client.operation.duration',
      unit: 's',
      sinceMs,
      help: 'Duration of an answer from the request to its end, since 00:00 UTC.',
      points: models.map((model) =>
        ofModel(model, {}, SECOND_BOUNDS, (turn) => turn.durationMs / 1000),
      ),
    },
  ]
}

function switchMeasure(entries: readonly HistoryEntry[], sinceMs: number): Measure {
  return {
    type: 'counter',
    name: 'codex.switches',
    unit: '{switch}',
    sinceMs,
    help: 'Requests that went on with another account, since 00:00 UTC.',
    points: summed(
      entries
        .filter((entry) => entry.type === 'switch')
        .map(({ reason }) => ({ attributes: { 'codex.reason': reason }, value: 1 })),
    ),
  }
}

/** `requests.completed` becomes the point `completed` of `codex.process.requests`: names are for sums, kinds are attributes. */
function processMeasures({ process, processSinceMs }: MeasureInput): Measure[] {
  const families = grouped(Object.entries(process.counters), ([name]) => partsOf(name).family)
  return [...families].map(([family, counters]): Measure => ({
    type: 'counter',
    name: `codex.process.${family}`,
    unit: '{count}',
    sinceMs: processSinceMs,
    help: `Counter ${family} of this process.`,
    points: counters.map(([name, value]) => ({ attributes: partsOf(name).attributes, value })),
  }))
}

function partsOf(name: string): { family: string; attributes: Attributes } {
  const dot = name.indexOf('.')
  return dot < 1
    ? { family: name, attributes: {} }
    : { family: name.slice(0, dot), attributes: { 'codex.kind': name.slice(dot + 1) } }
}

/** One point for each set of attributes. */
function summed(points: readonly NumberPoint[]): NumberPoint[] {
  return [...grouped(points, ({ attributes }) => JSON.stringify(attributes)).values()].map(
    (same) => ({
      attributes: same[0]?.attributes ?? {},
      value: same.reduce((sum, { value }) => sum + value, 0),
    }),
  )
}

function distribution(
  values: readonly number[],
  bounds: readonly number[],
): Omit<HistogramPoint, 'attributes'> {
  return {
    count: values.length,
    sum: values.reduce((sum, one) => sum + one, 0),
    buckets: [...bounds, Infinity].map((le) => ({
      le,
      count: values.filter((one) => one <= le).length,
    })),
  }
}
