import type { Account } from '../../accounts/account.js'
import { dropUndefined } from '../../kernel/drop-undefined.js'
import { CodexError } from '../../kernel/errors.js'

/**
 * The headers of the host that reach the backend, and nothing else does: who asks, and for which conversation
 * (docs/development/facts/opencode-host.md#requests). All others are credentials of somebody else, describe this hop or
 * this machine, or would change what the backend does with the account (a foreign routing override, say). Content type,
 * accept and length are our own: the body is.
 */
const PASSED = new Set([
  'originator',
  'user-agent',
  // Name of the conversation: routing to the same cache.
  'session-id',
  'session_id',
  'conversation_id',
  'thread-id',
  'x-session-id',
  'x-session-affinity',
  'x-parent-session-id',
  // Name of the request, for the support of the backend.
  'x-client-request-id',
  // Switches of the API that an SDK has to name.
  'openai-beta',
  'accept-language',
])

/** What a header may hold; anything else would be refused by `fetch`, or end the header and begin another. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
/** Longer than any of these has reason to be, in characters. */
const MAX_VALUE = 1024

/** What the request is sent as. */
export interface Sender {
  readonly token: string
  readonly account: Account
  /**
   * `x-codex-turn-state` of an earlier answer to this account in the same turn
   * (docs/development/facts/codex-backend.md#turn-state).
   */
  readonly turnState?: string | undefined
  /** Used when the host names no user agent of its own. */
  readonly userAgent: string
}

/**
 * The headers of one attempt: what the host says of itself and the conversation, plus those of the account.
 * The host says who it is (`originator: opencode`); we add that only where its own hook is switched off.
 */
export function outgoingHeaders(
  host: HeadersInit | undefined,
  sender: Sender,
): Record<string, string> {
  const { account } = sender
  const passed: Record<string, string> = {}
  for (const [name, value] of headerEntries(host)) {
    const key = name.toLowerCase()
    if (PASSED.has(key) && value.length <= MAX_VALUE && VALUE.test(value))
      passed[key] = value.trim()
  }
  const ofChatGpt = {
    'chatgpt-account-id': account.accountId,
    'x-openai-internal-codex-residency': account.residency,
    'x-openai-account-routing-override': account.routingOverride,
    'x-openai-fedramp': account.fedramp === true ? 'true' : undefined,
  }
  return dropUndefined({
    'content-type': 'application/json',
    originator: 'opencode',
    'user-agent': sender.userAgent,
    ...passed,
    accept: 'text/event-stream',
    authorization: `Bearer ${sender.token}`,
    'x-codex-turn-state':
      sender.turnState !== undefined && VALUE.test(sender.turnState) ? sender.turnState : undefined,
    ...(account.kind === 'api-key' ? {} : ofChatGpt),
  })
}

/**
 * Refuses what would break a header: the error of `fetch` would repeat the value, a token say.
 * @throws CodexError `login_required`
 */
export function assertSendable({ token, account }: Sender, label: string): void {
  const values = [token, account.accountId, account.residency, account.routingOverride]
  if (token.trim() !== '' && values.every((value) => value === undefined || VALUE.test(value)))
    return
  throw new CodexError(
    'login_required',
    `${label}: its stored login is empty or holds characters that cannot be sent.`,
  )
}

/** Headers in any of the forms that `fetch` takes; what is no text is left out. */
export function headerEntries(
  headers: HeadersInit | undefined,
): readonly (readonly [string, string])[] {
  if (headers === undefined) return []
  const all: readonly (readonly unknown[])[] =
    Symbol.iterator in headers ? [...headers] : Object.entries(headers)
  return all.flatMap(([name, value]) =>
    typeof name === 'string' && typeof value === 'string' ? [[name, value] as const] : [],
  )
}

/** Headers of the answer that mean something to the host; lengths and encodings of this hop do not. */
export function passedHeaders(headers: Headers): Headers {
  const passed = new Headers()
  for (const name of [
    'content-type',
    'x-request-id',
    'openai-model',
    'x-models-etag',
    'openai-processing-ms',
  ]) {
    const value = headers.get(name)
    if (value !== null && value.length <= MAX_VALUE) passed.set(name, value)
  }
  if (!passed.has('content-type')) passed.set('content-type', 'text/event-stream')
  return passed
}
