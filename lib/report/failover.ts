import { apiValueOf } from '../forecast/api-value.js'
import type { HistoryEntry, SwitchEntry, TurnEntry } from '../history/entries.js'
import { grouped } from './token-sums.js'

/** The backend keeps a prompt about this long; what is older would have been read again anyway, ms. */
const CACHE_MS = 3_600_000

/** A switch and what came of it. */
export interface SwitchOutcome {
  readonly entry: SwitchEntry
  /** The answer the request got after all; absent where none is recorded. */
  readonly answer?: TurnEntry
  /** What the move cost; absent where the history does not hold the answers before and after it. */
  readonly price?: SwitchPrice
}

/** What an answer read in full because its account had not the cache of the one before. */
interface SwitchPrice {
  readonly tokens: number
  /** At the public API, USD; absent where the price of the model is not known. Not a charge. */
  readonly usd?: number
}

/** What failover did in some time. */
interface FailoverSum {
  readonly switches: number
  /** Requests that were answered although their account could not: each would have been an interruption. */
  readonly avoided: number
  /** Switches after which no answer is recorded. */
  readonly unanswered: number
  /** Switches whose price can be told. */
  readonly priced: number
  readonly tokensReadAgain: number
  readonly usd: number
}

/**
 * Every switch of a history (oldest first) with the answer its request got, and the price of the last one of a request.
 * A request that moved and was answered is known by its session and by the time: the switch lies between its start and
 * its end. Pure.
 */
export function switchOutcomes(entries: readonly HistoryEntry[]): SwitchOutcome[] {
  const turnsBySession = grouped(
    entries.filter((entry) => entry.type === 'turn'),
    sessionKey,
  )
  return entries
    .filter((entry) => entry.type === 'switch')
    .map((entry) => outcomeOf(entry, turnsBySession.get(sessionKey(entry)) ?? []))
}

/** @param outcomes those of the time that is meant */
export function failoverSum(outcomes: readonly SwitchOutcome[]): FailoverSum {
  const answers = outcomes.flatMap(({ answer }) => answer ?? [])
  const prices = outcomes.flatMap(({ price }) => price ?? [])
  return {
    switches: outcomes.length,
    avoided: new Set(answers).size,
    unanswered: outcomes.length - answers.length,
    priced: prices.length,
    tokensReadAgain: prices.reduce((sum, { tokens }) => sum + tokens, 0),
    usd: prices.reduce((sum, { usd = 0 }) => sum + usd, 0),
  }
}

function outcomeOf(entry: SwitchEntry, turns: readonly TurnEntry[]): SwitchOutcome {
  const position = turns.findIndex(
    (turn) => turn.attempts > 1 && startOf(turn) <= entry.atMs && entry.atMs <= turn.atMs,
  )
  const answer = turns[position]
  if (answer === undefined) return { entry }
  // Of a request that moved on from there, the next switch tells the price.
  const before = answer.uid === entry.toUid ? turns[position - 1] : undefined
  // Without a session nothing says that the answer before belongs to the same conversation.
  if (before === undefined || entry.session === undefined || !wasCached(before, answer))
    return { entry, answer }
  return { entry, answer, price: priceOf(before, answer) }
}

/**
 * The cache of the account that was left held what the answer before had read. An account that had served the session
 * earlier may still hold a part of it: that part was not read again.
 */
function priceOf(before: TurnEntry, answer: TurnEntry): SwitchPrice {
  const tokens = Math.max(0, Math.min(before.inputTokens, answer.inputTokens) - answer.cachedTokens)
  const paid = apiValueOf(answer)
  const stayed = apiValueOf({ ...answer, cachedTokens: answer.cachedTokens + tokens })
  return paid === undefined || stayed === undefined
    ? { tokens }
    : { tokens, usd: Math.max(0, paid - stayed) }
}

function wasCached(before: TurnEntry, answer: TurnEntry): boolean {
  return before.model === answer.model && startOf(answer) - before.atMs <= CACHE_MS
}

function startOf({ atMs, durationMs }: TurnEntry): number {
  return atMs - durationMs
}

function sessionKey({ session = '' }: SwitchEntry | TurnEntry): string {
  return session
}
