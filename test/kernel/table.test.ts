import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { displayWidth } from '../../lib/kernel/text/sure-width.js'
import { cut, renderFitting, renderTable } from '../../lib/kernel/text/table.js'

interface Row {
  readonly name: string
  readonly note: string
}

const columns = [
  { title: 'Name', value: (row: Row) => row.name },
  { title: 'Note', value: (row: Row) => row.note, priority: 1 },
]

describe('renderTable', () => {
  it('drops the least important column before it cuts a cell', () => {
    const text = renderTable(
      [{ name: 'a long enough name', note: 'something long that does not fit' }],
      columns,
      25,
    )
    expect(text).toBe('Name\na long enough name')
  })

  it('never exceeds the width as long as one column of eight fits', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            name: fc.string({ unit: 'grapheme', maxLength: 40 }),
            note: fc.string({ maxLength: 40 }),
          }),
          { maxLength: 5 },
        ),
        fc.integer({ min: 8, max: 60 }),
        (rows, width) => {
          for (const line of renderTable(rows, columns, width).split('\n'))
            expect(displayWidth(line)).toBeLessThanOrEqual(width)
        },
      ),
    )
  })
})

describe('cut', () => {
  it('counts wide characters as two and marks what was left out', () => {
    expect(cut('日本語テキスト', 7)).toBe('日本語…')
    expect(cut('short', 7)).toBe('short')
  })
})

describe('a column without content', () => {
  it('is left out, and the place is for the others', () => {
    const rows = [{ name: 'a', note: '' }]
    expect(renderTable(rows, columns, 40)).toBe('Name\na')
    expect(renderTable([...rows, { name: 'b', note: 'x' }], columns, 40)).toBe(
      'Name  Note\na\nb     x',
    )
  })
})

describe('renderFitting', () => {
  const forms = [
    [{ title: 'Resets', value: () => '14:20 (in 45 min)' }],
    [{ title: 'Resets', value: () => '14:20' }],
  ]

  it('takes the first form that is shown whole', () => {
    expect(renderFitting([1], forms, 17)).toBe('Resets\n14:20 (in 45 min)')
    expect(renderFitting([1], forms, 16)).toBe('Resets\n14:20')
  })

  it('cuts a name that may be cut before it gives up a column', () => {
    const named = [
      { title: 'Name', value: () => 'personal@example.com', cutTo: 8 },
      { title: 'Resets', value: () => '14:20', priority: 1 },
    ]
    expect(renderFitting([1], [named], 30)).toContain('personal@example.com  14:20')
    expect(renderFitting([1], [named], 20)).toBe('Name          Resets\npersonal@ex…  14:20')
    expect(renderFitting([1], [named], 15)).toBe('Name\npersonal@examp…')
  })
})
