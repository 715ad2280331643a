import type { Account } from '../accounts/account.js'

/** Headers of the host that never reach the backend: credentials of others, and what describes this hop only. */
const DROPPED = new Set([
  'authorization',
  'x-api-key',
  'api-key',
  'chatgpt-account-id',
  'openai-organization',
  'openai-project',
  // Internal mark of the host's experimental WebSocket transport (host facts §2).
  'x-opencode-title',
  'cookie',
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
])

/** Says something about a ChatGPT account or its workspace: no business of the endpoint of an API key. */
const CHATGPT_HEADER = /^(?:chatgpt-|x-openai-(?:internal-codex|account|fedramp))/

/** What the request is sent as. */
export interface Sender {
  readonly token: string
  readonly account: Account
  /** `x-codex-turn-state` of an earlier answer to this account in the same turn (wire facts §2). */
  readonly turnState?: string | undefined
  /** Used when the host names no user agent of its own. */
  readonly userAgent: string
}

/**
 * The headers of one attempt: the host's own, minus foreign credentials, plus those of the account.
 * The host says who it is (`originator: opencode`); we add that only where its own hook is switched off.
 */
export function outgoingHeaders(host: HeadersInit | undefined, sender: Sender): Record<string, string> {
  const { account } = sender
  const isKey = account.kind === 'api-key'
  const passed: Record<string, string> = {}
  for (const [name, value] of entries(host)) {
    const key = name.toLowerCase()
    if (!DROPPED.has(key) && !(isKey && CHATGPT_HEADER.test(key))) passed[key] = value
  }
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    originator: 'opencode',
    'user-agent': sender.userAgent,
    ...passed,
    accept: 'text/event-stream',
    authorization: `Bearer ${sender.token}`,
  }
  if (sender.turnState !== undefined) headers['x-codex-turn-state'] = sender.turnState
  if (isKey) return headers
  if (account.accountId !== undefined) headers['chatgpt-account-id'] = account.accountId
  if (account.residency !== undefined) headers['x-openai-internal-codex-residency'] = account.residency
  if (account.routingOverride !== undefined) headers['x-openai-account-routing-override'] = account.routingOverride
  if (account.fedramp === true) headers['x-openai-fedramp'] = 'true'
  return headers
}

function entries(headers: HeadersInit | undefined): Iterable<readonly [string, string]> {
  if (headers === undefined) return []
  if (headers instanceof Headers || Array.isArray(headers)) return headers as Iterable<readonly [string, string]>
  return Object.entries(headers)
}

/** Headers of the answer that mean something to the host; lengths and encodings of this hop do not. */
export function passedHeaders(headers: Headers): Headers {
  const passed = new Headers()
  for (const name of ['content-type', 'x-request-id', 'openai-model', 'x-models-etag', 'openai-processing-ms']) {
    const value = headers.get(name)
    if (value !== null) passed.set(name, value)
  }
  if (!passed.has('content-type')) passed.set('content-type', 'text/event-stream')
  return passed
}
