import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'

import * as s from '../../lib/kernel/shape.js'

/** One shape, written for both. */
interface Twin {
  readonly ours: s.AnyShape
  readonly theirs: z.ZodType
}

const leaves: readonly Twin[] = [
  { ours: s.string(), theirs: z.string() },
  { ours: s.string({ min: 1, max: 3 }), theirs: z.string().min(1).max(3) },
  { ours: s.string({ pattern: /^[ab]+$/ }), theirs: z.string().regex(/^[ab]+$/) },
  { ours: s.number(), theirs: z.number() },
  { ours: s.number({ min: 0, max: 10 }), theirs: z.number().min(0).max(10) },
  { ours: s.int({ min: -1, max: 5 }), theirs: z.int().min(-1).max(5) },
  { ours: s.boolean(), theirs: z.boolean() },
  { ours: s.unknown(), theirs: z.unknown() },
  { ours: s.literal('a'), theirs: z.literal('a') },
  { ours: s.literal(1), theirs: z.literal(1) },
  { ours: s.oneOf(['a', 'b']), theirs: z.enum(['a', 'b']) },
]

const NAMES = ['a', 'b', 'c'] as const

const { twin } = fc.letrec<{ twin: Twin }>((tie) => {
  const inner = tie('twin')
  const fields = fc.dictionary(fc.constantFrom(...NAMES), inner, { maxKeys: 3 })
  const objectOf = (
    ours: (of: Record<string, Twin['ours']>) => Twin['ours'],
    theirs: (of: Record<string, z.ZodType>) => z.ZodType,
  ) =>
    fields.map((twins): Twin => ({
      ours: ours(Object.fromEntries(Object.entries(twins).map(([name, one]) => [name, one.ours]))),
      theirs: theirs(
        Object.fromEntries(Object.entries(twins).map(([name, one]) => [name, one.theirs])),
      ),
    }))
  const required = (one: Twin): one is Twin & { ours: s.Shape } => one.ours.presence === 'required'
  return {
    twin: fc.oneof(
      { depthSize: 'small' },
      { arbitrary: fc.constantFrom(...leaves), weight: 3 },
      inner.map(({ ours, theirs }) => ({ ours: ours.optional(), theirs: theirs.optional() })),
      inner.map(({ ours, theirs }) => ({ ours: ours.nullish(), theirs: theirs.nullish() })),
      inner.map(({ ours, theirs }) => ({ ours: ours.nullable(), theirs: theirs.nullable() })),
      inner.map(({ ours, theirs }) => ({
        ours: (ours as s.Shape).catch('caught'),
        theirs: theirs.catch('caught'),
      })),
      inner.map(({ ours, theirs }) => ({
        ours: (ours as s.Shape).transform((value) => [value]),
        theirs: theirs.transform((value) => [value]),
      })),
      fc.constantFrom(...leaves).map(({ ours, theirs }) => ({
        ours: ours.exactOptional(),
        theirs: theirs.exactOptional(),
      })),
      inner.map(({ ours, theirs }) => ({ ours: s.array(ours), theirs: z.array(theirs) })),
      inner.filter(required).map(({ ours, theirs }) => ({
        ours: s.record(ours),
        theirs: z.record(z.string(), theirs),
      })),
      fc.array(inner.filter(required), { minLength: 1, maxLength: 2 }).map((twins) => ({
        ours: s.union(twins.map(({ ours }) => ours)),
        theirs: z.union(twins.map(({ theirs }) => theirs)),
      })),
      objectOf(s.object, z.object),
      objectOf(s.looseObject, z.looseObject),
      objectOf(s.strictObject, z.strictObject),
    ),
  }
})

/** Values near the shapes: few names, few texts, and everything else now and then. */
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('', 'a', 'b', 'ab', 'abcd', 0, 1, 5, -1, 0.5, 11, true, false, null, undefined),
    fc.constantFrom(Number.NaN, Infinity, 2 ** 60, -0),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES, 'd', '__proto__', 'valueOf'), tie('value'), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
}))

describe('shapes', () => {
  it('accept, refuse and change exactly what the schema library does', () => {
    fc.assert(
      fc.property(twin, value, ({ ours, theirs }, given) => {
        const wanted = theirs.safeParse(given)
        const found = ours.safeParse(given)
        expect(found.success).toBe(wanted.success)
        expect(found.data).toStrictEqual(wanted.data)
        if (found.success)
          expect(Object.keys(found.data ?? {})).toEqual(Object.keys(wanted.data ?? {}))
      }),
      { numRuns: 4_000 },
    )
  })

  it.each(leaves.map((one, index) => ({ index, ...one })))(
    'say what is wrong in the words of the library ($index)',
    ({ ours, theirs }) => {
      const wrong = ['', 'abcd', 'xyz', 11, -2, 0.5, null, [], {}, Number.NaN, true]
      for (const one of wrong)
        expect(ours.safeParse(one).problem).toBe(theirs.safeParse(one).error?.issues[0]?.message)
    },
  )
})
