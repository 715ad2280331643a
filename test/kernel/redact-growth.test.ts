import { describe, expect, it } from 'vitest'

import { redact, redactForeign, redactText } from '../../lib/kernel/text/redact.js'
import { ALPHABETS, growth, repeated, SQUARE_GROWTH } from '../support/growth.js'

describe('cleaning a text from outside', () => {
  it.each(ALPHABETS)(
    'takes a time that grows with the text, also for a megabyte of %j (a hostile error text stood still for minutes)',
    (unit) => {
      const text = (chars: number): string => repeated(unit, chars)
      expect(growth(redactText, text)).toBeLessThan(SQUARE_GROWTH)
      expect(redact({ [text(40)]: [text(100)] })).toBeDefined()
      expect(growth(redactForeign, text)).toBeLessThan(SQUARE_GROWTH)
    },
  )

  it.each([
    ['a.', 'a@'],
    ['eyJ', '.'],
    ['0a', '-'],
    ['-----BEGIN ', '-----END '],
    ['token', ':'],
    ['token="', '\\'],
    ['password=', '&'],
    ['Bearer', ' '],
    ['://', 'a@'],
    ['Cookie: ', '=\n'],
    ['a', '1@a.'],
  ])('takes a time that grows with the text for mixtures of %j and %j', (one, other) => {
    for (const share of [50]) {
      const text = (chars: number): string =>
        repeated(repeated(one, one.length * share) + other, chars)
      expect(growth(redactText, text)).toBeLessThan(SQUARE_GROWTH)
      expect(
        growth(redactText, (chars) => repeated(one, chars / 2) + repeated(other, chars / 2)),
      ).toBeLessThan(SQUARE_GROWTH)
    }
  })

  it('never shows half of a token where a long text was cut', () => {
    const token = 'zJ8fK2mQ9xT4vB7nL1pR6sW3zJ8fK2mQ9xT4vB7nL1pR6sW3'
    for (let shift = 0; shift < 60; shift += 1) {
      const clean = redactForeign(
        `${'sk-0123456789abcdef '.repeat(420).slice(shift)}${token} ${token}`,
      )
      expect(clean).not.toMatch(/zJ8f|sk-0/)
    }
  })
})
