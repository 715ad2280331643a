import * as s from '../shape.js'

import { isRecord } from './json.js'

/**
 * Schemas for files that more than one version and more than one program write: what does not fit is left out, and never
 * takes its neighbours along.
 */

/** The end of the last year that dates are written in with four digits, epoch ms: no clock of a user shows more. */
const LAST_MOMENT_MS = 253_402_300_799_999

/** A time that a date can be made of, epoch ms. */
export const moment = s.number({ min: 0, max: LAST_MOMENT_MS })

/** A table without the entries that do not fit; what is no table does not fit itself. */
export function goodEntries<Value>(
  schema: s.AnyShape<Value>,
): s.Shape<Record<string, Value>, 'filled'> {
  return s.record(s.unknown()).transform((table) =>
    Object.fromEntries(
      Object.entries(table).flatMap(([name, value]): [string, Value][] => {
        const parsed = schema.safeParse(value)
        return parsed.success ? [[name, parsed.data]] : []
      }),
    ),
  )
}

/** A list without the items that do not fit; what is no list does not fit itself. */
export function goodItems<Value>(schema: s.AnyShape<Value>): s.Shape<Value[], 'filled'> {
  return s.array(s.unknown()).transform((list) =>
    list.flatMap((value): Value[] => {
      const parsed = schema.safeParse(value)
      return parsed.success ? [parsed.data] : []
    }),
  )
}

/** A field that others write: what does not fit, or is null, counts as absent. */
export const maybe = <Value>(schema: s.AnyShape<Value>) =>
  schema
    .nullish()
    .catch(undefined)
    .transform((value) => value ?? undefined)

/** An object: fields that do not fit are as if they were not there, and only a missing one that must be there refuses it. */
export function goodFields<Fields extends s.Fields, Out>(
  schema: s.ObjectShape<Fields, Out>,
): s.Shape<Out> {
  const fits = ([name, value]: [string, unknown]): boolean =>
    Object.hasOwn(schema.fields, name) && schema.fields[name]?.safeParse(value).success === true
  const goodOnes = (value: unknown): unknown =>
    isRecord(value) ? Object.fromEntries(Object.entries(value).filter(fits)) : value
  return new s.Shape((value, problems) => schema.read(goodOnes(value), problems))
}
