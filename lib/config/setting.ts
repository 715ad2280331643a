import * as s from '../kernel/shape.js'

import { entryFor, plainName } from '../models/resolve.js'

/** One setting: schema (type and range), default, environment name, and what a project may do with it. */
export interface Setting<Schema extends s.AnyShape = s.AnyShape> extends Definition<
  s.Infer<Schema>
> {
  readonly schema: Schema
}

interface Definition<Value> {
  readonly default: Value
  readonly env?: string
  /** What a project's file may do with it; absent: nothing. */
  readonly project?: ProjectRule<Value>
}

/** A setting of the table, its default and rule checked against its schema. */
export function setting<Schema extends s.AnyShape>(
  definition: Definition<NoInfer<s.Infer<Schema>>> & { readonly schema: Schema },
): Setting<Schema> {
  return definition
}

/** A setting that is on or off. */
export function toggle(definition: Definition<boolean>): Setting<s.Shape<boolean>> {
  return { schema: s.boolean(), ...definition }
}

/**
 * Words for a setting that was once on or off: a file or a variable from then keeps its meaning.
 * @param former what `true` and `false` mean now
 */
export function wordsOnceToggle<const Word extends string>(
  words: readonly Word[],
  former: Readonly<Record<'true' | 'false', NoInfer<Word>>>,
): s.Shape<Word> {
  const now = s.oneOf(words)
  // A variable says 1 and 0, too.
  const meant = (value: unknown): unknown => {
    if (value === true || value === 'true' || value === '1') return former.true
    return value === false || value === 'false' || value === '0' ? former.false : value
  }
  return new s.Shape<Word>((value, problems) => now.read(meant(value), problems), {
    type: 'enum',
    values: words,
    alsoToggle: true,
  })
}

/**
 * What a project's file may do with one setting. A project comes from anywhere, so it may tighten what the user has chosen
 * and never loosen it; a setting without a rule is none of its business. All functions are pure.
 */
export interface ProjectRule<Value> {
  /** The rule in a few words, for docs, `config` and messages. */
  readonly words: string
  /** True when `value` allows anything that the user's own value does not. */
  isLooser(own: Value, value: Value): boolean
  /** What comes into force when the project's value is taken; the project's value itself when absent. */
  merge?(own: Value, wanted: Value): Value
  /** Said in place of the usual sentence when a value is refused. */
  readonly refusal?: string
}

/** Any value: the setting spends, shows and sends nothing. */
export const ANY: ProjectRule<never> = { words: 'any value', isLooser: () => false }

/** No value, with a reason of its own. */
export function never(refusal: string): ProjectRule<never> {
  return { words: 'no', isLooser: () => true, refusal }
}

/** Words in their order, the strictest first: a project may go down and never up. */
export function downTo<Word extends string>(
  ...order: readonly [Word, Word, ...Word[]]
): ProjectRule<Word> {
  const words = order.length === 2 ? `only ${order[0]}` : `only towards ${order[0]}`
  return { words, isLooser: (own, value) => order.indexOf(value) > order.indexOf(own) }
}

export const ONLY_TRUE: ProjectRule<boolean> = {
  words: 'only true',
  isLooser: (own, value) => own && !value,
}

export const ONLY_FALSE: ProjectRule<boolean> = {
  words: 'only false',
  isLooser: (own, value) => !own && value,
}

export const ONLY_LOWER: ProjectRule<number> = {
  words: 'only lower',
  isLooser: (own, value) => value > own,
}

export const ONLY_HIGHER: ProjectRule<number> = {
  words: 'only higher',
  isLooser: (own, value) => value < own,
}

type Numbers = Record<string, number | undefined>

/**
 * Single numbers that may go down. What stands in place of a number that the user has not set is not known here, so that
 * one may only become 0.
 */
export const ONLY_LOWER_NUMBERS: ProjectRule<Numbers> = {
  words: 'only lower; 0 where you set no number',
  isLooser: (own, value) =>
    Object.entries(value).some(
      ([key, number]) => number !== undefined && number > (own[key] ?? 0),
    ) ||
    Object.entries(own).some(([key, number]) => number !== undefined && value[key] === undefined),
  merge: (own, wanted) => ({ ...own, ...wanted }),
}

type ModelLists = Record<string, string[]>

/** Accounts per model: a project may name some for a model that has none, and fewer for one that has. */
export const FEWER_ACCOUNTS: ProjectRule<ModelLists> = {
  words: 'only for models that have no pool, or fewer accounts',
  isLooser: (own, value) =>
    Object.keys(own).some((id) => {
      const allowed = new Set(entryFor(own, plainName(id)) ?? own[id])
      const left = entryFor(value, plainName(id))
      return left === undefined || left.some((account) => !allowed.has(account))
    }),
  merge: merged,
}

type ModelModes = Record<string, 'preferred' | 'strict'>

/** How binding the accounts of a model are: `strict` stays. */
export const ONLY_STRICT_MODES: ProjectRule<ModelModes> = {
  words: 'only strict, per model',
  isLooser: (own, value) =>
    Object.keys(own).some(
      (id) =>
        entryFor(own, plainName(id)) === 'strict' && entryFor(value, plainName(id)) !== 'strict',
    ),
  merge: merged,
}

/** Both tables, the project's entry before the user's where they name one model, also by different names of it. */
function merged<Value>(
  own: Readonly<Record<string, Value>>,
  wanted: Readonly<Record<string, Value>>,
): Record<string, Value> {
  const named = new Set(Object.keys(wanted).map(plainName))
  return Object.fromEntries([
    ...Object.entries(own).filter(([id]) => !named.has(plainName(id))),
    ...Object.entries(wanted),
  ])
}
