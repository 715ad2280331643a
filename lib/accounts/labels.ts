import { maskEmail } from '../kernel/redact.js'
import type { Account, StoredAccount } from './account.js'

/** How accounts are named. */
export interface LabelOptions {
  /** Hide most of an e-mail address. */
  readonly maskEmail: boolean
}

/**
 * What the user sees an account as: its number in the list, from 1 and the same everywhere, and the name its owner gave
 * it, else its address.
 * @param position place in the list, from 0; absent when it is not known
 */
export function accountName(account: Account, position: number | undefined, options: LabelOptions): string {
  const number = position === undefined ? 'Account' : `Account ${position + 1}`
  const name = ownName(account, options)
  return name === undefined ? number : `${number} (${name})`
}

/** The label, address or endpoint alone. */
export function ownName(account: StoredAccount, options: LabelOptions): string | undefined {
  if (account.accountLabel !== undefined && account.accountLabel !== '') return account.accountLabel
  if (account.email !== undefined && account.email !== '') return options.maskEmail ? maskEmail(account.email) : account.email
  if (account.baseUrl !== undefined && URL.canParse(account.baseUrl)) return new URL(account.baseUrl).host
  return account.workspaceName
}
