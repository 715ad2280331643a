import { CodexError } from '../kernel/errors.js'
import { problemOfBaseUrl } from './base-url-rules.js'

/** A third-party Codex endpoint as the user gave it, checked. */
interface ThirdPartyEndpoint {
  /** Scheme, host and port: the only place its key may be sent to. */
  readonly origin: string
  /** Where responses are asked for: `<base>/backend-api/codex/responses`. */
  readonly responsesUrl: string
}

/** Where an API key goes that names no endpoint: OpenAI's public API, which speaks Responses under another path. */
export const PUBLIC_API = 'https://api.openai.com/v1'
const PUBLIC_API_HOST = 'api.openai.com'

/**
 * Reads a base URL in any of the ways people write it: bare origin, `…/backend-api`, `…/codex`, or the full path; with
 * or without trailing slashes; a query stays. Joining what came out again changes nothing.
 * @param source where the text comes from, for the message ("provider.openai.options.baseURL")
 * @throws CodexError `destination_refused` unless it is https, or http on this machine, without credentials
 */
export function parseBaseUrl(text: string, source: string): ThirdPartyEndpoint {
  const why = problemOfBaseUrl(text)
  if (why !== undefined) throw refused(source, why)
  const url = new URL(text.trim())
  url.hash = ''
  url.pathname = isPublicApi(url.hostname) ? '/v1/responses' : responsesPath(url.pathname)
  return { origin: url.origin, responsesUrl: url.href }
}

function responsesPath(pathname: string): string {
  const path = pathname.replace(/\/+$/, '')
  if (path.endsWith('/responses')) return path
  if (path.endsWith('/codex')) return `${path}/responses`
  if (path.endsWith('/backend-api')) return `${path}/codex/responses`
  return `${path}/backend-api/codex/responses`
}

/** The public API has a host of its own in some regions (`eu.api.openai.com`). */
function isPublicApi(hostname: string): boolean {
  return hostname === PUBLIC_API_HOST || hostname.endsWith(`.${PUBLIC_API_HOST}`)
}

function refused(source: string, why: string): CodexError {
  return new CodexError('destination_refused', `The base URL in ${source} ${why}.`, {
    hint: 'Correct it, then try again.',
  })
}
