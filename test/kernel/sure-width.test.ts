import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { displayWidth, sureText, sureUnlessPath } from '../../lib/kernel/text/sure-width.js'
import { cut, renderTable } from '../../lib/kernel/text/table.js'
import { ODD_LABELS } from '../support/odd-labels.js'

const oddText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 4 }),
      fc.constantFrom(...Object.keys(ODD_LABELS)),
      fc.integer({ min: 0x20, max: 0x1ffff }).map((code) => String.fromCodePoint(code)),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''))

it('a text that may name a file is drawn as it is: another form of it is another file', () => {
  for (const text of ['/home/u/काम/x.json', 'Written: C:\\❤️\\1️⃣.html', '/tmp/e\u0301'])
    expect(sureUnlessPath(text)).toBe(text)
  expect(sureUnlessPath('👩‍💻 work')).toBe(sureText('👩‍💻 work'))
})

describe('a text that is drawn in columns', () => {
  it.each(Object.entries(ODD_LABELS))('shows %s as %s', (label, shown) => {
    expect(sureText(label).normalize('NFD')).toBe(shown.normalize('NFD'))
  })

  it('holds nothing that one terminal draws wider than another', () => {
    for (const text of Object.keys(ODD_LABELS).map(sureText)) {
      expect(text).not.toMatch(/[\u200d\ufe0e\ufe0f\u20e3\p{Mc}\p{Regional_Indicator}]/u)
      expect(text).not.toMatch(/\p{Extended_Pictographic}\p{Emoji_Modifier}/u)
      // One character after the other is as wide as all at once: nothing joins.
      const [first = '', ...rest] = text
      expect([first, ...rest].reduce((sum, one) => sum + columnsOf(one), 0)).toBe(
        displayWidth(text),
      )
    }
  })

  it('leaves letters, marks, East Asian writing and plain pictures as they are', () => {
    for (const text of [
      'Ärger №5',
      'שָׁלוֹם',
      'مُحَمَّد',
      'می‌خواهم',
      'ไทยที่',
      '日本語 한국어',
      '🚀 ⭐ ✓ ★',
    ])
      expect(sureText(text).normalize('NFD')).toBe(text.normalize('NFD'))
    expect(displayWidth('日本語 한국어 🚀')).toBe(6 + 1 + 6 + 1 + 2)
    expect(displayWidth('𠀀')).toBe(2)
  })

  it('is the same once it is sure, and as wide as the text that it was made of', () => {
    fc.assert(
      fc.property(oddText, (text) => {
        const sure = sureText(text)
        expect(sureText(sure)).toBe(sure)
        expect(displayWidth(sure)).toBe(displayWidth(text))
        expect(displayWidth(text)).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  it('is never cut wider than its room', () => {
    fc.assert(
      fc.property(oddText, fc.integer({ min: 1, max: 20 }), (text, width) => {
        expect(displayWidth(cut(text, width))).toBeLessThanOrEqual(width)
      }),
    )
  })

  it('makes the cells of a table, whose columns stand below each other', () => {
    const rows = Object.keys(ODD_LABELS).map((name) => ({ name }))
    const table = renderTable(
      rows,
      [
        { title: 'Name', value: ({ name }) => name },
        { title: 'State', value: () => 'ok' },
      ],
      80,
    )
    const starts = table.split('\n').map((line) => displayWidth(line.replace(/(?:ok|State)$/, '')))
    expect(new Set(starts).size).toBe(1)
    expect(table).not.toMatch(/[\u200d\ufe0f]/)
  })
})

/** In the oldest way: by the character. */
function columnsOf(character: string): number {
  if (/[\p{Mn}\p{Me}]/u.test(character)) return 0
  return /[\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\u{20000}-\u{2ffff}]|\p{Emoji_Presentation}/u.test(
    character,
  )
    ? 2
    : 1
}
