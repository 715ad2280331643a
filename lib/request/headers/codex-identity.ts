import { dropUndefined } from '../../kernel/drop-undefined.js'
import { uuidFrom } from '../../kernel/hash.js'
import type { Sender } from './headers.js'
import type { Originator } from './codex-user-agent.js'

/** As whom requests go out instead of OpenCode. */
export interface CodexIdentity {
  readonly originator: Originator
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
 * The headers of the Codex CLI in its order (docs/development/facts/codex-backend.md#request-headers). Left out is what
 * would be untrue of OpenCode or give away the working folder: the metadata of the turn (sandbox, repository), and the
 * compression. Pure.
 */
export function identityHeaders(
  identity: CodexIdentity,
  sender: Sender,
  request: IdentifiedRequest,
): Record<string, string> {
  const { account, token, turnState } = sender
  const { model, serviceTier, threadId, shape } = request
  return dropUndefined({
    version: identity.version,
    'x-openai-account-routing-override': account.routingOverride,
    'x-codex-beta-features': 'remote_compaction_v2',
    'x-codex-turn-state': turnState,
    'x-codex-window-id': threadId === undefined ? undefined : `${threadId}:0`,
    ...shape,
    'x-codex-routing-hint': `model=${headerText(model)}${serviceTier === 'priority' ? ';tier=priority' : ''}`,
    'x-client-request-id': threadId,
    'session-id': threadId,
    'thread-id': threadId,
    accept: 'text/event-stream',
    'content-type': 'application/json',
    authorization: `Bearer ${token}`,
    'chatgpt-account-id': account.accountId,
    'x-openai-internal-codex-residency': account.residency,
    'x-openai-fedramp': account.fedramp === true ? 'true' : undefined,
    originator: identity.originator,
    'user-agent': identity.userAgent,
  })
}

/**
 * The name of a conversation in the form of the CLI's, a UUID of version 7: always the same for a session of the host on an
 * account, and another one on another account. Pure.
 */
export function threadIdOf(sessionId: string, uid: string): string {
  return uuidFrom(`${uid}\n${sessionId}`)
}

/** A model id may be any text; a header may not. */
function headerText(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '_')
}
