/** Standard deviations that leave a tenth on either side: the 80% interval. */
export const Z80 = 1.2816

/** Share of the standard normal distribution below `z` (Zelen and Severo's approximation, error under 1e-7). Pure. */
export function normalCdf(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z))
  const tail =
    (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return z > 0 ? 1 - tail : tail
}

/** The value below which a share `p`, over 0 and under 1, of the standard normal distribution lies. By halving. Pure. */
export function normalQuantile(p: number): number {
  let low = -8
  let high = 8
  for (let step = 0; step < 40; step += 1) {
    const middle = (low + high) / 2
    if (normalCdf(middle) < p) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** The total of what a list holds. Pure. */
export function sum<T>(list: readonly T[], value: (one: T) => number): number {
  return list.reduce((total, one) => total + value(one), 0)
}
