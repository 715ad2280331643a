import type { ErrorCode } from '../../kernel/errors.js'
import { formatWhen } from '../../kernel/text/moments.js'
import type { HealthEvent } from '../../routing/health.js'
import type { BlockRule } from './blocks.js'
import type { FailureFacts } from './facts.js'
import type { RetryRule } from './retry.js'

/** Everything about one kind of failure, in one place. */
export interface FailureRow {
  /** What happened, for the table in docs/development/FAILOVER.md. */
  readonly summary: string

  /** Recognised by a code of the backend; of an answer with several codes the first row of the table that has one counts. */
  readonly codes?: readonly string[]
  /** Recognised by codes of this shape too. */
  readonly codePattern?: RegExp
  /** The codes say only that something was wrong: a known sentence or the status says what. */
  readonly isVague?: boolean
  /** Recognised by a sentence of the backend that has no code of its own. */
  readonly sentence?: RegExp
  /** Recognised by the HTTP status alone. */
  readonly statuses?: readonly (number | '5xx' | 'other')[]
  /** Recognised by what `fetch` threw. */
  readonly thrown?: (error: unknown) => boolean

  /** Keeps the account out from the moment of the failure. */
  readonly block?: BlockRule
  /** Keeps the account out once the request has to leave it. */
  readonly blockOnLeave?: BlockRule<{ readonly nowMs: number }>

  readonly next: RetryRule
  readonly blame: Blame

  /** The error the user meets, its sentence, and what to do where that is not what the table of errors says. */
  readonly error: ErrorCode
  readonly says: (failure: FailureFacts, who: Who) => string
  readonly hint?: string
  /** What the host does with the error: it shows it unless told otherwise, and repeats none. */
  readonly host?: 'compacts'
  /** What the toast of a switch says of the account, where `blame` does not say it. */
  readonly toast?: string
}

/** The account in question and the time, for the sentence. */
export interface Who {
  readonly label: string
  /** Epoch ms. */
  readonly nowMs: number
}

/** Who is to blame for a failure: a limit of the account, the account, the request, the backend, or the line to it. */
export type Blame = 'limit' | 'account' | 'request' | 'backend' | 'line' | 'unclear'

interface Consequence {
  /** For the breaker of the host: any answer of the backend, a refusal too, shows that it can be reached. */
  readonly breaker?: 'reached' | 'failed'
  readonly health?: HealthEvent
  /** Only says that this account may not, so another may be asked even where a second answer could be billed. */
  readonly refusesAccount: boolean
  readonly toast: string
}

const NO_ANSWER = 'got no answer'
export const CONSEQUENCES: Readonly<Record<Blame, Consequence>> = {
  limit: {
    breaker: 'reached',
    health: 'limited',
    refusesAccount: true,
    toast: 'is at its limit',
  },
  account: { breaker: 'reached', refusesAccount: true, toast: 'may not be used for this' },
  request: { breaker: 'reached', refusesAccount: false, toast: NO_ANSWER },
  backend: { breaker: 'failed', health: 'failed', refusesAccount: false, toast: NO_ANSWER },
  line: { breaker: 'failed', health: 'network_failed', refusesAccount: false, toast: NO_ANSWER },
  unclear: { refusesAccount: false, toast: NO_ANSWER },
}

/** The backend's own sentence behind ours. */
export function quoted({ message }: FailureFacts): string {
  return message === undefined ? '' : ` The backend says: ${message}`
}

/** When the account is free again, as a sentence of its own. */
export function freeAgain({ block }: FailureFacts, { nowMs }: Who): string {
  return block === undefined ? '' : ` It is free again ${formatWhen(block.untilMs, nowMs)}.`
}

/** `text` with the value in it, or nothing without one. */
export function inBrackets(text: string, value: string | number | undefined): string {
  return value === undefined ? '' : ` (${text}${value})`
}
