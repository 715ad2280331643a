/** The clock of a process is off for a while. Times in ms since a moment that those who share it know. */
export interface ClockJump {
  readonly fromMs: number
  readonly untilMs: number
  /** How far it is off, ms. */
  readonly offsetMs: number
}

/**
 * Sets the clock of this process wrong, for a trial; everything else about dates is the real thing.
 * @param offsetMs asked each time, with the real time in epoch ms
 */
export function shiftClock(offsetMs: (nowMs: number) => number): void {
  const RealDate = Date
  const shifted = (): number => {
    const nowMs = RealDate.now()
    return nowMs + offsetMs(nowMs)
  }
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: readonly unknown[]) =>
      Reflect.construct(target, args.length === 0 ? [shifted()] : args) as Date,
    get: (target, key): unknown => (key === 'now' ? shifted : Reflect.get(target, key)),
  })
}

/** How far the clock is off now. Pure. */
export function offsetAt(jumps: readonly ClockJump[], sinceMs: number): number {
  return jumps.find(({ fromMs, untilMs }) => sinceMs >= fromMs && sinceMs < untilMs)?.offsetMs ?? 0
}
