import { choicesOf, NO_PERSONALITY, type PersonalityValue } from '../config/personality-value.js'
import { entryFor, plainName } from '../models/resolve.js'

/** One request, as far as the choice of a personality goes. */
export interface Asking {
  /** The host's name of the agent. */
  readonly agent: string
  /** The backend's name of the model. */
  readonly model: string
  /** A session that another one started: its answers are read by a model. */
  readonly isChild: boolean
}

/**
 * The personality of a request: that of its agent before that of its model, of its project, and of everything. A sub-agent
 * has one only where its name is given one. Pure.
 * @param isHere whether a folder of the table is the project
 * @returns undefined where none speaks
 */
export function chosenFor(
  value: PersonalityValue,
  { agent, model, isChild }: Asking,
  isHere: (folder: string) => boolean,
): string | undefined {
  const choices = choicesOf(value)
  const ofAgent = Object.hasOwn(choices.agents, agent) ? choices.agents[agent] : undefined
  const general = (): string =>
    entryFor(choices.models, plainName(model)) ??
    Object.entries(choices.projects).find(([folder]) => isHere(folder))?.[1] ??
    choices.default
  const name = ofAgent ?? (isChild ? NO_PERSONALITY : general())
  return name === NO_PERSONALITY ? undefined : name
}

/** The personalities of a project with where each counts, the general one first. Pure. */
export function choicesHere(
  value: PersonalityValue,
  isHere: (folder: string) => boolean,
): { readonly where: string; readonly name: string }[] {
  const choices = choicesOf(value)
  const general =
    Object.entries(choices.projects).find(([folder]) => isHere(folder))?.[1] ?? choices.default
  const special = (words: string, table: Readonly<Record<string, string>>) =>
    Object.entries(table).map(([key, name]) => ({ where: `${words} ${key}`, name }))
  return [
    { where: '', name: general },
    ...special('agent', choices.agents),
    ...special('model', choices.models),
  ]
}
