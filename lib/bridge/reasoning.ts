import { isAllOf, type ReasoningOwners, unreadableBy } from '../routing/reasoning-owners.js'
import type { PreparedRequest } from './request.js'

/** What is known of the reasoning of sessions, in all windows. */
export interface SessionReasoning {
  /** Takes over what other windows have written meanwhile; one look at a file. */
  look(): void
  reasoningOf(sessionId: string): ReasoningOwners | undefined
  produced(
    sessionId: string,
    uid: string,
    pieces: readonly string[],
    options: { forget: boolean; nowMs: number },
  ): Promise<void> | undefined
}

/** A body made for one account. */
export interface AccountBody {
  readonly body: string
  /** The account has begun to answer it; what `SessionReasoning.produced` returns. */
  served(nowMs: number): Promise<void> | undefined
}

export interface ReasoningCase {
  readonly uid: string
  readonly sessionId: string | undefined
  /** True when the pool has no other account that could have produced anything. */
  readonly isAlone: boolean
  /** Leave all of it out: the backend has refused it. */
  readonly dropAll: boolean
}

/** The body as an account can read it: reasoning that it did not produce for certain is left out. */
export function bodyFor(
  prepared: PreparedRequest,
  sessions: SessionReasoning,
  { uid, sessionId, isAlone, dropAll }: ReasoningCase,
): AccountBody {
  if (sessionId === undefined) {
    const isWhole = !prepared.hasEncryptedReasoning || (isAlone && !dropAll)
    return { body: isWhole ? prepared.body : prepared.withoutReasoning(), served: () => undefined }
  }
  if (prepared.hasEncryptedReasoning) sessions.look()
  const owners = dropAll ? undefined : sessions.reasoningOf(sessionId)
  const pieces = prepared.hasEncryptedReasoning && !isAllOf(owners, uid) ? prepared.reasoning() : []
  const foreign = unreadableBy(uid, owners, pieces)
  return {
    body: foreign.size === 0 ? prepared.body : prepared.withoutReasoning(foreign),
    served: (nowMs) => sessions.produced(sessionId, uid, pieces, { forget: dropAll, nowMs }),
  }
}
