import type { Clock } from '../kernel/clock.js'
import type { CodexError } from '../kernel/errors.js'

/** What this process remembers of refreshes that did not work, so that it does not ask the login server in vain. */
export interface RefreshMemory {
  /** Nothing is asked for this account before `untilMs`; both times epoch ms. */
  pause(uid: string, fromMs: number, untilMs: number, error: CodexError): void
  /** The failure behind a running pause. A clock that went back ends the pause. */
  pauseOf(uid: string): CodexError | undefined
  endPause(uid: string): void
  /** This refresh token was refused for good. */
  bury(fingerprint: string, error: CodexError): void
  refusalOf(fingerprint: string): CodexError | undefined
}

/** Creates an empty memory. */
export function createRefreshMemory(clock: Clock): RefreshMemory {
  const pauses = new Map<string, { fromMs: number; untilMs: number; error: CodexError }>()
  const refusals = new Map<string, CodexError>()
  return {
    pause: (uid, fromMs, untilMs, error) => {
      pauses.set(uid, { fromMs, untilMs, error })
    },
    pauseOf: (uid) => {
      const pause = pauses.get(uid)
      const now = clock.now()
      return pause !== undefined && now >= pause.fromMs && now < pause.untilMs
        ? pause.error
        : undefined
    },
    endPause: (uid) => {
      pauses.delete(uid)
    },
    bury: (fingerprint, error) => {
      refusals.set(fingerprint, error)
    },
    refusalOf: (fingerprint) => refusals.get(fingerprint),
  }
}
