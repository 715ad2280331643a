import { CodexError, type ErrorCode } from '../kernel/errors.js'
import { formatWhen } from '../kernel/moments.js'
import type { Failure, OutcomeKind } from './outcome-types.js'

const CODES: Readonly<Record<OutcomeKind, ErrorCode>> = {
  usage_limit: 'all_accounts_blocked',
  quota_exceeded: 'all_accounts_blocked',
  rate_limit: 'all_accounts_blocked',
  overloaded: 'backend_failed',
  server_error: 'backend_failed',
  network: 'backend_unreachable',
  header_timeout: 'backend_unreachable',
  unauthorized: 'login_required',
  forbidden: 'account_not_allowed',
  usage_not_included: 'usage_not_included',
  workspace_deactivated: 'workspace_deactivated',
  model_not_supported: 'model_not_supported',
  invalid_encrypted_content: 'bad_request',
  broken_history: 'bad_request',
  context_too_long: 'context_too_long',
  policy_refused: 'policy_refused',
  bad_request: 'bad_request',
  not_sse: 'answer_not_sse',
  stream_broken: 'stream_broken',
  empty: 'backend_failed',
  aborted: 'internal',
}

/** The account in question and the time, for the sentence. */
export interface Who {
  readonly label: string
  /** Epoch ms. */
  readonly nowMs: number
}

/** The error of the table for a failure: one sentence with subject and fact, and the backend's own words where it has some. Pure. */
export function errorOf(failure: Failure, who: Who): CodexError {
  const hint = failure.kind === 'forbidden' ? { hint: 'Use another account: codex-switch' } : {}
  return new CodexError(CODES[failure.kind], sentenceOf(failure, who), hint)
}

function sentenceOf(failure: Failure, { label, nowMs }: Who): string {
  const tried = failure.once === true ? '' : ', also after retries'
  const { block, message, status } = failure
  const said = message === undefined ? '' : ` The backend says: ${message}`
  const until = block === undefined ? '' : ` It is free again ${formatWhen(block.untilMs, nowMs)}.`
  switch (failure.kind) {
    case 'usage_limit':
      return `${label}: ${block?.detail ?? 'the usage limit'} is used up.${until}`
    case 'quota_exceeded':
      return `${label}: the credits or the spend limit of the workspace are used up.${until}`
    case 'rate_limit':
      return `${label}: requests come faster than the backend allows.${until}`
    case 'overloaded':
      return 'The backend has more work than it can do just now, also after retries.'
    case 'server_error':
      return `The backend failed${status === undefined ? '' : ` (HTTP status ${status})`}${tried}.${said}`
    case 'network':
      return `No connection to the backend${failure.code === undefined ? '' : ` (${failure.code})`}.`
    case 'header_timeout':
      return 'The backend did not begin to answer in time.'
    case 'unauthorized':
      return `${label} is not accepted by the backend any more.`
    case 'forbidden':
      return `${label} may not do this.${said}`
    case 'usage_not_included':
      return `${label}: its plan does not include Codex.`
    case 'workspace_deactivated':
      return `${label}: its workspace was switched off by the owner.`
    case 'model_not_supported':
      return message ?? `${label} may not use this model.`
    case 'invalid_encrypted_content':
      return `The backend cannot read the reasoning in the history of this session.${said}`
    case 'broken_history':
      return `The history of this session has a tool call without its result.${said}`
    case 'context_too_long':
      return message ?? 'The conversation is longer than the model takes.'
    case 'policy_refused':
      return message ?? 'The backend refuses the content of the request.'
    case 'bad_request':
      return message === undefined
        ? `The backend refuses the request${status === undefined ? '' : ` (HTTP status ${status})`}.`
        : `The backend refuses the request. It says: ${message}`
    case 'not_sse':
      if (failure.once === true)
        return 'The endpoint answered with JSON that is no answer of the Responses API, in place of an event stream. It was not asked again, since each time may be billed.'
      return 'The answer is not an event stream; a proxy or a guard page may stand between.'
    case 'stream_broken':
      return message ?? 'The answer broke off before it was complete.'
    case 'empty':
      return 'The backend gave an empty answer, also when asked again.'
    case 'aborted':
      return 'The request was cancelled.'
  }
}
