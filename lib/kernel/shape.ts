import { isRecord } from './text/json.js'

/**
 * Shapes of stored files and answers, for the request path: a schema library costs more to load than a first request does.
 * Names and meaning are those of zod, which checks what people type; `test/kernel/shape.test.ts` compares the two.
 */

/** Stands for a value that does not fit. */
const MISFIT = Symbol('misfit')
type Read<Out> = (value: unknown, problems: string[] | undefined) => Out | typeof MISFIT

/**
 * What becomes of a field that is missing: it refuses the object; or it stays missing, and may be undefined when it is
 * there (`optional`) or not (`exact`); or it is made (`filled`, for the types as `required`).
 */
type Presence = 'required' | 'optional' | 'exact' | 'filled'

/** What a shape takes, as data: for the JSON Schema and the texts of settings. */
export type Takes =
  | { readonly type: 'boolean' | 'other' }
  | { readonly type: 'string'; readonly pattern?: RegExp | undefined }
  | { readonly type: 'number' | 'integer'; readonly min?: number; readonly max?: number }
  /** `alsoToggle`: true and false stand for two of the words. */
  | { readonly type: 'enum'; readonly values: readonly string[]; readonly alsoToggle?: true }
  | { readonly type: 'array' | 'record'; readonly of: Takes }
  | { readonly type: 'either'; readonly of: readonly Takes[] }
  | { readonly type: 'object'; readonly fields: Readonly<Record<string, Takes>> }

/** The outcome of a check: the value as its type says, or why it does not fit, in one sentence. */
export type Checked<Out> =
  | { readonly success: true; readonly data: Out; readonly problem?: undefined }
  | { readonly success: false; readonly data?: undefined; readonly problem: string }

/** A check of an unknown value that yields a typed one. Pure; never throws. */
export class Shape<out Out = unknown, out Field extends Presence = 'required'> {
  /** Of use to the type of an object only. */
  declare readonly field: Field

  /** For shapes made of shapes. */
  readonly read: Read<Out>
  readonly takes: Takes
  readonly presence: Presence

  constructor(read: Read<Out>, takes: Takes = { type: 'other' }, presence: Presence = 'required') {
    this.read = read
    this.takes = takes
    this.presence = presence
  }

  /** The value, or why it does not fit. */
  safeParse(value: unknown): Checked<Out> {
    const data = this.read(value, undefined)
    if (data !== MISFIT) return { success: true, data }
    const { read } = this
    return {
      success: false,
      get problem() {
        const problems: string[] = []
        read(value, problems)
        return problems[0] ?? 'Invalid input'
      },
    }
  }

  /** The value. @throws TypeError that says why it does not fit */
  parse(value: unknown): Out {
    const { success, data, problem } = this.safeParse(value)
    if (success) return data
    throw new TypeError(problem)
  }

  /** Also nothing fits. */
  optional(): Shape<Out | undefined, 'optional'> {
    const read: Read<Out | undefined> = (value, problems) =>
      value === undefined ? undefined : this.read(value, problems)
    return new Shape(read, this.takes, 'optional')
  }

  /** A field that may be missing, and has a value of this shape when it is there. */
  exactOptional(): Shape<Out, 'exact'> {
    return new Shape(this.read, this.takes, 'exact')
  }

  /** Also null and nothing fit. */
  nullish(): Shape<Out | null | undefined, 'optional'> {
    const read: Read<Out | null | undefined> = (value, problems) =>
      value === undefined || value === null ? value : this.read(value, problems)
    return new Shape(read, this.takes, 'optional')
  }

  /** Also null fits. */
  nullable(): Shape<Out | null, Field> {
    const read: Read<Out | null> = (value, problems) =>
      value === null ? null : this.read(value, problems)
    return new Shape(read, this.takes, this.presence)
  }

  /** Every value fits: this stands in place of one that would not. */
  catch(instead: Out | ((value: unknown) => Out)): Shape<Out, Field> {
    const make =
      typeof instead === 'function' ? (instead as (value: unknown) => Out) : () => instead
    const read: Read<Out> = (value) => {
      const found = this.read(value, undefined)
      return found === MISFIT ? make(value) : found
    }
    return new Shape(read, this.takes, this.presence === 'required' ? 'filled' : this.presence)
  }

  /** What fits, changed. */
  transform<Next>(change: (value: Out) => Next): Shape<Next, 'filled'> {
    const read: Read<Next> = (value, problems) => {
      const found = this.read(value, problems)
      return found === MISFIT ? MISFIT : change(found)
    }
    return new Shape(read, this.takes, this.presence === 'required' ? 'required' : 'filled')
  }
}

/** A shape of an object, with its fields. */
export class ObjectShape<out Of extends Fields, out Out> extends Shape<Out> {
  readonly fields: Of

  constructor(fields: Of, others: 'dropped' | 'kept' | 'refused') {
    super(objectReader(fields, others) as Read<Out>, {
      type: 'object',
      fields: Object.fromEntries(Object.entries(fields).map(([name, { takes }]) => [name, takes])),
    })
    this.fields = fields
  }
}

/** A shape of whatever presence. */
export type AnyShape<Out = unknown> = Shape<Out, Presence>
export type Fields = Readonly<Record<string, AnyShape>>
type Names<Of extends Fields, Field extends Presence> = {
  [Name in keyof Of]: Of[Name]['field'] extends Field ? Name : never
}[keyof Of]
type Flat<Type> = { [Name in keyof Type]: Type[Name] }
type OutputOf<Of extends Fields> = Flat<
  { [Name in Names<Of, 'required' | 'filled'>]: Infer<Of[Name]> } & {
    [Name in Names<Of, 'optional' | 'exact'>]?: Infer<Of[Name]>
  }
>

/** The type of what fits a shape. */
export type Infer<Of> = Of extends AnyShape<infer Out> ? Out : never

/** Any value, also none. */
export function unknown(): Shape {
  return new Shape((value) => value)
}

export function boolean(): Shape<boolean> {
  const read: Read<boolean> = (value, problems) =>
    typeof value === 'boolean' ? value : misfit(problems, expected('boolean', value))
  return new Shape(read, { type: 'boolean' })
}

/** A text; lengths in UTF-16 units. */
export function string(
  bounds: { readonly min?: number; readonly max?: number; readonly pattern?: RegExp } = {},
): Shape<string> {
  const { min = 0, max = Infinity, pattern } = bounds
  return new Shape(
    (value, problems) => {
      if (typeof value !== 'string') return misfit(problems, expected('string', value))
      if (value.length < min)
        return misfit(problems, `Too small: expected string to have >=${min} characters`)
      if (value.length > max)
        return misfit(problems, `Too big: expected string to have <=${max} characters`)
      if (pattern?.test(value) === false)
        return misfit(problems, `Invalid string: must match pattern ${String(pattern)}`)
      return value
    },
    { type: 'string', pattern },
  )
}

type NumberBounds = { readonly min?: number; readonly max?: number }

/** A finite number within its bounds, both of them included. */
export function number(bounds: NumberBounds = {}): Shape<number> {
  return new Shape(
    (value, problems) =>
      typeof value === 'number' && Number.isFinite(value)
        ? bounded(value, bounds, problems)
        : misfit(problems, expected('number', value)),
    { type: 'number', ...bounds },
  )
}

/** A whole number that is exact as a double. */
export function int(bounds: NumberBounds = {}): Shape<number> {
  return new Shape(
    (value, problems) => {
      if (typeof value !== 'number' || !Number.isFinite(value))
        return misfit(problems, expected('number', value))
      if (!Number.isInteger(value)) return misfit(problems, expected('int', value))
      const { MIN_SAFE_INTEGER: least, MAX_SAFE_INTEGER: most } = Number
      const { min = least, max = most } = bounds
      return bounded(value, { min: Math.max(min, least), max: Math.min(max, most) }, problems)
    },
    { type: 'integer', ...bounds },
  )
}

export function literal<const Value extends string | number | boolean>(value: Value): Shape<Value> {
  return new Shape((given, problems) =>
    given === value ? value : misfit(problems, `Invalid input: expected ${JSON.stringify(value)}`),
  )
}

/** One of several words. */
export function oneOf<const Word extends string>(words: readonly Word[]): Shape<Word> {
  const known = new Set<unknown>(words)
  return new Shape(
    (value, problems) =>
      known.has(value)
        ? (value as Word)
        : misfit(problems, `Invalid option: expected one of ${words.map(quoted).join('|')}`),
    { type: 'enum', values: words },
  )
}

/** A list whose items all fit. */
export function array<Item>(
  item: AnyShape<Item>,
  { min = 0 }: { readonly min?: number } = {},
): Shape<Item[]> {
  return new Shape(
    (value, problems) => {
      if (!Array.isArray(value)) return misfit(problems, expected('array', value))
      if (value.length < min)
        return misfit(problems, `Too small: expected array to have >=${min} items`)
      const items: Item[] = []
      for (const one of value as readonly unknown[]) {
        const read = item.read(one, problems)
        if (read === MISFIT) return MISFIT
        items.push(read)
      }
      return items
    },
    { type: 'array', of: item.takes },
  )
}

/** A table whose values all fit. */
export function record<Value>(of: AnyShape<Value>): Shape<Record<string, Value>> {
  return new Shape(
    (value, problems) => {
      if (!isRecord(value)) return misfit(problems, expected('record', value))
      const table: Record<string, Value> = {}
      for (const name of Object.keys(value)) {
        if (name === '__proto__') continue
        const read = of.read(value[name], problems)
        if (read === MISFIT) return MISFIT
        table[name] = read
      }
      return table
    },
    { type: 'record', of: of.takes },
  )
}

/** The first of several shapes that fits. */
export function union<const Shapes extends readonly Shape<unknown, 'required' | 'filled'>[]>(
  shapes: Shapes,
): Shape<Infer<Shapes[number]>> {
  const read: Read<Infer<Shapes[number]>> = (value, problems) => {
    for (const shape of shapes) {
      const read = shape.read(value, undefined)
      if (read !== MISFIT) return read as Infer<Shapes[number]>
    }
    return misfit(problems, 'Invalid input')
  }
  const isFilled = shapes.some(({ presence }) => presence === 'filled')
  const of = shapes.map(({ takes }) => takes)
  return new Shape(read, { type: 'either', of }, isFilled ? 'filled' : 'required')
}

/** An object; what else it holds is left out. */
export function object<const Of extends Fields>(fields: Of): ObjectShape<Of, OutputOf<Of>> {
  return new ObjectShape(fields, 'dropped')
}

/** An object; what else it holds stays as it is, behind the fields. */
export function looseObject<const Of extends Fields>(
  fields: Of,
): ObjectShape<Of, OutputOf<Of> & { [unknown: string]: unknown }> {
  return new ObjectShape(fields, 'kept')
}

/** An object that holds nothing else. */
export function strictObject<const Of extends Fields>(fields: Of): ObjectShape<Of, OutputOf<Of>> {
  return new ObjectShape(fields, 'refused')
}

function objectReader(
  fields: Fields,
  others: 'dropped' | 'kept' | 'refused',
): Read<Record<string, unknown>> {
  const shapes = Object.entries(fields)
  return (value, problems) => {
    if (!isRecord(value)) return misfit(problems, expected('object', value))
    const made: Record<string, unknown> = {}
    for (const [name, shape] of shapes) {
      const isThere = name in value
      if (!isThere) {
        if (shape.presence === 'required')
          return misfit(problems, expected('nonoptional', undefined))
        if (shape.presence !== 'filled') continue
      }
      const read = shape.read(value[name], problems)
      if (read === MISFIT) return MISFIT
      if (read !== undefined || isThere) made[name] = read
    }
    if (others === 'dropped') return made
    for (const name of Object.keys(value)) {
      if (Object.hasOwn(fields, name)) continue
      if (others === 'refused') return misfit(problems, `Unrecognized key: ${quoted(name)}`)
      if (name !== '__proto__') made[name] = value[name]
    }
    return made
  }
}

function bounded(
  value: number,
  { min = -Infinity, max = Infinity }: NumberBounds,
  problems: string[] | undefined,
): number | typeof MISFIT {
  if (value < min) return misfit(problems, `Too small: expected number to be >=${min}`)
  if (value > max) return misfit(problems, `Too big: expected number to be <=${max}`)
  return value
}

function misfit(problems: string[] | undefined, problem: string): typeof MISFIT {
  problems?.push(problem)
  return MISFIT
}

function expected(wanted: string, value: unknown): string {
  const odd = value === null ? 'null' : Number.isNaN(value) ? 'NaN' : undefined
  const kind = odd ?? (Array.isArray(value) ? 'array' : typeof value)
  return `Invalid input: expected ${wanted}, received ${kind}`
}

const quoted = (word: string): string => JSON.stringify(word)
