import { describe, expect, it } from 'vitest'

import { DARK, LIGHT } from '../../lib/report/palette.js'

type Name = keyof typeof LIGHT

/** Relative luminance of WCAG 2. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((from) => {
    const share = parseInt(colour.slice(from, from + 2), 16) / 255
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(first: string, second: string): number {
  const [low = 0, high = 0] = [luminance(first), luminance(second)].sort((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}

describe.each([
  ['light', LIGHT],
  ['dark', DARK],
] as const)('the %s colours', (_scheme, palette) => {
  it.each(['fg', 'soft'] as const)('%s is read on the page and on its cards: 4.5 to 1', (name) => {
    for (const ground of ['bg', 'card'] as const)
      expect(contrast(palette[name], palette[ground])).toBeGreaterThanOrEqual(4.5)
  })

  it.each(['a', 'b', 'c', 'bad', 'soft'] as const)(
    'a line, bar or mark of %s is seen on a card and beside the track of a bar: 3 to 1',
    (name) => {
      for (const ground of ['card', 'h0'] as const)
        expect(contrast(palette[name], palette[ground])).toBeGreaterThanOrEqual(3)
    },
  )

  it('the shades of the map differ from one to the next, and the most from the ground: 3 to 1', () => {
    const shades: readonly Name[] = ['h0', 'h1', 'h2', 'h3', 'h4']
    shades.slice(1).forEach((shade, index) => {
      expect(contrast(palette[shade], palette[shades[index]!])).toBeGreaterThanOrEqual(1.25)
    })
    expect(contrast(palette.h4, palette.h0)).toBeGreaterThanOrEqual(3)
    expect(contrast(palette.h4, palette.card)).toBeGreaterThanOrEqual(3)
  })
})
