import * as z from 'zod'

import { CodexError } from '../../kernel/errors.js'
import { defineTool } from '../definition.js'

const TOPICS: Readonly<Record<string, string>> = {
  setup:
    'Sign in with {login}, choose OpenAI and a ChatGPT method; repeat for each account. Over SSH use the device code. {setup} shows what is missing.',
  switch:
    '{switch 2} sends new sessions to account 2. With pin soft or hard it stays there; {switch} without an account lifts the pin. A running session keeps its account until that cannot serve.',
  limits:
    '{limits} asks the backend what is left; {list} and the status line show what the last answers said. A used-up account is left alone until its window resets; {health --clear} tries it again.',
  pools:
    '{pool --action fence --accounts 1,2} lets only the named accounts serve this project. Accounts can be set aside for a model with modelAccountPools in the configuration.',
  health:
    '{health} checks every account; {doctor} checks this machine and says what to do; {diag} makes a report without secrets.',
  backup:
    '{export} writes the accounts to a file, encrypted on request; {import} brings them back. Before accounts disappear a copy goes to the backups folder.',
}

export const codexHelp = defineTool({
  name: 'help',
  group: 'Setup and help',
  summary: 'Explain how accounts, limits, pins and backups work.',
  risk: 'read',
  args: { topic: z.string().describe(Object.keys(TOPICS).join(', ')).optional() },
  positional: ['topic'],
  async run(_runtime, { topic }) {
    if (topic === undefined) return { topics: TOPICS }
    const name = topic.trim().toLowerCase()
    const text = Object.hasOwn(TOPICS, name) ? TOPICS[name] : undefined
    if (text === undefined)
      throw new CodexError(
        'invalid_input',
        `There is no topic ${JSON.stringify(topic)}. There are: ${Object.keys(TOPICS).join(', ')}.`,
      )
    return { topics: { [name]: text } }
  },
  render: (data) =>
    Object.entries(data.topics)
      .map(([name, text]) => `${name}\n  ${text}`)
      .join('\n\n'),
})
