import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { plainData, plainLines, plainText } from '../../lib/kernel/text/plain-text.js'
import { displayWidth } from '../../lib/kernel/text/sure-width.js'
import { hostileText, UNSAFE } from '../support/hostile-text.js'

const ESC = '\u001b'

describe('a name is not a terminal command', () => {
  it.each([
    ['a colour', `a${ESC}[31mred${ESC}[0m`, 'ared'],
    ['a clipboard write closed by a bell', `a${ESC}]52;c;aGk=\u0007b`, 'ab'],
    ['a clipboard write closed by ESC \\', `a${ESC}]52;c;aGk=${ESC}\\b`, 'ab'],
    ['a title in 8 bits', 'a\u009d0;title\u009cb', 'ab'],
    ['an 8-bit colour', 'a\u009b31mb', 'ab'],
    ['a device string', `a${ESC}Pq#0${ESC}\\b`, 'ab'],
    [
      'an unclosed title, whose text stays visible',
      `a${ESC}]0;rest of the line`,
      'a ]0;rest of the line',
    ],
    ['a reset', `a${ESC}cb`, 'a cb'],
    ['line ends', 'a\r\nb\nc\u0085d\u2028e\u2029f', 'a b c d e f'],
    ['backspaces', 'safe\b\b\b\bevil', 'safe evil'],
    ['marks of direction', 'a\u202egpj.exe\u202c\u2066b\u2069\u200e\u200f\u061c', 'agpj.exeb'],
    ['zero-width characters', 'a\u200bb\u2060c\ufeffd\u200ce\u200df', 'abcdef'],
    ['tags and selectors that hide text', 'a\u{e0041}\u{e0042}\ufe01\u{e0101}b', 'ab'],
    ['half a character', 'a\ud800b\udc00', 'a\ufffdb\ufffd'],
  ])('takes %s out', (_what, given, shown) => {
    expect(plainText(given)).toBe(shown)
  })

  it.each([
    'Work',
    'Größe & Söhne',
    '仕事用',
    'חשבון עבודה',
    'می\u200cخواهم',
    'क्\u200dष',
    '👩\u200d💻 dev',
    '🏳️\u200d🌈',
    '❤️',
    '👍🏽',
    '1️⃣',
    '🇩🇪',
    'e\u0301',
  ])('leaves %s as it is', (name) => {
    expect(plainText(name)).toBe(name)
  })

  it('leaves nothing unsafe of any text, and a second time changes nothing', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const once = plainText(text)
        expect(once).not.toMatch(UNSAFE)
        expect(once).not.toContain('\n')
        expect(plainText(once)).toBe(once)
        expect(plainLines(text).replaceAll('\n', '')).not.toMatch(UNSAFE)
      }),
    )
  })

  it('keeps the line feeds of a text, and only them', () => {
    expect(plainLines(`one\r\ntwo\n${ESC}[2Jthree\rfour`)).toBe('one\ntwo\nthree four')
  })

  it('cleans the keys and the values of data', () => {
    expect(
      plainData({ [`k${ESC}[1m`]: ['a\u202e', { b: `${ESC}]0;x\u0007c` }], n: 1, none: null }),
    ).toEqual({ k: ['a', { b: 'c' }], n: 1, none: null })
  })

  it('takes time in proportion to the text, whatever the text is made of', () => {
    const work = (unit: string, times: number): number => {
      const text = unit.repeat(times)
      const started = performance.now()
      plainText(text)
      return performance.now() - started
    }
    for (const unit of [
      `${ESC}]`,
      '\u009d',
      `${ESC}[`,
      `${ESC}[0;`,
      '\u009b1',
      '\u200d',
      '👩\u200d',
      '\ud800',
      `${ESC}]a${ESC}`,
    ]) {
      const small = Math.max(work(unit, 20_000), work(unit, 20_000), 2)
      expect(work(unit, 160_000) / small, JSON.stringify(unit)).toBeLessThan(32)
    }
  })

  it('takes the columns that it is counted for', () => {
    expect([
      displayWidth(plainText(`${ESC}[31m日本${ESC}[0m`)),
      displayWidth(plainText('👩\u200d💻')),
      displayWidth(plainText('a\u200b\u202eb')),
    ]).toEqual([4, 2, 2])
  })
})
