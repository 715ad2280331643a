import { CodexError } from '../kernel/errors.js'
import { isSameSecret } from '../oauth/pkce.js'

/**
 * The authorization code in what was pasted: the whole address the browser ended at, its query, `code#state`, or the
 * code alone. A state that is there must be ours. Pure.
 * @throws CodexError `oauth_failed` with what is wrong with it
 */
export function codeFromPaste(pasted: string, state: string): string {
  const text = pasted.trim().replace(/^["'<]+|["'>]+$/g, '')
  if (text === '') throw new CodexError('oauth_failed', 'Nothing was pasted.')
  const parameters = parametersIn(text)
  if (parameters === undefined) return checked(...splitCode(text), state)
  const error = parameters.get('error')
  if (error !== null)
    throw new CodexError(
      'oauth_failed',
      `The login was refused (${/^[\w .-]{1,80}$/.test(error) ? error : 'unknown reason'}).`,
    )
  return checked(parameters.get('code') ?? '', parameters.get('state') ?? undefined, state)
}

function parametersIn(text: string): URLSearchParams | undefined {
  if (/^https?:\/\//i.test(text)) {
    if (!URL.canParse(text))
      throw new CodexError('oauth_failed', 'The pasted text is not a complete address.')
    const { searchParams, hash } = new URL(text)
    return searchParams.has('code') || searchParams.has('error')
      ? searchParams
      : new URLSearchParams(hash.slice(1))
  }
  return /(?:^|[?&#])code=/.test(text)
    ? new URLSearchParams(text.slice(text.search(/[?#]/) + 1))
    : undefined
}

function splitCode(text: string): [code: string, state: string | undefined] {
  const hash = text.indexOf('#')
  return hash < 0 ? [text, undefined] : [text.slice(0, hash), text.slice(hash + 1)]
}

function checked(code: string, found: string | undefined, state: string): string {
  if (found !== undefined && !isSameSecret(found, state)) {
    throw new CodexError(
      'oauth_failed',
      'The pasted address belongs to another login (its state does not match).',
    )
  }
  if (!/^[\w.~+/=-]{1,4096}$/.test(code))
    throw new CodexError(
      'oauth_failed',
      'The pasted address contains no login code; copy the whole address of the last page.',
    )
  return code
}
