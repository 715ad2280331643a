import type { Block } from '../routing/limits.js'

/** Everything that can go wrong with one attempt. */
export type OutcomeKind =
  | 'usage_limit'
  | 'quota_exceeded'
  | 'rate_limit'
  | 'overloaded'
  | 'server_error'
  | 'network'
  | 'header_timeout'
  | 'unauthorized'
  | 'forbidden'
  | 'usage_not_included'
  | 'workspace_deactivated'
  | 'model_not_supported'
  | 'invalid_encrypted_content'
  | 'broken_history'
  | 'context_too_long'
  | 'policy_refused'
  | 'bad_request'
  | 'not_sse'
  | 'stream_broken'
  | 'empty'
  | 'aborted'

/** What went wrong with one attempt. */
export interface Failure {
  readonly kind: OutcomeKind
  /** HTTP status, when there was one. */
  readonly status?: number
  /** The backend's own code, lower case. */
  readonly code?: string
  /** The backend's sentence, without secrets; still to be put into words the host does not act on. */
  readonly message?: string
  /** The server's wish: wait this long before the same account is asked again, ms. */
  readonly retryAfterMs?: number
  /** What keeps the account out for a while, with evidence and an end. */
  readonly block?: Block
  readonly requestId?: string
  /** The request was answered, if not as it should be: whoever asked once more could be billed for it once more. */
  readonly once?: boolean
}
