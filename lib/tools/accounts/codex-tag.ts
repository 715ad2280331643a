import * as z from 'zod'

import { defineTool } from '../definition.js'
import { accountArg, editAccount } from './account-edit.js'

export const codexTag = defineTool({
  name: 'tag',
  group: 'Account metadata',
  summary: 'Set the tags of an account; an empty list removes them.',
  risk: 'edit',
  args: { account: accountArg, tags: z.string().describe('comma-separated; "" removes all') },
  positional: ['account', 'tags'],
  takesRest: true,
  run: (runtime, { account, tags }) => editAccount(runtime, { do: 'tag', account, text: tags }),
  render: ({ message }) => message,
})
