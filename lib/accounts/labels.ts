import { plainText } from '../kernel/text/plain-text.js'
import { maskEmail } from '../kernel/text/redact.js'
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
export function accountName(
  account: Account,
  position: number | undefined,
  options: LabelOptions,
): string {
  const number = position === undefined ? 'Account' : `Account ${position + 1}`
  const name = ownName(account, options)
  return name === undefined ? number : `${number} (${name})`
}

/** The label, address or endpoint alone. */
export function ownName(account: StoredAccount, options: LabelOptions): string | undefined {
  const { accountLabel, email, workspaceName } = withPlainNames(account)
  if (accountLabel !== undefined && accountLabel !== '') return accountLabel
  if (email !== undefined && email !== '') return options.maskEmail ? maskEmail(email) : email
  if (account.baseUrl !== undefined && URL.canParse(account.baseUrl))
    return new URL(account.baseUrl).host
  return workspaceName
}

/** Fields of a record that somebody reads; all come from outside: from tokens, imported files, or another program. */
const SHOWN = [
  'accountLabel',
  'accountNote',
  'email',
  'planType',
  'workspaceName',
  'lastSwitchReason',
  'cooldownReason',
] as const

/**
 * The record with names that are safe to show, on one line each; the same record when they are already. For where records
 * enter; where they are drawn the terminal's own guard stands once more. Pure.
 */
export function withPlainNames<Record extends StoredAccount>(account: Record): Record {
  const { accountTags, needsLogin } = account
  const changed: Partial<StoredAccount> = {}
  for (const field of SHOWN) {
    const text = account[field]
    if (text !== undefined && plainText(text) !== text) changed[field] = plainText(text)
  }
  if (accountTags?.some((tag) => plainText(tag) !== tag) === true)
    changed.accountTags = accountTags.map(plainText)
  if (needsLogin !== undefined && plainText(needsLogin.reason) !== needsLogin.reason)
    changed.needsLogin = { ...needsLogin, reason: plainText(needsLogin.reason) }
  return Object.keys(changed).length === 0 ? account : { ...account, ...changed }
}
