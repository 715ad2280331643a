/** What the backend's error codes mean, once. Sources: wire facts §7, §8 and second study §6, §7. */

/** Meaning of a code; the kinds of `Outcome` that a code alone decides. */
export type CodeMeaning =
  | 'workspace_deactivated'
  | 'quota_exceeded'
  | 'usage_limit'
  | 'usage_not_included'
  | 'invalid_encrypted_content'
  | 'context_too_long'
  | 'policy_refused'
  | 'model_not_supported'
  | 'unauthorized'
  | 'forbidden'
  | 'overloaded'
  | 'rate_limit'
  | 'server_error'
  | 'bad_request'

/**
 * In order of precedence: an answer with several codes (`type` beside `code`, a header beside the body) means the
 * first of these that one of its codes stands for.
 */
const MEANINGS: readonly (readonly [CodeMeaning, readonly string[]])[] = [
  ['workspace_deactivated', ['deactivated_workspace', 'workspace_deactivated']],
  [
    'quota_exceeded',
    [
      'insufficient_quota',
      'organization_spend_limit_exceeded',
      'workspace_owner_credits_depleted',
      'workspace_member_credits_depleted',
      'billing_hard_limit_reached',
    ],
  ],
  [
    'usage_limit',
    [
      'usage_limit_reached',
      'workspace_owner_usage_limit_reached',
      'workspace_member_usage_limit_reached',
    ],
  ],
  ['usage_not_included', ['usage_not_included']],
  ['invalid_encrypted_content', ['invalid_encrypted_content']],
  ['context_too_long', ['context_length_exceeded', 'model_context_window_exceeded']],
  [
    'policy_refused',
    [
      'invalid_prompt',
      'cyber_policy',
      'bio_policy',
      'misalignment_policy_violation',
      'content_policy_violation',
      'content_filter',
    ],
  ],
  [
    'model_not_supported',
    [
      'model_not_supported_with_chatgpt_account',
      'model_not_supported',
      'model_not_found',
      'access_program_not_enabled',
    ],
  ],
  [
    'unauthorized',
    [
      'token_expired',
      'token_revoked',
      'token_invalidated',
      'invalid_token',
      'invalid_api_key',
      'invalid_authentication',
      'authentication_error',
    ],
  ],
  ['forbidden', ['workspace_access_denied', 'permission_error', 'permission_denied']],
  [
    'overloaded',
    [
      'server_is_overloaded',
      'slow_down',
      'service_unavailable_error',
      'overloaded_error',
      'policy_capacity_unavailable',
    ],
  ],
  [
    'rate_limit',
    ['rate_limit_exceeded', 'rate_limit_reached', 'rate_limit_error', 'too_many_requests'],
  ],
  ['server_error', ['server_error', 'internal_error', 'internal_server_error']],
  ['bad_request', ['invalid_request_error', 'previous_response_not_found', 'bad_request']],
]

/** Policies are added from time to time; their codes end alike. */
const POLICY_CODE = /_policy(?:_violation)?$/

/** A code with what it means. */
export interface Meant {
  readonly meaning: CodeMeaning
  readonly code: string
}

/** What the codes of an answer mean; undefined when none is known. */
export function meaningOf(codes: readonly string[]): Meant | undefined {
  for (const [meaning, known] of MEANINGS) {
    const code = codes.find(
      (candidate) =>
        known.includes(candidate) || (meaning === 'policy_refused' && POLICY_CODE.test(candidate)),
    )
    if (code !== undefined) return { meaning, code }
  }
  return undefined
}
