import type { SessionAffinity } from '../../accounts/session-affinity.js'
import { isAllOf, unreadableBy } from '../../routing/reasoning-owners.js'
import type { ObjectText } from './json-edit.js'
import type { PreparedRequest } from './request.js'

/** A body made for one account. */
export interface AccountBody {
  readonly body: ObjectText
  /** The account has begun to answer it; what `SessionAffinity.produced` returns. */
  served(nowMs: number): Promise<void> | undefined
}

/** The body as an account can read it: reasoning that it did not produce for certain is left out. */
export function bodyFor(
  prepared: PreparedRequest,
  sessions: SessionAffinity,
  {
    uid,
    sessionId,
    isAlone,
    dropAll,
  }: {
    readonly uid: string
    readonly sessionId: string | undefined
    /** True when the pool has no other account that could have produced anything. */
    readonly isAlone: boolean
    /** Leave all of it out: the backend has refused it. */
    readonly dropAll: boolean
  },
): AccountBody {
  const { body, hasEncryptedReasoning } = prepared
  if (sessionId === undefined) {
    const isWhole = !hasEncryptedReasoning || (isAlone && !dropAll)
    return { body: isWhole ? body : prepared.withoutReasoning(), served: () => undefined }
  }
  if (hasEncryptedReasoning) sessions.refresh()
  const owners = dropAll ? undefined : sessions.reasoningOf(sessionId)
  const pieces = hasEncryptedReasoning && !isAllOf(owners, uid) ? prepared.reasoning() : []
  const foreign = unreadableBy(uid, owners, pieces)
  return {
    body: foreign.size === 0 ? body : prepared.withoutReasoning(foreign),
    served: (nowMs) => sessions.produced(sessionId, uid, pieces, { forget: dropAll, nowMs }),
  }
}
