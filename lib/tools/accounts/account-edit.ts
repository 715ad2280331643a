import * as z from 'zod'

import { type AccountAction, performAction } from '../../account-view/actions.js'
import type { AccountPool } from '../../accounts/account.js'
import type { Runtime } from '../../runtime.js'

/** An account as people name it. */
export const accountArg = z
  .union([z.string(), z.number()])
  .describe('number, label, e-mail address or start of the id')

/** What a change of one account came to. */
export interface EditData {
  /** From 1. */
  readonly index: number | null
  readonly account: string | null
  readonly changed: boolean
  /** One sentence. */
  readonly message: string
}

/**
 * Carries out an action on the pool on disk.
 * @param check throws for a change that may not be made to this pool
 * @throws CodexError those of the action and of the store; nothing is changed then
 */
export async function editAccount(
  runtime: Runtime,
  action: AccountAction,
  check?: (pool: AccountPool) => void,
): Promise<EditData> {
  const { index, account, changed, message } = await performAction(runtime, action, check)
  return { index, account, changed, message }
}
