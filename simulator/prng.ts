/** The one source of randomness of a simulator: the same seed and the same order of calls give the same values. */
export interface Prng {
  /** A float in [0, 1). */
  next(): number
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number
  /** Lower-case hex digits. */
  hex(length: number): string
  /** A UUID, version 4 by shape. */
  uuid(): string
}

/** Creates a generator (mulberry32): 32 bits of state are plenty for ids and coin tosses, and it costs nanoseconds. */
export function createPrng(seed: number): Prng {
  let state = seed >>> 0
  const word = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const hex = (length: number): string => {
    let digits = ''
    while (digits.length < length) digits += word().toString(16).padStart(8, '0')
    return digits.slice(0, length)
  }
  return {
    next: () => word() / 0x1_0000_0000,
    int: (min, max) => min + Math.floor((word() / 0x1_0000_0000) * (max - min + 1)),
    hex,
    uuid: () => asUuid(hex(32)),
  }
}

/** Shapes 32 hex digits as a version 4 UUID. */
export function asUuid(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
