import type { Stage } from './stage.js'

/** What came of one fault. */
export interface Verdict {
  /** `held`: nothing was lost or doubled; `broken`: something was; `skipped`: it cannot be had here. */
  readonly outcome: 'held' | 'broken' | 'skipped'
  /** In whole sentences. */
  readonly summary: string
}

/** One fault and how it is tried. */
export interface Round {
  /** Stable name. */
  readonly fault: string
  /** What is done, for the line of progress: "6 processes take one lock in turns". */
  readonly what: (processes: number) => string
  run(stage: Stage): Promise<Verdict>
}

export function held(summary: string): Verdict {
  return { outcome: 'held', summary }
}

export function broken(summary: string): Verdict {
  return { outcome: 'broken', summary }
}

export function skipped(summary: string): Verdict {
  return { outcome: 'skipped', summary }
}
