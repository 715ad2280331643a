/** Counters of one plugin instance, in memory. Names are dotted and lower-case. */
export interface Metrics {
  /** Adds `by` (default 1) to a counter. */
  count(name: string, by?: number): void
  snapshot(): MetricsSnapshot
}

/** Everything counted since the instance started. */
export interface MetricsSnapshot {
  readonly counters: Readonly<Record<string, number>>
}

/** Creates empty metrics. */
export function createMetrics(): Metrics {
  const counters = new Map<string, number>()
  return {
    count(name, by = 1) {
      counters.set(name, (counters.get(name) ?? 0) + by)
    },
    snapshot: () => ({ counters: Object.fromEntries(counters) }),
  }
}
