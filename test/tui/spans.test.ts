import fc from 'fast-check'
import { expect, it } from 'vitest'

import { displayWidth } from '../../lib/kernel/text/sure-width.js'
import { plainLines, plainText } from '../../lib/kernel/text/plain-text.js'
import { toned, TONES } from '../../lib/kernel/text/tones.js'
import { outputLines, spanTone } from '../../lib/tui/dialogs/spans.js'
import { hostileText } from '../support/hostile-text.js'

const textOf = ({ spans }: ReturnType<typeof outputLines>[number]): string =>
  spans.map(({ text }) => text).join('')
const unspaced = (text: string): string => text.replace(/\s+/g, '')

it('shows a marked part in its colour and the words around it in none', () => {
  const [line] = outputLines(`1: ${toned({ text: 'failed', tone: 'bad' })} (failed before)`, 80)
  expect(line?.spans).toEqual([
    { text: '1: ', tone: 'text' },
    { text: 'failed', tone: 'error' },
    { text: ' (failed before)', tone: 'text' },
  ])
})

it('keeps the colour of a part that goes on in the next line', () => {
  const text = toned({ text: 'every word of this is low', tone: 'low' })
  const lines = outputLines(text, 20)
  expect(lines.map(textOf)).toEqual(['every word of this', ' is low'].map((one) => one.trim()))
  expect(lines.flatMap(({ spans }) => spans.map(({ tone }) => tone))).toEqual([
    'warning',
    'warning',
  ])
})

it('sets what follows in under the last column', () => {
  const lines = outputLines('error    store: the file cannot be read by anybody', 34).map(textOf)
  expect(lines).toEqual(['error    store: the file cannot be', '         read by anybody'])
})

it('shows all of an output, in its colours, in lines that fit, whatever it is made of', () => {
  const part = fc.record({
    text: fc.oneof(hostileText, fc.string({ unit: 'grapheme' })).map(plainText),
    tone: fc.constantFrom(undefined, ...TONES),
  })
  const sign = fc.constantFrom(' ', '  ', '\n')
  fc.assert(
    fc.property(
      fc.array(fc.tuple(part, sign)),
      fc.integer({ min: 20, max: 60 }),
      (parts, width) => {
        const output = parts.map(([one, between]) => toned(one) + between).join('')
        const lines = outputLines(output, width)
        expect(unspaced(lines.map(textOf).join(''))).toBe(unspaced(plainLines(output)))
        for (const line of lines) expect(displayWidth(textOf(line))).toBeLessThanOrEqual(width)
        const coloured = (tone: string): string =>
          unspaced(
            lines
              .flatMap(({ spans }) => spans)
              .filter((span) => span.tone === tone)
              .map(({ text }) => text)
              .join(''),
          )
        for (const tone of TONES)
          expect(coloured(spanTone(tone))).toBe(
            unspaced(
              parts
                .filter(([one]) => one.tone === tone)
                .map(([one]) => one.text)
                .join(''),
            ),
          )
      },
    ),
  )
})
