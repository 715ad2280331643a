import type { Account, AccountPool } from '../accounts/account.js'
import { accountName } from '../accounts/labels.js'
import { CodexError } from '../kernel/errors.js'
import { sureText } from '../kernel/text/sure-width.js'

/** An account and its place. */
export interface Located {
  readonly account: Account
  /** From 0. */
  readonly position: number
}

/**
 * Finds the account that is meant: by number, then by exact label, address or id, then by the start of one, then by either as
 * tables and dialogs draw it.
 * @throws CodexError `invalid_input` when none or more than one fits; the message names the candidates
 */
export function findAccount(
  pool: AccountPool,
  wanted: string | number,
  maskEmail: boolean,
): Located {
  const text = String(wanted).trim()
  const located = pool.accounts.map((account, position): Located => ({ account, position }))
  if (located.length === 0) throw new CodexError('no_accounts', 'No ChatGPT account is signed in.')
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= located.length)
    return located[Number(text) - 1] as Located
  const needle = text.toLowerCase()
  const namesOf = ({ account }: Located): string[] =>
    [account.accountLabel, account.email, account.uid, account.accountId].flatMap((name) =>
      name === undefined ? [] : [name.toLowerCase()],
    )
  const list = (accounts: readonly Located[]): string =>
    accounts
      .map(({ account, position }) => accountName(account, position, { maskEmail }))
      .join(', ')
  for (const fits of [
    (name: string) => name === needle,
    (name: string) => name.startsWith(needle),
    (name: string) => drawn(name) === drawn(needle),
    (name: string) => drawn(name).startsWith(drawn(needle)),
  ]) {
    const found = needle === '' ? [] : located.filter((one) => namesOf(one).some(fits))
    if (found.length === 1) return found[0] as Located
    if (found.length > 1)
      throw new CodexError(
        'invalid_input',
        `${JSON.stringify(text)} fits several accounts: ${list(found)}.`,
        { hint: 'Name one of them by its number.' },
      )
  }
  throw new CodexError(
    'invalid_input',
    `There is no account ${JSON.stringify(text)}. There are: ${list(located)}.`,
  )
}

function drawn(name: string): string {
  return sureText(name).toLowerCase()
}
