import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { displayWidth } from '../../lib/kernel/text/sure-width.js'
import { brokenInto, hanging } from '../../lib/kernel/text/wrap.js'

const HELP = `Usage: program <command> [options]

  help    Explain how accounts, limits, pins and backups work.
  status  Show which account serves, what is left, and what is blocked until when.

  --a-flag-that-is-longer-than-half  what it does, in a few words`

describe('a text of two columns', () => {
  it('stays as it is where it has room', () => {
    expect(hanging(HELP, Infinity)).toBe(HELP)
    expect(hanging(HELP, 200)).toBe(HELP)
  })

  it('is broken between words, below its second column', () => {
    expect(hanging(HELP, 40)).toBe(`Usage: program <command> [options]

  help    Explain how accounts, limits,
          pins and backups work.
  status  Show which account serves,
          what is left, and what is
          blocked until when.

  --a-flag-that-is-longer-than-half
  what it does, in a few words`)
  })

  it('ends, with all that it says, whatever room there is and however far it is set in', () => {
    const line = fc
      .array(fc.constantFrom(' ', '  ', '      ', 'word', 'a', '日本', 'x'.repeat(30)), {
        maxLength: 12,
      })
      .map((parts) => ' '.repeat(parts.length * 3) + parts.join(''))
    fc.assert(
      fc.property(line, fc.integer({ min: 0, max: 40 }), (text, columns) => {
        const pieces = brokenInto(text, columns)
        const said = pieces.map(({ from, to }) => text.slice(from, to)).join('')
        expect(said.replaceAll(/\s/g, '')).toBe(text.replaceAll(/\s/g, ''))
      }),
    )
    expect(hanging(HELP, 1).replaceAll(/\s/g, '')).toBe(HELP.replaceAll(/\s/g, ''))
  })

  it.each([20, 33, 41, 60])('has no line of more than %d columns', (columns) => {
    for (const line of hanging(HELP, columns).split('\n'))
      expect(displayWidth(line)).toBeLessThanOrEqual(columns)
  })
})
