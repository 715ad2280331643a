import { describe, expect, it } from 'vitest'
import { sourcesOf } from '../support/repository.js'
import { TRAPS } from './catalogue.js'

const TITLE = /\b(?:it|test)(?:\.\w+)*(?:\([^'"`()]*\))?\(\s*(['"`])((?:\\.|(?!\1).)*)\1/g

describe('the catalogue of traps', () => {
  it('names a test, or the reason why it cannot happen, for every trap', async () => {
    const titles = await allTitles()
    const tagged = new Set(titles.flatMap(tagsOf))
    const open = TRAPS.filter(({ id, proof, because }) => {
      if (proof !== undefined) return !titles.some((title) => title.includes(proof))
      return because === undefined && !tagged.has(id)
    })
    expect(open.map(({ id, proof }) => `${id} ${proof ?? ''}`)).toEqual([])
  })

  it('gives no reason or proof of another kind for a trap that has a test of its own', async () => {
    const tagged = new Set((await allTitles()).flatMap(tagsOf))
    expect(
      TRAPS.filter(({ id, because }) => because !== undefined && tagged.has(id)).map(
        ({ id }) => id,
      ),
    ).toEqual([])
  })

  it('holds each id once, and every one of the numbered lists', () => {
    const ids = TRAPS.map(({ id }) => id)
    const numbered = [...many('9.', 78), ...many('10.1.', 22), ...many('B', 15), ...many('R', 15)]
    expect(new Set(ids).size).toBe(ids.length)
    expect(numbered.filter((id) => !ids.includes(id))).toEqual([])
  })
})

async function allTitles(): Promise<string[]> {
  const sources = await sourcesOf('test')
  return sources
    .filter(({ file }) => file.endsWith('.test.ts'))
    .flatMap(({ text }) => [...text.matchAll(TITLE)].map((match) => match[2] ?? ''))
}

function tagsOf(title: string): string[] {
  return /^\[([^\]]+)\]/.exec(title)?.[1]?.split(' ') ?? []
}

function many(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`)
}
