import { createHash } from 'node:crypto'

import type { Sender } from './headers.js'
import { ORIGINATOR } from './codex-user-agent.js'

/** As whom requests go out instead of OpenCode. */
export interface CodexIdentity {
  readonly version: string
  readonly userAgent: string
}

/** What of the request the headers tell. */
export interface IdentifiedRequest {
  readonly model: string
  readonly serviceTier: string | undefined
  /** Name of the conversation; undefined when the host named none. */
  readonly threadId: string | undefined
  /** Headers that belong to the shape of the body. */
  readonly shape: Readonly<Record<string, string>>
}

/**
 * The headers of the Codex CLI in its order (wire facts §2). Left out is what would be untrue of OpenCode or give away the
 * working folder: the metadata of the turn (sandbox, repository), and the compression. Pure.
 */
export function identityHeaders(
  identity: CodexIdentity,
  sender: Sender,
  request: IdentifiedRequest,
): Record<string, string> {
  const { account, token, turnState } = sender
  const { model, serviceTier, threadId, shape } = request
  return {
    version: identity.version,
    ...(account.routingOverride === undefined
      ? {}
      : { 'x-openai-account-routing-override': account.routingOverride }),
    'x-codex-beta-features': 'remote_compaction_v2',
    ...(turnState === undefined ? {} : { 'x-codex-turn-state': turnState }),
    ...(threadId === undefined ? {} : { 'x-codex-window-id': `${threadId}:0` }),
    ...shape,
    'x-codex-routing-hint': `model=${headerText(model)}${serviceTier === 'priority' ? ';tier=priority' : ''}`,
    ...(threadId === undefined
      ? {}
      : { 'x-client-request-id': threadId, 'session-id': threadId, 'thread-id': threadId }),
    accept: 'text/event-stream',
    'content-type': 'application/json',
    authorization: `Bearer ${token}`,
    ...(account.accountId === undefined ? {} : { 'chatgpt-account-id': account.accountId }),
    ...(account.residency === undefined
      ? {}
      : { 'x-openai-internal-codex-residency': account.residency }),
    ...(account.fedramp === true ? { 'x-openai-fedramp': 'true' } : {}),
    originator: ORIGINATOR,
    'user-agent': identity.userAgent,
  }
}

/**
 * The name of a conversation in the form of the CLI's, a UUID of version 7: always the same for a session of the host on an
 * account, and another one on another account. Pure.
 */
export function threadIdOf(sessionId: string, uid: string): string {
  const hex = createHash('sha256').update(`${uid}\n${sessionId}`).digest('hex')
  const variant = ((Number.parseInt(hex.charAt(15), 16) % 4) + 8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(12, 15)}-${variant}${hex.slice(16, 19)}-${hex.slice(19, 31)}`
}

/** A model id may be any text; a header may not. */
function headerText(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '_')
}
