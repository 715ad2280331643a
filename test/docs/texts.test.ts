import { describe, expect, it } from 'vitest'

import { allTexts, textsOf } from '../../scripts/texts.mjs'

const found = (source: string): string[] => textsOf('lib/x.ts', source).map(({ text }) => text)

describe('the list of texts', () => {
  it('has sentences, templates with the names of their values, and texts joined with +', () => {
    expect(found("say('Nothing was changed.')")).toEqual(['Nothing was changed.'])
    expect(found('say(`${account.name} was removed.`)')).toEqual(['{name} was removed.'])
    expect(found("say('Two ' + count + ' words')")).toEqual(['Two {count} words'])
  })

  it('has the texts of both branches of a value within a text', () => {
    expect(found("say(`It is ${isOver ? 'used up' : 'not known'}.`)")).toEqual([
      'It is {…}.',
      'used up',
      'not known',
    ])
  })

  it('has no keys, names, types, log lines and mistakes of ours', () => {
    expect(
      found(`import x from 'a b'
        type T = 'a b'
        const map = { 'a b': 1 }
        log.log('warn', 'the log says this')
        if (text.includes('a b')) throw new Error('this cannot be')
        const code = 'store_unreadable'`),
    ).toEqual([])
  })
})

/** Words that were in our texts and read as a translation, or say nothing; each with what a writer says. */
const UNWANTED: readonly (readonly [RegExp, string])[] = [
  [/\b(somebody|nobody|whoever)\b/i, 'say who: you, another account, no one else'],
  [/\banew\b/i, 'again'],
  [/\bmend(s|ed|ing)?\b/i, 'fix, repair'],
  [/\b(goes|going) on\b/i, 'continues, continuing with'],
  [/\bsay (confirm|force|--\w+)/i, 'pass'],
  [/\bin the clear\b/i, 'unencrypted'],
  [/\bany more\b/i, 'no longer'],
  [/\brenew(s|ed|al|ing)?\b/i, 'refresh, the one word for it'],
  [/\bcannot be had\b/i, 'is not available'],
  [/\bswitched off\b/i, 'deactivated'],
  [/[\d}] %/, '62%, without a blank'],
  [
    /\b1 (accounts|files|records|windows|entries|sessions|requests)\b/,
    'the plural of kernel/text/plural',
  ],
]

describe('the texts of the product', () => {
  it('use none of the words a technical writer would strike out', () => {
    const texts = allTexts()
    expect(texts.length).toBeGreaterThan(500)
    expect(
      texts.flatMap(({ file, line, text }) =>
        UNWANTED.filter(([words]) => words.test(text)).map(
          ([, better]) => `${file}:${line} (${better}): ${text}`,
        ),
      ),
    ).toEqual([])
  })
})
