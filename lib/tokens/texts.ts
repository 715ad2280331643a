import { messageOf } from '../kernel/errors.js'
import { systemCode } from '../kernel/system-code.js'
import type { EarlierLoss } from './journal/entry.js'

/** Why a refresh token is dead, by the code of the login server. */
const CAUSES: Readonly<Record<string, string>> = {
  refresh_token_expired: 'it expired unused',
  refresh_token_reused:
    'its refresh token was already used by another program or machine that has a copy of this login',
  refresh_token_invalidated: 'it was revoked by a logout, a password change or the workspace',
}

/**
 * Why an account needs a new login. What the journal knows goes before what the code of the server suggests: no other
 * program is blamed for a token that was lost here.
 * @param loss a token that was lost before the last attempt
 */
export function loginNeededText(code: string, loss: EarlierLoss | undefined): string {
  if (loss !== undefined && code !== 'refresh_token_expired')
    return `the sign-in has ended: ${lossText(loss)}`
  return `the sign-in has ended: ${CAUSES[code] ?? 'the login server no longer accepts it'}.`
}

function lossText({ how, startedAt }: EarlierLoss): string {
  switch (how) {
    case 'killed':
      return `a refresh started here ${clockTime(startedAt)} never finished because the program was ended in the middle of it, and the new token was lost.`
    case 'unanswered':
      return `a refresh started here ${clockTime(startedAt)} got no answer, and the new token was lost.`
  }
}

/** Local date and time to the minute. */
function clockTime(epochMs: number): string {
  const date = new Date(epochMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

/** Why a disk did not take something: the system's code where there is one. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return systemCode(cause) ?? systemCode(error) ?? messageOf(error)
}
