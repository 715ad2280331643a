import type { Toast } from '../kernel/host-port.js'
import type { HeldTokens } from './refresh-commit.js'
import type { EarlierLoss } from './refresh-entry.js'

/** Why a refresh token is dead, by the code of the login server (wire facts §6). */
const CAUSES: Readonly<Record<string, string>> = {
  refresh_token_expired: 'it was not used for too long',
  refresh_token_reused:
    'its refresh token was already used by another program or machine that has a copy of this login',
  refresh_token_invalidated: 'it was revoked by a logout, a changed password or the workspace',
}

/**
 * Why an account needs a new login. What the journal knows goes before what the code of the server suggests: nobody else
 * is blamed for a token that was lost here.
 * @param loss a token that was lost before the last attempt
 */
export function loginNeededText(code: string, loss: EarlierLoss | undefined): string {
  if (loss !== undefined && code !== 'refresh_token_expired')
    return `the sign-in has ended: ${lossText(loss)}`
  return `the sign-in has ended: ${CAUSES[code] ?? 'the login server does not accept it any more'}.`
}

function lossText({ how, startedAt }: EarlierLoss): string {
  switch (how) {
    case 'killed':
      return `a refresh started here ${clockTime(startedAt)} never finished, because the program was ended in the middle of it, and the new token was lost then.`
    case 'unanswered':
      return `a refresh started here ${clockTime(startedAt)} got no answer, and the new token was lost then.`
  }
}

/** New tokens that are not in the account file, as the user is told of them. */
export interface UnsavedTokens extends Pick<HeldTokens, 'uid' | 'place' | 'why' | 'sinceMs'> {
  /** Another process of this machine that holds them; undefined for this one. */
  readonly pid?: number
}

/** Who, what, and what to do, in whole sentences. Pure. */
export function unsavedText(
  label: string,
  file: string,
  { place, why, pid }: UnsavedTokens,
): string {
  if (pid !== undefined) {
    return `${label}: process ${pid} holds new tokens that it has not stored. Free space on the disk or make it writable, and do not end that process before: the login would be lost.`
  }
  if (place === 'journal')
    return `${label}: new tokens are safe in the refresh journal, but ${file} could not be written (${why}). It is tried again by itself.`
  return `${label}: new tokens could not be written to any disk (${why}). They are kept in memory and the disk is tried again every 2 s. Free space or make it writable, and do not end this program before: the login would be lost.`
}

/** The message on the screen while tokens cannot be stored. Pure. */
export function unsavedToast(text: string): Toast {
  return { title: 'Codex login in danger', message: text, variant: 'error', durationMs: 15_000 }
}

/** The message when they are stored after all. Pure. */
export function savedToast(label: string): Toast {
  return {
    title: 'Codex accounts',
    message: `${label}: the new tokens are stored now.`,
    variant: 'success',
  }
}

/** Local date and time to the minute. */
function clockTime(epochMs: number): string {
  const date = new Date(epochMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}
