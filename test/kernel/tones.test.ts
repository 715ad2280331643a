import fc from 'fast-check'
import { expect, it } from 'vitest'

import { plainLines, plainText } from '../../lib/kernel/text/plain-text.js'
import { renderTable } from '../../lib/kernel/text/table.js'
import { painted, toned, TONES } from '../../lib/kernel/text/tones.js'

const anything = fc.string({ unit: 'binary', maxLength: 40 })
const hostile = fc.oneof(
  anything,
  fc.constantFrom(
    '\u001b[31mred',
    'a\u{e0061}b\u{e007f}',
    '👩‍👩‍👧',
    '日本語',
    'שלום',
    '\u001b]0;x\u0007',
  ),
)

it('shows a part in the colour of its tone and ends it there', () => {
  expect(painted(`a ${toned({ text: 'b', tone: 'bad' })} c`)).toBe('a \u001b[31mb\u001b[0m c')
})

it('is the plain text wherever tones are not shown', () => {
  for (const tone of TONES) expect(plainLines(toned({ text: 'b', tone }))).toBe('b')
})

it('lets no name bring a colour or another sequence to the terminal', () => {
  fc.assert(
    fc.property(hostile, (name) => {
      const shown = painted(plainText(name))
      expect(shown).not.toMatch(/[\u001b\u009b]/)
      expect(painted(name).replace(/\u001b\[(?:32|33|31|2|0)m/g, '')).not.toMatch(/[\u001b\u009b]/)
    }),
  )
})

it('keeps the width of a table with tones: what is seen is the table without them', () => {
  const tone = fc.constantFrom(undefined, ...TONES)
  const parts = fc.array(fc.record({ text: hostile, tone }), { maxLength: 3 })
  fc.assert(
    fc.property(
      fc.array(parts, { maxLength: 4 }),
      fc.integer({ min: 5, max: 60 }),
      (rows, width) => {
        const plain = rows.map((row) => row.map(({ text }) => plainText(text)).join(''))
        const shown = painted(
          renderTable(
            rows,
            [
              { title: 'A', value: (row) => row },
              { title: 'B', value: () => 'x' },
            ],
            width,
          ),
        )
        const expected = renderTable(
          plain,
          [
            { title: 'A', value: (row) => row },
            { title: 'B', value: () => 'x' },
          ],
          width,
        )
        expect(shown.replace(/\u001b\[\d+m/g, '')).toBe(plainLines(expected))
      },
    ),
  )
})
