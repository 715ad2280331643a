import { inflateSync } from 'node:zlib'

import { expect, it } from 'vitest'

import { palettePng } from '../../scripts/pictures/palette-png.js'

/** The colours of the pixels of a picture without filters. */
function pixelsOf(png: Buffer): string[] {
  const chunks = new Map<string, Buffer>()
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at))
    chunks.set(
      png.toString('latin1', at + 4, at + 8),
      png.subarray(at + 8, at + 8 + png.readUInt32BE(at)),
    )
  const palette = chunks.get('PLTE')!
  const width = chunks.get('IHDR')!.readUInt32BE(0)
  return [...inflateSync(chunks.get('IDAT')!)]
    .filter((_place, index) => index % (width + 1) !== 0)
    .map((place) => palette.subarray(place * 3, place * 3 + 3).toString('hex'))
}

it('a picture of few colours keeps each of them at its place', () => {
  const pixels = Buffer.from('ff0000ff00ff00ff0000ffffff0000ff', 'hex')
  expect(pixelsOf(palettePng(2, 2, pixels))).toEqual(['ff0000', '00ff00', '0000ff', 'ff0000'])
})

it('of too many colours the frequent ones stay, and a rare one becomes its nearest', () => {
  const often = Array.from({ length: 256 }, (_, index) => [index, 0, 0, 255])
  const pixels = Buffer.from([...often, ...often, [9, 3, 0, 255]].flat())
  const shown = pixelsOf(palettePng(513, 1, pixels))
  expect(shown.at(-1)).toBe('090000')
  expect(new Set(shown).size).toBe(256)
})

it('a mark in a colour of its own keeps it, however many shades are more frequent', () => {
  const shades = Array.from({ length: 600 }, (_, index) => [index % 256, index >> 8, 0, 255])
  const pixels = Buffer.from([...shades, ...shades, [0, 0, 255, 255]].flat())
  expect(pixelsOf(palettePng(1201, 1, pixels)).at(-1)).toBe('0000ff')
})
