import * as z from 'zod'

import { isRecord } from './json.js'

/**
 * Schemas for files that more than one version and more than one program write: what does not fit is left out, and never
 * takes its neighbours along.
 */

/** The end of the last year that dates are written in with four digits, epoch ms: no clock of a user shows more. */
const LAST_MOMENT_MS = 253_402_300_799_999

/** A time that a date can be made of, epoch ms. */
export const moment = z.number().min(0).max(LAST_MOMENT_MS)

/** A table without the entries that do not fit; what is no table does not fit itself. */
export function goodEntries<Value>(schema: z.ZodType<Value>): z.ZodType<Record<string, Value>> {
  return z.record(z.string(), z.unknown()).transform((table) =>
    Object.fromEntries(
      Object.entries(table).flatMap(([name, value]): [string, Value][] => {
        const parsed = schema.safeParse(value)
        return parsed.success ? [[name, parsed.data]] : []
      }),
    ),
  )
}

/** A list without the items that do not fit; what is no list does not fit itself. */
export function goodItems<Value>(schema: z.ZodType<Value>): z.ZodType<Value[]> {
  return z.array(z.unknown()).transform((list) =>
    list.flatMap((value): Value[] => {
      const parsed = schema.safeParse(value)
      return parsed.success ? [parsed.data] : []
    }),
  )
}

/** A field that others write: what does not fit, or is null, counts as absent. */
export const maybe = <Schema extends z.ZodType>(schema: Schema) =>
  schema
    .nullish()
    .catch(undefined)
    .transform((value) => value ?? undefined)

/** An object: fields that do not fit are as if they were not there, and only a missing one that must be there refuses it. */
export function goodFields<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
): z.ZodType<z.output<z.ZodObject<Shape>>> {
  const fits = (name: string, value: unknown): boolean =>
    Object.hasOwn(schema.shape, name) &&
    (schema.shape[name] as unknown as z.ZodType).safeParse(value).success
  return z
    .unknown()
    .transform((value) =>
      isRecord(value)
        ? Object.fromEntries(Object.entries(value).filter(([name, field]) => fits(name, field)))
        : value,
    )
    .pipe(schema as z.ZodType<z.output<z.ZodObject<Shape>>>)
}
