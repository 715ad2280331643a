import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { parseAffinity } from '../../lib/accounts/session-affinity.js'
import { rulesOf } from '../../lib/accounts/rules.js'
import { EMPTY_POOL } from '../../lib/accounts/account.js'
import { parseCatalogues } from '../../lib/catalogue/catalogue-file.js'
import { parseLines } from '../../lib/history/lines.js'
import { parseLedger } from '../../lib/quota/ledger-state.js'

const window = { kind: 'weekly', usedPercent: 30, observedAtMs: 5, source: 'headers' }
const block = { scope: '*', reason: 'forbidden', source: 'body', sinceMs: 1, untilMs: 9 }
const quota = {
  limits: { codex: { windows: [window] } },
  blocks: [block],
  planType: 'plus',
  readAtMs: 5,
}
const anyValue = fc.oneof(fc.jsonValue(), fc.constantFrom(null, [], {}, '', 1e308, -1))

/** A value for one place of a tree, everywhere in it. */
function placesIn(
  tree: unknown,
  path: readonly (string | number)[] = [],
): (readonly (string | number)[])[] {
  if (typeof tree !== 'object' || tree === null) return []
  return Object.entries(tree).flatMap(([key, value]) => [
    [...path, key],
    ...placesIn(value, [...path, key]),
  ])
}

function withValueAt(
  tree: unknown,
  [key, ...rest]: readonly (string | number)[],
  value: unknown,
): unknown {
  if (key === undefined) return value
  const copy = (Array.isArray(tree) ? [...(tree as unknown[])] : { ...(tree as object) }) as Record<
    string | number,
    unknown
  >
  copy[key] = withValueAt(copy[key], rest, value)
  return copy
}

describe('one odd value in a file of ours takes no neighbour along', () => {
  it('in the quota file: what is known about the other accounts stays', () => {
    fc.assert(
      fc.property(fc.constantFrom(...placesIn(quota)), anyValue, (place, value) => {
        const text = JSON.stringify({
          version: 1,
          accounts: { odd: withValueAt(quota, place, value), good: quota },
        })
        expect(parseLedger(text).good).toEqual(quota)
      }),
    )
  })

  it('in the quota file: also one by the name of what every object has', () => {
    const odd = { ...quota, blocks: [{ toString: 1, constructor: 1 }] }
    const text = JSON.stringify({ version: 1, accounts: { odd, good: quota } })
    expect(parseLedger(text)).toMatchObject({ odd: { limits: quota.limits }, good: quota })
  })

  it('in the quota file: the other facts about the same account stay', () => {
    for (const place of ['planType', 'readAtMs', 'credits', 'resetCredits', 'lifted', 'alerted']) {
      expect(
        parseLedger(JSON.stringify({ version: 1, accounts: { a: { ...quota, [place]: null } } })).a,
        place,
      ).toMatchObject({ limits: quota.limits, blocks: [block] })
    }
    const other = {
      ...quota,
      limits: {
        codex: {
          windows: [
            { ...window, resetsAtMs: null },
            { ...window, kind: 7 },
          ],
        },
        odd: 3,
      },
      blocks: [null, block],
      lifted: { a: 'x', b: 4 },
    }
    expect(parseLedger(JSON.stringify({ version: 1, accounts: { a: other } })).a).toMatchObject({
      limits: { codex: { windows: [window] } },
      blocks: [block],
      lifted: { b: 4 },
    })
  })

  it('in the list of sessions: the other sessions keep their accounts', () => {
    fc.assert(
      fc.property(anyValue, anyValue, (value, whole) => {
        const text = JSON.stringify({
          version: 1,
          sessions: {
            good: { uid: 'acc_1', usedAtMs: 5 },
            odd: { uid: value, usedAtMs: whole },
            none: whole,
          },
        })
        expect(parseAffinity(text).get('good')).toEqual({ uid: 'acc_1', usedAtMs: 5 })
      }),
    )
  })

  it('in the rules of the pool: the other pins and fences stay', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const pool = {
          ...EMPTY_POOL,
          rules: {
            projectPins: { good: { uid: 'a', mode: 'hard' }, odd: value },
            sessionPins: { good: { uid: 'a', mode: 'soft' }, odd: value },
            fences: { good: ['a', value], odd: value },
          },
        }
        const rules = rulesOf(pool)
        expect(rules.projectPins?.good).toEqual({ uid: 'a', mode: 'hard' })
        expect(rules.sessionPins?.good).toEqual({ uid: 'a', mode: 'soft' })
        expect(rules.fences?.good).toContain('a')
        expect(rules.fences).toHaveProperty('odd')
      }),
    )
  })

  it('in the catalogue: the other accounts and models stay', () => {
    const model = { id: 'm', name: 'M', listed: true, fast: false, images: true }
    const entry = { models: [model], fetchedAtMs: 3 }
    fc.assert(
      fc.property(fc.constantFrom(...placesIn(entry)), anyValue, (place, value) => {
        const read = parseCatalogues(
          JSON.stringify({
            version: 1,
            accounts: {
              odd: withValueAt(entry, place, value),
              good: { models: [value, model], fetchedAtMs: 3 },
            },
          }),
        )
        expect(read.good?.models.map(({ id }) => id)).toContain('m')
      }),
    )
  })

  it('in the history: the other lines stay', () => {
    const good = { type: 'alert', atMs: 5, uid: 'a', limitId: 'codex', kind: 'weekly', level: 10 }
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(
          parseLines(
            [
              JSON.stringify(value),
              JSON.stringify({ ...good, atMs: value }),
              JSON.stringify(good),
            ].join('\n'),
          ),
        ).toContainEqual(good)
      }),
    )
  })
})
