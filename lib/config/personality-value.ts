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
  const given = typeof value === 'string' ? { default: value } : value
  const { models = {}, agents = {}, projects = {} } = given
  return { default: given.default ?? NO_PERSONALITY, models, agents, projects }
}

/** Every name in a value, each once, without the one that stands for nothing. Pure. */
export function namesIn(value: PersonalityValue): string[] {
  const { models, agents, projects, ...rest } = choicesOf(value)
  const all = [rest.default, ...[models, agents, projects].flatMap((table) => Object.values(table))]
  return [...new Set(all)].filter((one) => one !== NO_PERSONALITY)
}

/**
 * A project may bring the text of a personality, so it must not be the one who chooses it: it may take names that the user
 * uses already, and switch them off. The user's own tables stay where the project names nothing.
 */
const OWN_NAMES: ProjectRule<PersonalityValue> = {
  words: 'only none, and names you use yourself',
  isLooser(own, value) {
    const known = new Set(namesIn(own))
    return namesIn(value).some((one) => !known.has(one))
  },
  merge(own, wanted) {
    const mine = choicesOf(own)
    const theirs = typeof wanted === 'string' ? { default: wanted } : wanted
    return {
      default: theirs.default ?? mine.default,
      models: { ...mine.models, ...theirs.models },
      agents: { ...mine.agents, ...theirs.agents },
      projects: { ...mine.projects },
    }
  },
}

/** The settings of personalities. */
export const PERSONALITY_SETTINGS = {
  personality: setting({
    schema: personalityValue,
    default: 'none',
    env: 'CODEX_AUTH_PERSONALITY',
    help: 'How the model speaks: none, friendly, pragmatic, or a text of yours; one name, or names as default and by agents, models and projects (docs/personalities.md).',
    project: OWN_NAMES,
  }),
  personalityCommand: toggle({
    default: false,
    env: 'CODEX_AUTH_PERSONALITY_COMMAND',
    help: 'The slash command /create-personality, and the tool with which the model writes what you agreed to; its definition travels with every request.',
    project: ONLY_FALSE,
  }),
} as const
