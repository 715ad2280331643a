import { CodexError } from '../kernel/errors.js'
import type { UnsavedTokens } from './commit.js'
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

/** Who, what, and what to do, in whole sentences. Pure. */
export function unsavedText(
  label: string,
  file: string,
  { place, why, pid }: UnsavedTokens,
): string {
  if (pid !== undefined) {
    return `${label}: process ${pid} holds new tokens that are not saved yet. Free space on the disk or make it writable before you end that process, or the login is lost.`
  }
  if (place === 'journal')
    return `${label}: the new tokens are safe in the refresh journal, but ${file} could not be written (${why}). Writing is retried automatically.`
  return `${label}: the new tokens could not be written to any disk (${why}). They are kept in memory, and writing is retried every 2 s. Free space or make the disk writable before you end this program, or the login is lost.`
}

/** The error while new tokens are in danger. Pure. */
export function unsavedError(label: string, file: string, tokens: UnsavedTokens): CodexError {
  return new CodexError('store_not_written', unsavedText(label, file, tokens), {
    hint: 'Check free space and permissions: codex-doctor',
  })
}

/** Local date and time to the minute. */
function clockTime(epochMs: number): string {
  const date = new Date(epochMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}
