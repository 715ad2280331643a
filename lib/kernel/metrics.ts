/** Counters and histograms of one plugin instance, in memory. Names are dotted and lower-case. */
export interface Metrics {
  /** Adds `by` (default 1) to a counter. */
  count(name: string, by?: number): void
  /** Records one value (ms or bytes, as the name says) in a histogram. */
  observe(name: string, value: number): void
  snapshot(): MetricsSnapshot
}

/** Everything recorded since the instance started. */
export interface MetricsSnapshot {
  readonly counters: Readonly<Record<string, number>>
  readonly histograms: Readonly<Record<string, HistogramSnapshot>>
}

export interface HistogramSnapshot {
  readonly count: number
  readonly sum: number
  readonly max: number
  /** Cumulative counts: how many values were at most `le`. The last `le` is Infinity. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[]
}

/** Upper bounds of the buckets: 1-2-5 from 1 to 500,000 serves milliseconds and kilobytes alike. */
const BOUNDS = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  1e3,
  2e3,
  5e3,
  1e4,
  2e4,
  5e4,
  1e5,
  2e5,
  5e5,
  Infinity,
]

/** Creates empty metrics. */
export function createMetrics(): Metrics {
  const counters = new Map<string, number>()
  const histograms = new Map<
    string,
    { count: number; sum: number; max: number; counts: number[] }
  >()
  return {
    count(name, by = 1) {
      counters.set(name, (counters.get(name) ?? 0) + by)
    },
    observe(name, value) {
      let histogram = histograms.get(name)
      if (!histogram) {
        histogram = { count: 0, sum: 0, max: 0, counts: BOUNDS.map(() => 0) }
        histograms.set(name, histogram)
      }
      histogram.count += 1
      histogram.sum += value
      histogram.max = Math.max(histogram.max, value)
      const bucket = BOUNDS.findIndex((bound) => value <= bound)
      histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1
    },
    snapshot: () => ({
      counters: Object.fromEntries(counters),
      histograms: Object.fromEntries(
        [...histograms].map(([name, histogram]) => [name, cumulative(histogram)]),
      ),
    }),
  }
}

function cumulative({
  count,
  sum,
  max,
  counts,
}: {
  count: number
  sum: number
  max: number
  counts: number[]
}): HistogramSnapshot {
  let running = 0
  const buckets = BOUNDS.map((le, index) => {
    running += counts[index] ?? 0
    return { le, count: running }
  })
  return { count, sum, max, buckets }
}
