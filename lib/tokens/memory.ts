import type { Clock } from '../kernel/clock.js'
import type { CodexError } from '../kernel/errors.js'

/** What this process remembers of refreshes that did not work, so that it does not ask the login server in vain. */
export class RefreshMemory {
  readonly #clock: Clock
  readonly #pauses = new Map<string, { fromMs: number; untilMs: number; error: CodexError }>()
  readonly #refusals = new Map<string, CodexError>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The login server is not asked for this account before `untilMs`; both times epoch ms. */
  pause(uid: string, fromMs: number, untilMs: number, error: CodexError): void {
    this.#pauses.set(uid, { fromMs, untilMs, error })
  }

  /** The failure behind a running pause. A clock that went back ends the pause. */
  pauseOf(uid: string): CodexError | undefined {
    const pause = this.#pauses.get(uid)
    const now = this.#clock.now()
    const isRunning = pause !== undefined && now >= pause.fromMs && now < pause.untilMs
    return isRunning ? pause.error : undefined
  }

  endPause(uid: string): void {
    this.#pauses.delete(uid)
  }

  /** This refresh token was refused for good. */
  markRefused(fingerprint: string, error: CodexError): void {
    this.#refusals.set(fingerprint, error)
  }

  refusalOf(fingerprint: string): CodexError | undefined {
    return this.#refusals.get(fingerprint)
  }
}
