import type { SessionAffinity } from '../../accounts/session-affinity.js'
import { isAllOf, unreadableBy } from '../../routing/reasoning-owners.js'
import type { PreparedRequest } from './request.js'

/** A body made for one account. */
export type AccountBody = ReturnType<typeof bodyFor>

/**
 * The body as an account can read it: reasoning that it did not produce for certain is left out.
 * @param sender.isAlone true when the pool has no other account that could have produced anything
 * @param sender.dropAll leave all of it out: the backend has refused it
 */
export function bodyFor(
  prepared: PreparedRequest,
  sessions: SessionAffinity,
  sender: { uid: string; sessionId: string | undefined; isAlone: boolean; dropAll: boolean },
) {
  const { uid, sessionId, isAlone, dropAll } = sender
  const { body, hasEncryptedReasoning } = prepared
  if (sessionId === undefined) {
    const isWhole = !hasEncryptedReasoning || (isAlone && !dropAll)
    return { body: isWhole ? body : prepared.withoutReasoning(), served: () => undefined }
  }
  const owners = dropAll ? undefined : sessions.reasoningOf(sessionId)
  const pieces = hasEncryptedReasoning && !isAllOf(owners, uid) ? prepared.reasoning() : []
  const foreign = unreadableBy(uid, owners, pieces)
  return {
    body: foreign.size === 0 ? body : prepared.withoutReasoning(foreign),
    /** The account has begun to answer it; what `SessionAffinity.produced` returns. */
    served: (nowMs: number) =>
      sessions.produced(sessionId, uid, pieces, { forget: dropAll, nowMs }),
  }
}
