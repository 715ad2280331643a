import * as z from 'zod'

import { namesIn } from '../../config/personality-value.js'
import { CodexError } from '../../kernel/errors.js'
import { personalityFolders } from '../../personality/files.js'
import { nameFrom } from '../../personality/names.js'
import { cleanText, ownPart, tokensOf } from '../../personality/text.js'
import { applyText, planText } from '../../personality/writing.js'
import { defineTool } from '../definition.js'
import { onlyByUser } from '../user-acts.js'

/**
 * With this the model writes what it drafted with the user. It is offered while the setting personalityCommand is on, writes new
 * names alone, and puts nothing in force; the command line has more.
 */
export const codexPersonality = defineTool({
  name: 'personality',
  group: 'Setup and help',
  summary: 'Save a personality that the user has read in full and agreed to, under a new name.',
  risk: 'edit',
  asksEachTime: true,
  args: {
    name: z.string().describe('letters, digits, - and _'),
    text: z.string().describe('the whole text, Markdown'),
    project: z.boolean().describe('for this project alone').optional(),
  },
  refuseModel({ config }, _pool, { name }) {
    if (namesIn(config.personality).includes(name.toLowerCase()))
      throw onlyByUser(
        'write the text of a personality that is in force',
        `personality edit ${named(name)}`,
      )
  },
  async run({ paths, env }, { name: given, text, project = false }, { directory }) {
    const name = named(given)
    const scope = project ? 'project' : 'user'
    const place = personalityFolders({ paths, env, directory }).find((one) => one.scope === scope)
    if (place === undefined)
      throw new CodexError('invalid_input', 'This folder is in no project.', {
        hint: 'Nothing was written.',
      })
    const planned = await planText(place, name, `${cleanText(text)}\n`, true)
    await applyText(planned)
    return { name, file: planned.file, tokens: tokensOf(ownPart(cleanText(text))) }
  },
  render: ({ name, file, tokens }) =>
    `Saved: ${file}\nIt is not in force yet. Tell the user: {personality show ${name}} prints it, {personality use ${name}} puts it in force (about ${tokens} tokens with every request), {personality remove ${name}} takes it away.`,
})

/** @throws CodexError for what is no name */
function named(text: string): string {
  const found = nameFrom(text)
  if (found.problem === undefined) return found.name
  throw new CodexError('invalid_input', found.problem, { hint: 'Choose another name.' })
}
