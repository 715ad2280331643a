import { crc32, deflateSync } from 'node:zlib'

/** What an image of 8 bits for each pixel can hold. */
const COLOURS = 256
/** So many are kept for being frequent, the others for being unlike those. */
const FREQUENT = 128
const DISTINCT = 900
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/**
 * A PNG of at most 256 colours: a third of the size of one that keeps every shade at the edge of a letter. The most
 * frequent colours stay, others become the nearest of them. Pure.
 * @param pixels four bytes each: red, green, blue, and an opacity that is not kept
 */
export function palettePng(width: number, height: number, pixels: Uint8Array): Buffer {
  const counts = new Map<number, number>()
  for (let at = 0; at < pixels.length; at += 4) {
    const colour = colourAt(pixels, at)
    counts.set(colour, (counts.get(colour) ?? 0) + 1)
  }
  const kept = keptOf([...counts].sort(([, left], [, right]) => right - left).map(([one]) => one))
  const places = new Map(kept.map((colour, index) => [colour, index]))
  const rows = Buffer.alloc((width + 1) * height)
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const colour = colourAt(pixels, (row * width + column) * 4)
      const place = places.get(colour) ?? nearest(colour, kept)
      places.set(colour, place)
      // Before each row stands how it is filtered: not at all.
      rows[row * (width + 1) + 1 + column] = place
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 3, 0, 0, 0], 8)
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(kept.flatMap(partsOf))),
    chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** @param colours the most frequent first */
function keptOf(colours: readonly number[]): number[] {
  const kept = colours.slice(0, FREQUENT)
  // A small mark in a colour of its own would be lost among the shades at the edges of letters.
  for (const colour of colours.slice(FREQUENT)) {
    if (kept.length === COLOURS) break
    if (distance(colour, kept[nearest(colour, kept)] ?? 0) > DISTINCT) kept.push(colour)
  }
  const known = new Set(kept)
  const others = colours.filter((colour) => !known.has(colour))
  return [...kept, ...others.slice(0, COLOURS - kept.length)]
}

function colourAt(pixels: Uint8Array, at: number): number {
  return ((pixels[at] ?? 0) << 16) | ((pixels[at + 1] ?? 0) << 8) | (pixels[at + 2] ?? 0)
}

function partsOf(colour: number): [red: number, green: number, blue: number] {
  return [colour >> 16, (colour >> 8) & 0xff, colour & 0xff]
}

function nearest(colour: number, kept: readonly number[]): number {
  let best = 0
  let least = Infinity
  kept.forEach((other, index) => {
    const far = distance(colour, other)
    if (far >= least) return
    least = far
    best = index
  })
  return best
}

/** How different two colours are; 0 for the same. */
function distance(first: number, second: number): number {
  const others = partsOf(second)
  return partsOf(first).reduce((sum, part, index) => sum + (part - (others[index] ?? 0)) ** 2, 0)
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}
