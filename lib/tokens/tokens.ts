import path from 'node:path'

import type { Account } from '../accounts/account.js'
import { abortable } from '../kernel/clock.js'
import { CodexError, messageOf } from '../kernel/errors.js'
import { ACCOUNTS_FILE } from '../kernel/files/paths.js'
import { realPathOrSame } from '../kernel/files/real-path.js'
import { type Lazy, lazily } from '../kernel/lazy.js'
import type { RefreshReason } from '../oauth/oauth-client.js'
import type { TokenEngine, TokensDeps } from './engine.js'
import type { Refreshed } from './spend.js'
import { accountOf, tokenState } from './token-rules.js'

/** A token and the record it belongs to. */
export interface Grant {
  /** Goes into the Authorization header and nowhere else. */
  readonly token: string
  readonly account: Account
}

/** Another process is renewing the token of an account; nothing is wrong with it. */
export class BusyElsewhere extends CodexError {
  constructor(label: string) {
    super('refresh_failed', `${label}: another process is refreshing the token.`, {
      hint: 'Send the prompt again',
    })
  }
}

/** How long a request waits for a refresh while its old token is still valid. */
export const PROACTIVE_WAIT_MS = 3_000
/** `refreshSoon` acts this much earlier than a request would have to. */
export const REFRESH_AHEAD_MS = 5 * 60_000
/** A token that is refused this soon after a refresh would be refused again: the cause is not the token. */
const RECOVERY_PAUSE_MS = 60_000

/** A refresh under way in this process. */
interface Flight {
  readonly result: Promise<Refreshed>
  /** Resolves when it begins to wait for another process; may stay pending. */
  readonly waits: Promise<void>
}

/** Access tokens of the accounts: refreshed in time, once, however many callers ask. */
export class Tokens {
  readonly #deps: TokensDeps
  readonly #ended = new AbortController()
  /** Loaded with the first refresh: a request with a good token needs none of it. */
  readonly #engine: Lazy<TokenEngine>
  readonly #flights = new Map<string, Flight>()
  /** Tokens that came out of a refresh after a refusal, by uid. */
  readonly #recovered = new Map<string, { token: string; atMs: number }>()
  /** New tokens that the local clock calls expired, by uid: the clock is wrong then, and the backend decides. */
  readonly #expiredOnArrival = new Map<string, string>()

  constructor(deps: TokensDeps) {
    this.#deps = deps
    this.#engine = lazily(async () => {
      const { createEngine } = await import('./engine.js')
      return createEngine(deps, this.#ended.signal)
    })
  }

  /**
   * A token for the account. Answers at once and without any I/O while the stored token is good, and for API keys.
   * Near its end the token is refreshed first; if that takes long or fails while the old token is still valid, the old
   * one is served.
   * @param mayWait asked when another process is renewing this token and nothing else is left than to wait for it; false
   * rejects at once with `BusyElsewhere`, so that another account can serve. Absent: wait
   * @throws CodexError `login_required` (the account is marked), `refresh_failed` (worth another try later)
   */
  access(given: Account, signal?: AbortSignal, mayWait?: () => boolean): Grant | Promise<Grant> {
    if (given.kind === 'api-key') return this.#keyGrant(given)
    const account = this.#overlay(given)
    const { uid, accessToken, needsLogin } = account
    const state = tokenState(account, this.#deps.clock.now(), this.#deps.settings.refreshSkewMs)
    const isPaused = this.#isPaused(uid)
    if (
      state === 'good' ||
      (accessToken !== undefined && this.#expiredOnArrival.get(uid) === accessToken) ||
      (state === 'due' && (needsLogin !== undefined || isPaused))
    )
      return grantOf(account)
    if (state === 'due') return this.#refreshEarly(account, signal)
    return abortable(this.#refresh(account, 'proactive_expiry', accessToken, mayWait), signal).then(
      (fresh) => grantOf(fresh.account),
    )
  }

  /**
   * Another token after the backend refused this one: from the account file when another process has rotated it
   * meanwhile, else by one refresh. A token that came out of such a refresh a moment ago is not refreshed again.
   * @throws CodexError as `access`
   */
  async afterUnauthorized(
    given: Account,
    rejectedToken: string,
    signal?: AbortSignal,
    mayWait?: () => boolean,
  ): Promise<Grant> {
    const { clock, label } = this.#deps
    const { uid } = given
    if (given.kind === 'api-key')
      throw new CodexError(
        'login_required',
        `${label(given)}: the endpoint does not accept this API key.`,
      )
    const last = this.#recovered.get(uid)
    // A token that was refused after its end says nothing, unless our clock is the one that is wrong.
    const known = this.#overlay(given)
    const isOver =
      known.accessToken === rejectedToken &&
      tokenState(known, clock.now(), 0) === 'expired' &&
      this.#expiredOnArrival.get(uid) !== rejectedToken
    if (
      !isOver &&
      last?.token === rejectedToken &&
      Math.abs(clock.now() - last.atMs) < RECOVERY_PAUSE_MS
    )
      throw new CodexError(
        'refresh_failed',
        `${label(given)}: the backend rejects the token even right after a refresh.`,
        { hint: 'Sign in to this account again: {login}' },
      )
    const recover = (account: Account): Promise<Refreshed> =>
      abortable(this.#refresh(account, 'unauthorized_recovery', rejectedToken, mayWait), signal)
    let fresh = await recover(known)
    // A flight that began before the refusal may have ended with the very token that was refused.
    if (fresh.account.accessToken === rejectedToken) fresh = await recover(fresh.account)
    if (fresh.rotated)
      this.#recovered.set(uid, { token: fresh.account.accessToken ?? '', atMs: clock.now() })
    return grantOf(fresh.account)
  }

  /**
   * Refreshes because the user asked for it, also where a pause after a failure is still running. Done means stored.
   * @throws CodexError as `access`, and `store_not_written` when there are new tokens and the account file has them not
   */
  async refreshNow(given: Account, signal?: AbortSignal): Promise<Grant> {
    if (given.kind === 'api-key') return this.#keyGrant(given)
    const account = this.#overlay(given)
    const fresh = await abortable(this.#refresh(account, 'forced', account.accessToken), signal)
    const unsaved = (await this.#engine()).unsavedErrorOf(given, fresh.account)
    if (unsaved !== undefined) throw unsaved
    return grantOf(fresh.account)
  }

  /** Refreshes in the background the tokens of these accounts that end soon. For accounts in use only. */
  refreshSoon(uids: readonly string[]): void {
    this.#refreshInTurn(uids).catch((error: unknown) => {
      this.#deps.log.log('warn', 'Background refresh stopped.', { reason: messageOf(error) })
    })
  }

  /** Brings tokens into the account file that a killed process had received but not stored. Never throws. */
  async recover(): Promise<void> {
    await (await this.#engine()).recover()
  }

  /** A sentence for each account whose new tokens are not in the account file, here or in another process. Never throws. */
  async unsaved(): Promise<readonly string[]> {
    return (await this.#engine()).unsaved()
  }

  /** Names of the accounts whose new tokens no disk has yet: they would be lost with this process. No I/O. */
  inMemoryAlone(): readonly string[] {
    return this.#engine.ready()?.inMemoryAlone() ?? []
  }

  /** Stores what could not be stored yet and ends all background work. */
  async close(): Promise<void> {
    this.#ended.abort(new CodexError('refresh_failed', 'The plugin is shutting down.'))
    await (await this.#engine.started())?.settle()
  }

  /** @param mayWait as in `access` */
  #refresh(
    account: Account,
    reason: RefreshReason,
    unwanted: string | undefined,
    mayWait: () => boolean = () => true,
  ): Promise<Refreshed> {
    const { result, waits } = this.#flightOf(account, reason, unwanted)
    const busy = waits.then(() =>
      mayWait() ? result : Promise.reject(new BusyElsewhere(this.#deps.label(account))),
    )
    busy.catch(() => undefined)
    return Promise.race([result, busy])
  }

  #flightOf(account: Account, reason: RefreshReason, unwanted: string | undefined): Flight {
    const running = this.#flights.get(account.uid)
    if (running !== undefined) return running
    let onWait = (): void => undefined
    const waits = new Promise<void>((resolve) => (onWait = resolve))
    const result = this.#engine()
      .then((engine) => engine.refreshOnce(account, reason, unwanted, () => onWait()))
      .then((fresh) => this.#noteArrival(fresh))
      .finally(() => this.#flights.delete(account.uid))
    // Every caller may have gone away by the time it fails.
    result.catch(() => undefined)
    const flight = { result, waits }
    this.#flights.set(account.uid, flight)
    return flight
  }

  /** The record with tokens that could not be stored yet. */
  #overlay(account: Account): Account {
    return this.#engine.ready()?.overlay(account) ?? account
  }

  #isPaused(uid: string): boolean {
    return this.#engine.ready()?.isPaused(uid) === true
  }

  #noteArrival(fresh: Refreshed): Refreshed {
    const { uid, accessToken } = fresh.account
    const isExpired = tokenState(fresh.account, this.#deps.clock.now(), 0) === 'expired'
    if (accessToken !== undefined && isExpired) this.#expiredOnArrival.set(uid, accessToken)
    else this.#expiredOnArrival.delete(uid)
    return fresh
  }

  /** The old token is valid: a new one is nice to have, and no failure to get it is worth a failed request. */
  async #refreshEarly(account: Account, signal: AbortSignal | undefined): Promise<Grant> {
    const { clock, log, label } = this.#deps
    const waiting = new AbortController()
    const timeout = clock.sleep(PROACTIVE_WAIT_MS, waiting.signal).catch(() => undefined)
    // No request waits for another process while the old token is good.
    const refreshed = this.#refresh(account, 'proactive_expiry', account.accessToken, () => false)
    try {
      const fresh = await abortable(Promise.race([refreshed, timeout]), signal)
      return grantOf(fresh?.account ?? account)
    } catch (error) {
      if (signal?.aborted === true || tokenState(account, clock.now(), 0) === 'expired') throw error
      if (!(error instanceof BusyElsewhere))
        log.log(
          'warn',
          `Early refresh for ${label(account)} did not work; the current token still does.`,
          { reason: messageOf(error) },
        )
      return grantOf(account)
    } finally {
      waiting.abort()
    }
  }

  async #refreshInTurn(uids: readonly string[]): Promise<void> {
    const { store, clock, log, label, settings } = this.#deps
    const pool = store.peek() ?? (await store.read())
    for (const uid of uids) {
      const stored = accountOf(pool, uid)
      if (this.#ended.signal.aborted || stored === undefined) continue
      if (stored.kind === 'api-key' || stored.enabled === false) continue
      const account = this.#overlay(stored)
      const state = tokenState(account, clock.now(), settings.refreshSkewMs + REFRESH_AHEAD_MS)
      const isPaused = this.#isPaused(uid)
      if (state === 'good' || account.needsLogin !== undefined || isPaused) continue
      await this.#refresh(account, 'proactive_expiry', account.accessToken).catch(
        (error: unknown) => {
          log.log('warn', `Background refresh for ${label(account)} did not work.`, {
            reason: messageOf(error),
          })
        },
      )
    }
  }

  #keyGrant(account: Account): Grant {
    const { apiKey = '' } = account
    if (apiKey === '')
      throw new CodexError('login_required', `${this.#deps.label(account)} has no API key.`)
    return { token: apiKey, account }
  }
}

function grantOf(account: Account): Grant {
  return { token: account.accessToken ?? '', account }
}

/** The folder of leases and journal: beside the account file's real place, so that homes linked to one file share it. */
export function refreshDir(root: string): string {
  return path.join(path.dirname(realPathOrSame(path.join(root, ACCOUNTS_FILE))), 'refresh')
}
