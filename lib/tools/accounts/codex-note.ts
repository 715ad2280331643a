import * as z from 'zod'

import { defineTool } from '../definition.js'
import { accountArg, editAccount } from './account-edit.js'

export const codexNote = defineTool({
  name: 'note',
  group: 'Account metadata',
  summary: 'Write a note to an account; an empty note removes it.',
  risk: 'edit',
  args: { account: accountArg, note: z.string().describe('the text; "" removes it') },
  positional: ['account', 'note'],
  takesRest: true,
  run: (runtime, { account, note }) => editAccount(runtime, { do: 'note', account, text: note }),
  render: ({ message }) => message,
})
