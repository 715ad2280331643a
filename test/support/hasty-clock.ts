import { type Clock, systemClock } from '../../lib/kernel/clock.js'

/** The machine's clock with shorter pauses, and a list of the pauses that were asked for. */
export interface HastyClock extends Clock {
  /** Every pause asked for, ms, in order. */
  readonly pauses: readonly number[]
}

/**
 * @param lengthOf how long a pause of that many ms takes here, ms
 */
export function hastyClock(lengthOf: (ms: number) => number): HastyClock {
  const pauses: number[] = []
  return {
    now: () => Date.now(),
    pauses,
    sleep: (ms, signal) => {
      pauses.push(ms)
      return systemClock.sleep(lengthOf(ms), signal)
    },
  }
}
