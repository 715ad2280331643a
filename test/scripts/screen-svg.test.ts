import { describe, expect, it } from 'vitest'

import { screenSvg } from '../../scripts/pictures/screen-svg.js'

const PICTURE = { title: 'a "screen"', columns: 20, foreground: '#111111', background: '#eeeeee' }

/** The texts of a picture with where they stand, in cells, and how they look. */
function textsOf(painted: string): { text: string; column: number; row: number; look: string }[] {
  const svg = screenSvg(painted, PICTURE)
  const looks = new Map(
    [...svg.matchAll(/\.(c\w+)\{([^}]*)\}/g)].map(([, name, rule]) => [name, rule]),
  )
  return [
    ...svg.matchAll(/<text class="(\w+)" x="([\d.]+)" y="([\d.]+)" textLength="\d+">([^<]*)</g),
  ].map(([, name = '', x, y, text = '']) => ({
    text,
    column: Number(x) / 8,
    row: Math.floor(Number(y) / 17),
    look: looks.get(name) ?? '',
  }))
}

describe('the picture of a screen', () => {
  it('keeps colours of every kind, bold and faint texts, also across lines', () => {
    expect(
      textsOf('\u001b[1;38;2;1;2;255mA\u001b[0m \u001b[31mB\u001b[2m\nC\u001b[38;5;196mD'),
    ).toEqual([
      { text: 'A', column: 0, row: 0, look: 'fill:#0102ff;font-weight:700' },
      { text: 'B', column: 2, row: 0, look: 'fill:#cd3131' },
      { text: 'C', column: 0, row: 1, look: 'fill:#cd3131;opacity:.6' },
      { text: 'D', column: 1, row: 1, look: 'fill:#ff0000;opacity:.6' },
    ])
  })

  it('sets a text at its cell, whatever is before it: blanks, wide characters, emoji, an unknown sequence', () => {
    expect(
      textsOf('日x      y👩‍💻z\u001b]0;title\u0007!').map(({ text, column }) => [text, column]),
    ).toEqual([
      ['日', 0],
      ['x', 2],
      ['y', 9],
      ['👩‍💻', 10],
      ['z!', 12],
    ])
  })

  it('draws what fills a cell and grounds as boxes, one for a run', () => {
    const svg = screenSvg('\u001b[48;5;16m███\u001b[0m  ┃', PICTURE)
    expect(svg.match(/<rect class="\w+" [^>]*>/g)).toHaveLength(3)
    expect(svg).not.toContain('<text')
  })

  it('swaps the colours of reversed text', () => {
    const svg = screenSvg('x\u001b[7mA', PICTURE)
    expect(svg).toContain('fill:#111111')
    expect(textsOf('x\u001b[7mA')[1]?.look).toBe('fill:#eeeeee')
  })

  it('is one well-formed picture with a name, whatever the screen holds', () => {
    const svg = screenSvg('<script>&"\u001b[999m', PICTURE)
    expect(svg).toContain('<title>a &#34;screen&#34;</title>')
    expect(svg).not.toContain('<script')
    expect(svg).not.toContain('\u001b')
  })
})
