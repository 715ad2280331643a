import type { JournalEntry } from './refresh-journal.js'

/** Why a refresh token is dead, by the code of the login server (wire facts §6). */
const CAUSES: Readonly<Record<string, string>> = {
  refresh_token_expired: 'it was not used for too long',
  refresh_token_reused: 'its refresh token was already used by another program or machine that has a copy of this login',
  refresh_token_invalidated: 'it was revoked by a logout, a changed password or the workspace',
}

/**
 * Why an account needs a new login, with what the journal knows about it.
 * @param earlier the journal entry found before the last attempt
 */
export function loginNeededText(code: string, earlier: JournalEntry | undefined): string {
  const cause = CAUSES[code] ?? 'the login server does not accept it any more'
  return `the sign-in has ended: ${cause}.${historyOf(earlier)}`
}

function historyOf(earlier: JournalEntry | undefined): string {
  if (earlier?.state === 'started') {
    return ` A refresh started ${clockTime(earlier.startedAt)} never finished, so the new token was lost then.`
  }
  if (earlier?.state === 'failed' && !earlier.answered) {
    return ` A refresh started ${clockTime(earlier.startedAt)} got no answer, so the new token was lost then.`
  }
  return ''
}

/** Local date and time to the minute. */
function clockTime(epochMs: number): string {
  const date = new Date(epochMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}
