import { CodexError, type ErrorCode } from '../../kernel/errors.js'
import { dropUndefined } from '../../kernel/drop-undefined.js'
import { HeaderTimeout } from '../transport/http.js'
import {
  BLOCK_LIMIT,
  BLOCK_MODEL,
  BLOCK_PAUSE,
  blockAccount,
  HOLD_MS,
  UNAUTHORIZED_HOLD_MS,
} from './blocks.js'
import type { FailureFacts } from './facts.js'
import {
  CONSEQUENCES,
  type FailureRow,
  freeAgain,
  inBrackets,
  quoted,
  type Who,
} from './failure-row.js'
import {
  ASK_AGAIN,
  AT_ONCE,
  DROP_REASONING_ONCE,
  NEXT_ACCOUNT,
  type NextStep,
  OTHER_MODEL_LAST,
  type Progress,
  REFRESH_ONCE,
  REPAIR_HISTORY_ONCE,
  sameThenNext,
  STOP,
  WAIT_IF_ALONE,
} from './retry.js'

/** Rows by kind. */
export type FailureTable = Readonly<Record<string, FailureRow>>

/**
 * Every failure of one attempt, once. The classifier, the loop over attempts, the sentences, the toasts, the breaker and
 * the table in docs/development/FAILOVER.md are made from these rows. Their order is their precedence.
 */
export const FAILURES = {
  workspace_deactivated: {
    summary: 'workspace deactivated by its owner',
    codes: ['deactivated_workspace', 'workspace_deactivated'],
    block: blockAccount('workspace_deactivated', HOLD_MS.workspace_deactivated),
    next: NEXT_ACCOUNT,
    blame: 'account',
    error: 'workspace_deactivated',
    says: (_failure, { label }) => `${label}: its workspace was deactivated by the owner.`,
  },
  quota_exceeded: {
    summary: 'credits or spend limit used up',
    codes: [
      'insufficient_quota',
      'organization_spend_limit_exceeded',
      'workspace_owner_credits_depleted',
      'workspace_member_credits_depleted',
      'billing_hard_limit_reached',
    ],
    block: BLOCK_LIMIT,
    next: NEXT_ACCOUNT,
    blame: 'limit',
    error: 'all_accounts_blocked',
    says: (failure, who) =>
      `${who.label}: the credits or the spend limit of the workspace are used up.${freeAgain(failure, who)}`,
  },
  usage_limit: {
    summary: 'usage limit reached',
    codes: [
      'usage_limit_reached',
      'workspace_owner_usage_limit_reached',
      'workspace_member_usage_limit_reached',
    ],
    block: BLOCK_LIMIT,
    next: NEXT_ACCOUNT,
    blame: 'limit',
    error: 'all_accounts_blocked',
    says: (failure, who) =>
      `${who.label}: ${failure.block?.detail ?? 'the usage limit'} is used up.${freeAgain(failure, who)}`,
  },
  usage_not_included: {
    summary: 'plan without Codex',
    codes: ['usage_not_included'],
    block: blockAccount('usage_not_included', HOLD_MS.usage_not_included),
    next: NEXT_ACCOUNT,
    blame: 'account',
    error: 'usage_not_included',
    says: (_failure, { label }) => `${label}: its plan does not include Codex.`,
  },
  model_not_supported: {
    summary: 'model not available to the account',
    codes: [
      'model_not_supported_with_chatgpt_account',
      'model_not_supported',
      'model_not_found',
      'access_program_not_enabled',
    ],
    sentence:
      /model is not supported when using Codex with a ChatGPT account|does not have access to (?:the )?model/i,
    block: BLOCK_MODEL,
    next: OTHER_MODEL_LAST,
    blame: 'account',
    error: 'model_not_supported',
    says: ({ message }, { label }) => message ?? `${label} may not use this model.`,
  },
  invalid_encrypted_content: {
    summary: 'reasoning of another account in the history, or without what belongs to it',
    codes: ['invalid_encrypted_content'],
    // The second sentence: reasoning that lost what belonged to it; without all of it the history is whole again.
    sentence:
      /encrypted content .{0,100}could not be (?:verified|decrypted)|invalid_encrypted_content|of type '\w{1,60}' was provided without its required (?:following|'reasoning') item/i,
    next: DROP_REASONING_ONCE,
    blame: 'request',
    error: 'bad_request',
    says: (failure) =>
      `The backend cannot read the reasoning in the history of this session.${quoted(failure)}`,
  },
  broken_history: {
    summary: 'tool call without its result in the history, or the other way round',
    // A call that was interrupted, or an output whose call the host has cut away.
    sentence: /no tool (?:output|call) found for /i,
    next: REPAIR_HISTORY_ONCE,
    blame: 'request',
    error: 'bad_request',
    says: (failure) =>
      `The history of this session has a tool call without its result.${quoted(failure)}`,
  },
  context_too_long: {
    summary: 'conversation too long',
    codes: ['context_length_exceeded', 'model_context_window_exceeded'],
    sentence: /exceeds the context window|maximum context length|context_length_exceeded/i,
    statuses: [413],
    next: STOP,
    blame: 'request',
    error: 'context_too_long',
    says: ({ message }) => message ?? 'The conversation is longer than the model allows.',
    host: 'compacts',
  },
  policy_refused: {
    summary: 'content refused',
    codes: [
      'invalid_prompt',
      'cyber_policy',
      'bio_policy',
      'misalignment_policy_violation',
      'content_policy_violation',
      'content_filter',
    ],
    // Policies are added from time to time; their codes end alike.
    codePattern: /_policy(?:_violation)?$/,
    next: STOP,
    blame: 'request',
    error: 'policy_refused',
    says: ({ message }) => message ?? 'The backend refuses the content of the request.',
  },
  unauthorized: {
    summary: 'token rejected',
    codes: [
      'token_expired',
      'token_revoked',
      'token_invalidated',
      'invalid_token',
      'invalid_api_key',
      'invalid_authentication',
      'authentication_error',
    ],
    statuses: [401],
    blockOnLeave: blockAccount('unauthorized', UNAUTHORIZED_HOLD_MS),
    next: REFRESH_ONCE,
    blame: 'account',
    error: 'login_required',
    says: (_failure, { label }) => `${label} was rejected by the backend.`,
    toast: 'was rejected by the backend',
  },
  forbidden: {
    summary: 'account not allowed',
    codes: ['workspace_access_denied', 'permission_error', 'permission_denied'],
    statuses: [402, 403],
    block: blockAccount('forbidden', HOLD_MS.forbidden),
    next: NEXT_ACCOUNT,
    blame: 'account',
    error: 'account_not_allowed',
    says: (failure, { label }) => `${label} is not allowed to do this.${quoted(failure)}`,
    hint: 'Use another account: {switch NUMBER}',
  },
  overloaded: {
    summary: 'backend over capacity',
    codes: [
      'server_is_overloaded',
      'slow_down',
      'service_unavailable_error',
      'overloaded_error',
      'policy_capacity_unavailable',
    ],
    next: sameThenNext('server'),
    blame: 'backend',
    error: 'backend_failed',
    // The host repeats a turn on the word "overloaded".
    says: () => 'The backend is over capacity; retries did not help.',
  },
  rate_limit: {
    summary: 'short request limit',
    codes: ['rate_limit_exceeded', 'rate_limit_reached', 'rate_limit_error', 'too_many_requests'],
    statuses: [429],
    block: BLOCK_PAUSE,
    next: WAIT_IF_ALONE,
    blame: 'limit',
    error: 'all_accounts_blocked',
    says: (failure, who) =>
      `${who.label} sends requests faster than the backend allows.${freeAgain(failure, who)}`,
  },
  server_error: {
    summary: 'failure of the backend, or a path it does not know',
    codes: ['server_error', 'internal_error', 'internal_server_error'],
    // The path is always ours: a host without it is broken or no Codex backend; that of another account may be right.
    statuses: [404, '5xx'],
    next: sameThenNext('server'),
    blame: 'backend',
    error: 'backend_failed',
    says: (failure) =>
      `The backend failed${inBrackets('HTTP status ', failure.status)}${failure.once === true ? '' : '; retries did not help'}.${quoted(failure)}`,
  },
  connection_state: {
    summary: 'connection that does not hold the conversation, or is at its end',
    // Over the WebSocket alone; the connection is given up, so the next try sends all of it on another one.
    codes: ['previous_response_not_found', 'websocket_connection_limit_reached'],
    next: AT_ONCE,
    blame: 'unclear',
    error: 'backend_failed',
    says: () => 'The backend lost the connection of this session, also a new one.',
  },
  bad_request: {
    summary: 'request of the wrong form',
    codes: ['invalid_request_error', 'bad_request'],
    isVague: true,
    statuses: ['other'],
    next: STOP,
    blame: 'request',
    error: 'bad_request',
    says: (failure) =>
      failure.message === undefined
        ? `The backend refuses the request${inBrackets('HTTP status ', failure.status)}.`
        : `The backend refuses the request.${quoted(failure)}`,
  },
  header_timeout: {
    summary: 'no headers in time',
    thrown: (error) => error instanceof HeaderTimeout,
    next: sameThenNext('network'),
    blame: 'line',
    error: 'backend_unreachable',
    says: () => 'The backend did not start to answer in time.',
  },
  network: {
    summary: 'no connection',
    statuses: [408],
    thrown: () => true,
    next: sameThenNext('network'),
    blame: 'line',
    error: 'backend_unreachable',
    says: ({ code }) => `No connection to the backend${inBrackets('', code)}.`,
  },
  stream_broken: {
    summary: 'stream broken off before output',
    next: sameThenNext('network'),
    blame: 'unclear',
    error: 'stream_broken',
    says: ({ message }) => message ?? 'The answer broke off before it was complete.',
  },
  not_sse: {
    summary: 'page in place of a stream',
    next: sameThenNext('server'),
    blame: 'unclear',
    error: 'answer_not_sse',
    says: ({ once }) =>
      once === true
        ? 'The endpoint answered with JSON that is no answer of the Responses API, in place of an event stream. It was not asked again, since each time may be billed.'
        : 'The answer is not an event stream; a proxy or a guard page may stand between.',
  },
  empty: {
    summary: 'answer without output',
    next: ASK_AGAIN,
    blame: 'unclear',
    error: 'backend_failed',
    says: () => 'The backend returned an empty answer, even when asked again.',
  },
} satisfies FailureTable

export type FailureKind = keyof typeof FAILURES

/** What went wrong with one attempt. */
export interface Failure extends FailureFacts {
  readonly kind: FailureKind
}

/** Why an attempt is made. */
export type AttemptReason =
  | 'initial_attempt'
  | 'waited_for_a_limit'
  | 'waited_for_another_process'
  | 'switched_account_after_token_failure'
  | `switched_account_after_${FailureKind}`
  | `repeated_after_${FailureKind}`
  | 'repeated_after_empty_answer'
  | 'repeated_after_refresh'
  | 'repeated_without_encrypted_reasoning'
  | 'repeated_with_repaired_history'
  | 'fell_back_to_another_model'

/** The row of a kind. @throws for one the table does not have */
export function rowOf(kind: string, table: FailureTable = FAILURES): FailureRow {
  const row = Object.hasOwn(table, kind) ? table[kind] : undefined
  if (row === undefined) throw new Error(`No row for the failure ${kind}.`)
  return row
}

/**
 * Decides what follows a failure. What was answered once is not asked for a second time, since that could be billed, but
 * where the answer only says that this account may not.
 */
export function decideNext(failure: Failure, progress: Progress, table?: FailureTable): NextStep {
  const { next, blame } = rowOf(failure.kind, table)
  if (failure.once !== true) return next.decide(failure, progress)
  const mayMove = CONSEQUENCES[blame].refusesAccount && progress.hasAlternative()
  return { do: mayMove ? 'next_account' : 'stop' }
}

/** The error of the table of errors for a failure: subject, fact, and the backend's own words where it has some. Pure. */
export function errorOf(failure: Failure, who: Who, table?: FailureTable): CodexError {
  const { error, says, hint } = rowOf(failure.kind, table)
  return new CodexError(error, says(failure, who), dropUndefined({ hint }))
}

/** Why an account was left, for a toast. */
export function toastOf(kind: string, table?: FailureTable): string {
  const { toast, blame } = rowOf(kind, table)
  return toast ?? CONSEQUENCES[blame].toast
}

/** True for the error on which the host compacts the session instead of showing it. */
export function makesHostCompact(code: ErrorCode): boolean {
  return Object.values<FailureRow>(FAILURES).some(
    (row) => row.error === code && row.host === 'compacts',
  )
}
