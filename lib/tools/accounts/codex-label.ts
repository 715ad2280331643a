import * as z from 'zod'

import { defineTool } from '../definition.js'
import { accountArg, editAccount } from './account-edit.js'

export const codexLabel = defineTool({
  name: 'label',
  group: 'Account metadata',
  summary: 'Give an account a name of your own; an empty label removes it.',
  risk: 'edit',
  args: { account: accountArg, label: z.string().describe('the name; "" removes it') },
  positional: ['account', 'label'],
  takesRest: true,
  run: (runtime, { account, label }) => editAccount(runtime, { do: 'label', account, text: label }),
  render: ({ message }) => message,
})
