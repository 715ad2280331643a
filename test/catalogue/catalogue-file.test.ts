import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { type CachedCatalogue, parseCatalogues } from '../../lib/catalogue/catalogue-file.js'
import { formatCatalogues } from '../../lib/catalogue/catalogue-text.js'

const model = (id: string) => ({
  id,
  name: id.toUpperCase(),
  input: 272_000,
  efforts: ['low', 'medium', 'high', 'xhigh'],
  listed: true,
  fast: true,
  images: true,
})
const LIST = ['gpt-5.5', 'gpt-5.4', 'gpt-5.4-mini', 'gpt-5.2'].map(model)

/** As the former version reads the file: anything but its own is none. */
function readByFormerVersion(text: string): unknown {
  const content = JSON.parse(text) as { version: unknown; accounts: unknown }
  return content.version === 1 ? content.accounts : {}
}

describe('the file of the catalogues', () => {
  it('gives back what was put into it, whoever shares a list with whom', () => {
    const catalogue: fc.Arbitrary<CachedCatalogue> = fc.record({
      models: fc.constantFrom(LIST, LIST.slice(1), [model('own')], structuredClone(LIST)),
      etag: fc.constantFrom(undefined, 'W/"a"', '"b"'),
      fetchedAtMs: fc.integer({ min: 0 }),
      client: fc.constantFrom('0.169.0', '0.170.0'),
    })
    fc.assert(
      fc.property(fc.dictionary(fc.uuid(), catalogue, { noNullPrototype: true }), (all) => {
        expect(parseCatalogues(formatCatalogues(all))).toEqual(all)
      }),
    )
  })

  it('holds the list of 1,000 accounts once, and they share it in memory', () => {
    const text = formatCatalogues(
      Object.fromEntries(
        Array.from({ length: 1_000 }, (_, index) => [
          `account-${index}`,
          {
            models: structuredClone(LIST),
            etag: '"a"',
            client: '0.169.0',
            fetchedAtMs: 1_800_000_000_000,
          },
        ]),
      ),
    )
    expect(text.match(/gpt-5\.4-mini/g)).toHaveLength(1)
    // The list once, and less than a tenth of one for each.
    expect(text.length).toBeLessThan(JSON.stringify(LIST).length * 101)
    expect(new Set(Object.values(parseCatalogues(text)).map(({ models }) => models)).size).toBe(1)
  })

  it('of the former version is read, and its lists are asked for in full, since less of them was kept', () => {
    const entry = { models: LIST, etag: '"a"', fetchedAtMs: 5 }
    expect(parseCatalogues(JSON.stringify({ version: 1, accounts: { a: entry } }))).toEqual({
      a: { ...entry, etag: undefined, client: '0.169.0' },
    })
  })

  it('is none for the former version, which then asks again', () => {
    const text = formatCatalogues({
      a: { models: LIST, etag: '"a"', client: '0.169.0', fetchedAtMs: 5 },
    })
    expect(readByFormerVersion(text)).toEqual({})
  })

  it('loses the account whose list is not there, and no other', () => {
    const read = (list: unknown) =>
      Object.keys(
        parseCatalogues(
          JSON.stringify({
            version: 2,
            lists: [{ models: LIST }, { models: [] }, null],
            accounts: { good: { list: 0, fetchedAtMs: 1 }, odd: { list, fetchedAtMs: 1 } },
          }),
        ),
      )
    for (const list of [1, 2, 3, -1, 0.5, '0', null, undefined, [0], true])
      expect(read(list), String(list)).toEqual(['good'])
  })
})
