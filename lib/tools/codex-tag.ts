import * as z from 'zod'

import { plainText } from '../kernel/plain-text.js'
import { editAccount, type EditData, withField } from './account-edit.js'
import { accountArg } from './account-ref.js'
import { defineTool } from './definition.js'

/** `codex-tag`. */
export const codexTag = defineTool({
  name: 'tag',
  group: 'Account metadata',
  summary: 'Set the tags of an account; an empty list removes them.',
  risk: 'edit',
  args: { account: accountArg, tags: z.string().describe('comma-separated; "" removes all') },
  positional: ['account', 'tags'],
  takesRest: true,
  run(runtime, { account, tags }): Promise<EditData> {
    const list = [
      ...new Set(
        plainText(tags)
          .split(',')
          .map((tag) => tag.trim().toLowerCase())
          .filter((tag) => tag !== ''),
      ),
    ]
    return editAccount(
      runtime,
      account,
      (one) =>
        JSON.stringify(one.accountTags ?? []) === JSON.stringify(list)
          ? one
          : withField(one, 'accountTags', list.length === 0 ? undefined : list),
      (name, changed) =>
        changed
          ? `${name}: ${list.length === 0 ? 'tags removed' : `tags ${list.join(', ')}`}.`
          : `${name}: nothing to change.`,
    )
  },
  render: (data) => data.message,
})
