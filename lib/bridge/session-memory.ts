/** What a request needs to know of the earlier requests of its session. In memory only. */
export interface SessionMemory {
  /** The backend's turn state for this account, while a turn is going on (wire facts §2). */
  turnState(sessionId: string | undefined, uid: string): string | undefined
  setTurnState(sessionId: string | undefined, uid: string, value: string): void
}

/** Sessions remembered; the one left alone longest goes first. */
const MAX_SESSIONS = 200

interface Session {
  turn?: { readonly uid: string; readonly value: string }
}

/** Creates an empty memory. */
export function createSessionMemory(): SessionMemory {
  const sessions = new Map<string, Session>()
  const touch = (sessionId: string): Session => {
    const session = sessions.get(sessionId) ?? {}
    sessions.delete(sessionId)
    sessions.set(sessionId, session)
    if (sessions.size > MAX_SESSIONS) {
      const [oldest] = sessions.keys()
      if (oldest !== undefined) sessions.delete(oldest)
    }
    return session
  }
  return {
    turnState(sessionId, uid) {
      const turn = sessionId === undefined ? undefined : sessions.get(sessionId)?.turn
      return turn?.uid === uid ? turn.value : undefined
    },
    setTurnState(sessionId, uid, value) {
      if (sessionId !== undefined) touch(sessionId).turn = { uid, value }
    },
  }
}
