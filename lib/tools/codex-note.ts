import * as z from 'zod'

import { CodexError } from '../kernel/errors.js'
import { plainText } from '../kernel/plain-text.js'
import { editAccount, type EditData, withField } from './account-edit.js'
import { accountArg } from './account-ref.js'
import { defineTool } from './definition.js'

/** Longest note, in characters (peer facts §1.2). */
const MAX_NOTE = 240

/** `codex-note`. */
export const codexNote = defineTool({
  name: 'note',
  group: 'Account metadata',
  summary: 'Write a note to an account; an empty note removes it.',
  risk: 'edit',
  args: { account: accountArg, note: z.string().describe('the text; "" removes it') },
  positional: ['account', 'note'],
  takesRest: true,
  run(runtime, { account, note }): Promise<EditData> {
    const text = plainText(note).trim()
    if (text.length > MAX_NOTE)
      throw new CodexError(
        'invalid_input',
        `A note has at most ${MAX_NOTE} characters; this one has ${text.length}.`,
        { hint: '' },
      )
    return editAccount(
      runtime,
      account,
      (one) =>
        one.accountNote === (text === '' ? undefined : text)
          ? one
          : withField(one, 'accountNote', text === '' ? undefined : text),
      (name, changed) =>
        changed
          ? `${name}: note ${text === '' ? 'removed' : 'written'}.`
          : `${name}: nothing to change.`,
    )
  },
  render: (data) => data.message,
})
