import { describe, expect, it } from 'vitest'

import { textsOf } from '../../scripts/texts.mjs'

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
