import { type ListedTexts } from '../catalogue/listed-texts.js'
import { NO_PERSONALITY, type PersonalityValue } from '../config/personality-value.js'
import { choicesHere } from './choice.js'
import type { PersonalityFiles } from './files.js'
import { asData } from '../kernel/text/as-data.js'
import { isListed } from './names.js'
import { spokenBy } from './spoken.js'
import { tokensOf } from './text.js'

/** One choice of the configuration, and what it comes to. */
export interface ChosenRow {
  /** `agent plan`, `model gpt-5.5`; empty for everything else here. */
  readonly where: string
  readonly name: string
  readonly scope: 'project' | 'user' | 'list' | null
  readonly file: string | null
  /** About how many tokens a request gets longer by. */
  readonly tokens: number
  readonly problem: string | null
}

/** What is chosen for the project one works in. Never throws. */
export async function chosenRows(
  value: PersonalityValue,
  isHere: (folder: string) => boolean,
  sources: { readonly files: PersonalityFiles; readonly lists: ListedTexts },
): Promise<ChosenRow[]> {
  const rows = choicesHere(value, isHere).map(async ({ where, name }): Promise<ChosenRow> => {
    const nothing = { where, name, scope: null, file: null, tokens: 0, problem: null }
    if (name === NO_PERSONALITY) return nothing
    const spoken = await spokenBy(name, undefined, {
      files: sources.files,
      listed: sources.lists.find,
    })
    return spoken.kind === 'problem'
      ? { ...nothing, problem: spoken.problem }
      : { ...nothing, scope: spoken.scope, file: spoken.file, tokens: tokensOf(spoken.part) }
  })
  return Promise.all(rows)
}

/** The same in one line; empty where nothing is in force. Pure. */
export function chosenLine(rows: readonly ChosenRow[]): string {
  const named = rows.filter(({ where, name }) => name !== NO_PERSONALITY || where !== '')
  if (named.every(({ name }) => name === NO_PERSONALITY)) return ''
  const words = named.map(({ where, name, problem, tokens, scope }) => {
    const what =
      problem === null
        ? name === NO_PERSONALITY
          ? ''
          : ` (${isListed(name) ? 'the model list’s' : scope === 'project' ? 'this project’s' : 'yours'}, about ${tokens} tokens)`
        : ` (not used: ${problem})`
    return `${where === '' ? '' : `${asData(where)}: `}${name}${what}`
  })
  return `Personality: ${words.join('; ')}`
}
