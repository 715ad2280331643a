const COMPACT = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 })
const PLAIN = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const DOLLARS = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' })

/** A number in at most five characters: `950`, `12.3K`, `4.1M`. */
export function compactText(value: number): string {
  return COMPACT.format(value)
}

/** Every digit, in groups: `1,234,567`. */
export function plainText(value: number): string {
  return PLAIN.format(value)
}

/** A percentage that rounds neither something to nothing nor a part to the whole. */
export function percentText(percent: number): string {
  if (percent > 0 && percent < 1) return '<1%'
  return `${String(Math.floor(percent))}%`
}

/** `$1,234.50` */
export function dollarsText(value: number): string {
  return DOLLARS.format(value)
}
