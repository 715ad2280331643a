import type { Account } from '../accounts/account.js'
import { parseBaseUrl, PUBLIC_API } from '../oauth/base-url.js'
import type { Endpoints } from '../oauth/endpoints.js'
import { CodexError } from '../kernel/errors.js'

declare const allowed: unique symbol

/** A URL that a credential may be sent to. Made here only; the transport takes nothing else. */
export type Destination = string & { readonly [allowed]: true }

/**
 * The host's own URL for the first turn (docs/development/facts/opencode-host.md#requests); compared first because
 * nearly every request has it.
 */
const USUAL_URL = 'https://api.openai.com/v1/responses'

/**
 * Checks that the host asks for the Responses API.
 * @throws CodexError `destination_refused` for anything else: a credential has no business there
 */
export function assertResponsesRequest(url: string): void {
  if (url === USUAL_URL) return
  const path = pathOf(url)
  if (path.endsWith('/responses') || path.endsWith('/chat/completions')) return
  throw new CodexError(
    'destination_refused',
    `The Codex backend serves the Responses API only, not ${path === '' ? 'this address' : path}.`,
  )
}

/** True for an address of the older API, whose requests and answers have another form. */
export function isChatCompletions(url: string): boolean {
  return url !== USUAL_URL && pathOf(url).endsWith('/chat/completions')
}

/** Longest path that is looked at and repeated in a message, in characters. */
const MAX_PATH = 100

/** The end of the path, without slashes behind it. */
function pathOf(url: string): string {
  if (!URL.canParse(url)) return ''
  const { pathname } = new URL(url)
  let end = pathname.length
  while (end > 0 && pathname.charAt(end - 1) === '/') end -= 1
  return pathname.slice(Math.max(0, end - MAX_PATH), end)
}

/** Where requests of ChatGPT accounts go. */
export function codexDestination(endpoints: Endpoints): Destination {
  return `${endpoints.backend}/codex/responses` as Destination
}

/** An endpoint for keys that name none, and where it is written, for the message; or why they go nowhere. */
export type EndpointForKeys =
  { readonly url: string; readonly source: string } | { readonly refused: string }

/**
 * Where the requests of an account go: the Codex backend for ChatGPT accounts, whatever is configured; for an API key its
 * own endpoint and nothing else.
 * @param forKeys endpoint of keys that name none
 * @throws CodexError `destination_refused` for an endpoint that may not get a credential
 */
export function destinationOf(
  account: Account,
  endpoints: Endpoints,
  forKeys: EndpointForKeys | undefined,
): Destination {
  if (account.kind !== 'api-key') return codexDestination(endpoints)
  const named =
    account.baseUrl === undefined && forKeys !== undefined
      ? forKeys
      : { url: account.baseUrl ?? PUBLIC_API, source: 'the account' }
  if ('refused' in named)
    throw new CodexError('destination_refused', named.refused, {
      hint: 'To use an address, put it into your own file: {config set baseUrl URL}',
    })
  const { url, source } = named
  return parseBaseUrl(url, source).responsesUrl as Destination
}
