import { createHmac } from 'node:crypto'

import type { Account } from '../../accounts/account.js'
import type { Hiding } from './hide.js'

/** Names texts by a key that only the caller has. */
export function createDigest(key: string): Hiding['digest'] {
  return (text) => createHmac('sha256', key).update(text).digest('hex').slice(0, 8)
}

/** What an account is known by, and what it signs in with. */
export function secretsOfAccount(account: Account): readonly string[] {
  const { accessToken, refreshToken, apiKey, sealed, email } = account
  const { accountId, accountUserId, organizationId, routingOverride } = account
  return [
    accessToken,
    refreshToken,
    apiKey,
    sealed,
    email,
    accountId,
    accountUserId,
    organizationId,
    routingOverride,
  ].filter((one) => one !== undefined)
}

/** Shorter ones would be found in every word. */
const MIN_SECRET = 6

/** The text of a file in which none of these stands: the last look, whatever the rules above have let pass. */
export function textOf(value: unknown, secrets: readonly string[]): string {
  let text = `${JSON.stringify(value)}\n`
  for (const secret of secrets)
    if (secret.length >= MIN_SECRET)
      text = text.replaceAll(JSON.stringify(secret).slice(1, -1), '[hidden]')
  return text
}
