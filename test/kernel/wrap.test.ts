import { describe, expect, it } from 'vitest'

import { displayWidth } from '../../lib/kernel/text/sure-width.js'
import { hanging } from '../../lib/kernel/text/wrap.js'

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

  it.each([20, 33, 41, 60])('has no line of more than %d columns', (columns) => {
    for (const line of hanging(HELP, columns).split('\n'))
      expect(displayWidth(line)).toBeLessThanOrEqual(columns)
  })
})
