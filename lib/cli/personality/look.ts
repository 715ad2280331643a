import { NO_PERSONALITY } from '../../config/personality-value.js'
import { asData } from '../../kernel/text/as-data.js'
import { renderTable } from '../../kernel/text/table.js'
import { isListed, LISTED } from '../../personality/names.js'
import { chosenLine, chosenRows } from '../../personality/overview.js'
import { type Spoken, spokenBy } from '../../personality/spoken.js'
import { placeholdersIn, tokensOf } from '../../personality/text.js'
import { defineCommand } from '../command.js'
import { answer, contextAt, oneName } from './context.js'

const SCOPES = { list: 'model list', project: 'this project', user: 'you' } as const

/** `personality list`. */
export const listCommand = defineCommand({
  name: 'list',
  summary: 'Show every personality, where its text is, and which are in force here.',
  help: `Usage: oc-codex-multi-auth personality list [--json]

Shows friendly and pragmatic, with the models whose list has a text for them, and the texts of this project and of your own
folder. Of two with one name the project's speaks, once you have chosen the name.
`,
  options: {},
  async run({ json }, io) {
    const { files, lists, sources, loaded, isHere } = contextAt(io)
    const there = await files.names()
    const names = [...LISTED, ...there.names.filter((name) => !isListed(name))]
    const rows = await Promise.all(
      names.map(async (name) => {
        const models = isListed(name) ? await lists.modelsWith(name) : []
        return { ...summaryOf(await spokenBy(name, undefined, sources)), models }
      }),
    )
    const chosen = await chosenRows(loaded.config.personality, isHere, { files, lists })
    const line = chosenLine(chosen)
    const table = renderTable(
      rows,
      [
        { title: 'Name', value: (row) => row.name },
        { title: 'From', value: (row) => (row.scope === null ? '-' : SCOPES[row.scope]) },
        { title: 'Tokens', value: (row) => (row.tokens === 0 ? '-' : `about ${row.tokens}`) },
        {
          title: 'Text',
          value: (row) => row.problem ?? row.file ?? row.models.join(', '),
          priority: 1,
        },
      ],
      io.columns ?? Number.POSITIVE_INFINITY,
    )
    const force = line === '' ? 'Personality: none' : line
    const problems = there.problems.map((problem) => `${problem}\n`).join('')
    return answer(
      io,
      json,
      { personalities: rows, chosen, problems: there.problems },
      `${table}\n\n${problems}${force}\n`,
    )
  },
})

/** `personality show`. */
export const showCommand = defineCommand({
  name: 'show',
  summary: 'Show what a personality adds to the instructions of a request.',
  help: `Usage: oc-codex-multi-auth personality show NAME [--model MODEL] [--json]

Shows the text as it is sent, with the contract in front of it, its file, and about how many tokens it costs.

  --model MODEL  for friendly and pragmatic: the text of this model; else of the first that has one
`,
  options: { model: { type: 'string' } },
  takesWords: () => [],
  async run({ json, model }, io, words) {
    const name = oneName(words, 'show')
    if (name === NO_PERSONALITY)
      return answer(io, json, { name, part: '' }, '"none" adds nothing to a request.\n')
    const spoken = await spokenBy(name, model, contextAt(io).sources)
    const summary = summaryOf(spoken)
    if (spoken.kind === 'problem') {
      answer(io, json, { ...summary, part: null }, `${spoken.problem}\n`)
      return 1
    }
    const from = spoken.file ?? 'the model list of your accounts'
    const places = placeholdersIn(spoken.part).map(asData)
    const part = asData(spoken.part)
    const open = places.length === 0 ? '' : `\nNothing fills these in: ${places.join(', ')}\n`
    const text = `${name}, from ${from}, about ${summary.tokens} tokens with every request:\n\n${part}\n${open}`
    return answer(io, json, { ...summary, part, placeholders: places }, text)
  },
})

function summaryOf(spoken: Spoken) {
  return spoken.kind === 'problem'
    ? { name: spoken.name, scope: null, file: null, tokens: 0, problem: spoken.problem }
    : {
        name: spoken.name,
        scope: spoken.scope,
        file: spoken.file,
        tokens: tokensOf(spoken.part),
        problem: null,
      }
}
