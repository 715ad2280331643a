import * as s from '../kernel/shape.js'

import { ONLY_FALSE, type ProjectRule, setting, toggle } from './setting.js'

/** The name that stands for no personality. */
export const NO_PERSONALITY = 'none'

/** No path, no stream of a file, no dot: a name is one word. Case does not count. */
export const PERSONALITY_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/

const name = s.string({ pattern: PERSONALITY_NAME }).transform((text) => text.toLowerCase())

/** Which personality speaks: one name, or names by where they count. */
const personalityValue = s.union([
  name,
  s.strictObject({
    default: name.optional(),
    models: s.record(name).optional(),
    agents: s.record(name).optional(),
    projects: s.record(name).optional(),
  }),
])

/** What the setting holds. */
export type PersonalityValue = s.Infer<typeof personalityValue>

/** The same with its tables, whichever form it has. */
export interface PersonalityChoices {
  readonly default: string
  /** By model id. */
  readonly models: Readonly<Record<string, string>>
  /** By the host's name of the agent. */
  readonly agents: Readonly<Record<string, string>>
  /** By the folder of the project. */
  readonly projects: Readonly<Record<string, string>>
}

/** The tables of a value. Pure. */
export function choicesOf(value: PersonalityValue): PersonalityChoices {
  const { models = {}, agents = {}, projects = {}, ...general } = tableOf(value)
  return { default: general.default ?? NO_PERSONALITY, models, agents, projects }
}

function tableOf(value: PersonalityValue): Exclude<PersonalityValue, string> {
  return typeof value === 'string' ? { default: value } : value
}

/** Every name in a value, each once, without the one that stands for nothing. Pure. */
export function namesIn(value: PersonalityValue): string[] {
  const { default: general, ...tables } = choicesOf(value)
  const all = new Set([general, ...Object.values(tables).flatMap((one) => Object.values(one))])
  all.delete(NO_PERSONALITY)
  return [...all]
}

type Table = Readonly<Record<string, string>>

/**
 * A project may bring the text of a personality, so it must not be the one who chooses it: it may take names that the user
 * uses already, and switch them off. The user's own tables stay where the project names nothing.
 */
const OWN_NAMES: ProjectRule<PersonalityValue> = {
  words: 'only none, and names you use',
  isLooser: (own, value) => namesIn(value).some((one) => !namesIn(own).includes(one)),
  merge(own, wanted) {
    const mine = choicesOf(own)
    const { default: general, models = {}, agents = {} } = tableOf(wanted)
    // An agent and a model count before a project: there, what the user switched off stays off.
    const isOff = Object.values(mine.projects).includes(NO_PERSONALITY)
    const mayTake = (table: Table, key: string): boolean =>
      !isOff && !(Object.hasOwn(table, key) && table[key] === NO_PERSONALITY)
    const merged = (table: Table, theirs: Table): Table => ({
      ...table,
      ...Object.fromEntries(
        Object.entries(theirs).filter(
          ([key, chosen]) => chosen === NO_PERSONALITY || mayTake(table, key),
        ),
      ),
    })
    return {
      ...mine,
      default: general ?? mine.default,
      models: merged(mine.models, models),
      agents: merged(mine.agents, agents),
    }
  },
}

/** The settings of personalities. */
export const PERSONALITY_SETTINGS = {
  personality: setting({
    schema: personalityValue,
    default: 'none',
    env: 'CODEX_AUTH_PERSONALITY',
    project: OWN_NAMES,
  }),
  personalityCommand: toggle({
    default: false,
    project: ONLY_FALSE,
  }),
} as const
