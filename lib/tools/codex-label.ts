import * as z from 'zod'

import { CodexError } from '../kernel/errors.js'
import { plainText } from '../kernel/plain-text.js'
import { editAccount, type EditData, withField } from './account-edit.js'
import { accountArg } from './account-ref.js'
import { defineTool } from './definition.js'

/** Longest label, in characters (peer facts §1.2). */
const MAX_LABEL = 60

/** `codex-label`. */
export const codexLabel = defineTool({
  name: 'label',
  group: 'Account metadata',
  summary: 'Give an account a name of your own; an empty label removes it.',
  risk: 'edit',
  args: { account: accountArg, label: z.string().describe('the name; "" removes it') },
  positional: ['account', 'label'],
  takesRest: true,
  run(runtime, { account, label }): Promise<EditData> {
    const text = plainText(label).replace(/\s+/g, ' ').trim()
    if (text.length > MAX_LABEL)
      throw new CodexError(
        'invalid_input',
        `A label has at most ${MAX_LABEL} characters; this one has ${text.length}.`,
        { hint: '' },
      )
    return editAccount(
      runtime,
      account,
      (one) =>
        one.accountLabel === (text === '' ? undefined : text)
          ? one
          : withField(one, 'accountLabel', text === '' ? undefined : text),
      (name, changed) =>
        changed
          ? `${name}: label ${text === '' ? 'removed' : 'set'}.`
          : `${name}: nothing to change.`,
    )
  },
  render: (data) => data.message,
})
