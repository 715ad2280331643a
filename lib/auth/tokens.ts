import { abortReason } from '../kernel/clock.js'
import type { Clock } from '../kernel/clock.js'
import { CodexError, messageOf } from '../kernel/errors.js'
import type { Logger } from '../kernel/logger.js'
import type { Toast } from '../kernel/host-port.js'
import type { Account } from '../accounts/account.js'
import type { AccountStore } from '../accounts/store-types.js'
import type { RefreshReason } from './refresh-exchange.js'
import { createRenewal } from './refresh-renewal.js'
import type { Renewed } from './refresh-spend.js'
import type { RenewalDeps } from './refresh-renewal.js'
import { accountOf, tokenState } from './refresh-rules.js'
import { savedToast, type UnsavedTokens, unsavedText, unsavedToast } from './refresh-texts.js'

/** A token and the record it belongs to. */
export interface Grant {
  /** Goes into the Authorization header and nowhere else. */
  readonly token: string
  readonly account: Account
  /** True when this is another token than the one in the record that was passed in. */
  readonly refreshed: boolean
}

/** Access tokens of the accounts: refreshed in time, once, whoever asks. */
export interface Tokens {
  /**
   * A token for the account. Answers at once and without any I/O while the stored token is good, and for API keys.
   * Near its end the token is refreshed first; if that takes long or fails while the old token is still valid, the old
   * one is served (wire facts §6).
   * @param mayWait asked when another process is renewing this token and nothing else is left than to wait for it; false
   * rejects at once with `BusyElsewhere`, so that another account can serve. Absent: wait
   * @throws CodexError `login_required` (the account is marked), `refresh_failed` (worth another try later)
   */
  access(account: Account, signal?: AbortSignal, mayWait?: () => boolean): Grant | Promise<Grant>
  /**
   * Another token after the backend refused this one: from the account file when somebody has rotated it meanwhile,
   * else by one refresh. A token that came out of such a refresh a moment ago is not refreshed again.
   * @throws CodexError as `access`
   */
  afterUnauthorized(
    account: Account,
    rejectedToken: string,
    signal?: AbortSignal,
    mayWait?: () => boolean,
  ): Promise<Grant>
  /**
   * Refreshes because the user asked for it, also where a pause after a failure is still running. Done means stored.
   * @throws CodexError as `access`, and `store_not_written` when there are new tokens and the account file has them not
   */
  refreshNow(account: Account, signal?: AbortSignal): Promise<Grant>
  /** Refreshes in the background the tokens of these accounts that end soon. For accounts in use only. */
  refreshSoon(uids: readonly string[]): void
  /** Brings tokens into the account file that a killed process had received but not stored. Never throws. */
  recover(): Promise<void>
  /** A sentence for each account whose new tokens are not in the account file, here or in another process. Never throws. */
  unsaved(): Promise<readonly string[]>
  /** Names of the accounts whose new tokens no disk has yet: they would be lost with this process. No I/O. */
  inMemoryAlone(): readonly string[]
  /** Stores what could not be stored yet and ends all background work. */
  close(): Promise<void>
}

/** Another process is renewing the token of an account; nothing is wrong with it. */
export class BusyElsewhere extends CodexError {
  constructor(label: string) {
    super('refresh_failed', `${label}: another process is renewing the token.`, {
      hint: 'Send the prompt once more',
    })
  }
}

export interface TokensDeps extends Omit<RenewalDeps, 'ended' | 'onTrouble' | 'onSaved'> {
  readonly store: AccountStore
  readonly clock: Clock
  readonly log: Logger
  /** What the user calls an account. */
  readonly label: (account: Account) => string
  /** Shows a message where there is a screen. */
  readonly toast?: (toast: Toast) => void
  readonly settings: {
    /** A token that ends within this time is refreshed before use, ms. */
    readonly refreshSkewMs: number
  }
}

/** How long a request waits for a refresh while its old token is still valid. */
export const PROACTIVE_WAIT_MS = 3_000
/** `refreshSoon` acts this much earlier than a request would have to. */
export const REFRESH_AHEAD_MS = 5 * 60_000
/** A token that is refused this soon after a refresh would be refused again: the cause is not the token. */
export const RECOVERY_PAUSE_MS = 60_000
/** Tokens in danger are spoken of again after this time. */
const TROUBLE_AGAIN_MS = 60_000

/** A renewal under way in this process. */
interface Flight {
  readonly result: Promise<Renewed>
  /** Resolves when it begins to wait for another process; may stay pending. */
  readonly waits: Promise<void>
}

/** Creates the tokens of one plugin instance. */
export function createTokens(deps: TokensDeps): Tokens {
  const { store, clock, log, settings, label } = deps
  const ended = new AbortController()
  const renewal = createRenewal({
    ...deps,
    ended: ended.signal,
    onTrouble: sayTrouble,
    onSaved: saySaved,
  })
  const flights = new Map<string, Flight>()
  /** When tokens in danger were last spoken of, by uid. */
  const toldAt = new Map<string, number>()
  /** Tokens that came out of a refresh after a refusal, by uid. */
  const recovered = new Map<string, { token: string; atMs: number }>()
  /** New tokens that the local clock calls expired, by uid: the clock is wrong then, and the backend decides. */
  const bornExpired = new Map<string, string>()

  async function renewOnce(
    account: Account,
    reason: RefreshReason,
    unwanted: string | undefined,
    onWait: () => void,
  ): Promise<Renewed> {
    const fresh = await renewal.renew(account, reason, unwanted, onWait)
    const { uid, accessToken } = fresh.account
    if (accessToken !== undefined && tokenState(fresh.account, clock.now(), 0) === 'expired')
      bornExpired.set(uid, accessToken)
    else bornExpired.delete(uid)
    return fresh
  }

  function flightOf(account: Account, reason: RefreshReason, unwanted: string | undefined): Flight {
    const running = flights.get(account.uid)
    if (running !== undefined) return running
    let onWait = (): void => undefined
    const waits = new Promise<void>((resolve) => (onWait = resolve))
    const result = renewOnce(account, reason, unwanted, onWait).finally(() =>
      flights.delete(account.uid),
    )
    // Every caller may have gone away by the time it fails.
    result.catch(() => undefined)
    const flight = { result, waits }
    flights.set(account.uid, flight)
    return flight
  }

  /** @param mayWait as in `access` */
  function renew(
    account: Account,
    reason: RefreshReason,
    unwanted: string | undefined,
    mayWait: () => boolean = () => true,
  ): Promise<Renewed> {
    const { result, waits } = flightOf(account, reason, unwanted)
    const busy = waits.then(() =>
      mayWait() ? result : Promise.reject(new BusyElsewhere(label(account))),
    )
    busy.catch(() => undefined)
    return Promise.race([result, busy])
  }

  const nameOf = (account: Account | undefined): string =>
    account === undefined ? 'An account' : label(account)

  function sayTrouble(account: Account | undefined, trouble: UnsavedTokens): void {
    const now = clock.now()
    const last = toldAt.get(trouble.uid)
    if (
      trouble.place === 'journal' ||
      (last !== undefined && Math.abs(now - last) < TROUBLE_AGAIN_MS)
    )
      return
    toldAt.set(trouble.uid, now)
    const text = unsavedText(nameOf(account), store.path, trouble)
    log.log('error', text)
    deps.toast?.(unsavedToast(text))
  }

  function saySaved(account: Account | undefined, { uid }: { uid: string }): void {
    if (!toldAt.delete(uid)) return
    log.log('info', `${nameOf(account)}: the new tokens are stored now.`)
    deps.toast?.(savedToast(nameOf(account)))
  }

  function access(
    given: Account,
    signal?: AbortSignal,
    mayWait?: () => boolean,
  ): Grant | Promise<Grant> {
    if (given.kind === 'api-key') return keyGrant(given, label)
    const account = renewal.newest(given)
    const state = tokenState(account, clock.now(), settings.refreshSkewMs)
    if (state === 'good') return grantOf(account, given)
    if (account.accessToken !== undefined && bornExpired.get(account.uid) === account.accessToken)
      return grantOf(account, given)
    if (state === 'due' && (account.needsLogin !== undefined || renewal.isPaused(account.uid)))
      return grantOf(account, given)
    if (state === 'due') return renewEarly(account, given, signal)
    return untilAborted(
      renew(account, 'proactive_expiry', account.accessToken, mayWait),
      signal,
    ).then((fresh) => grantOf(fresh.account, given))
  }

  /** The old token is valid: a new one is nice to have, and no failure to get it is worth a failed request. */
  async function renewEarly(
    account: Account,
    given: Account,
    signal: AbortSignal | undefined,
  ): Promise<Grant> {
    const waiting = new AbortController()
    const patience = clock.sleep(PROACTIVE_WAIT_MS, waiting.signal).catch(() => undefined)
    // Nobody waits for another process while the old token is good.
    const renewed = renew(account, 'proactive_expiry', account.accessToken, () => false)
    try {
      const fresh = await untilAborted(Promise.race([renewed, patience]), signal)
      return grantOf(fresh?.account ?? account, given)
    } catch (error) {
      if (signal?.aborted === true || tokenState(account, clock.now(), 0) === 'expired') throw error
      if (!(error instanceof BusyElsewhere))
        log.log(
          'warn',
          `Early refresh for ${label(account)} did not work; the current token still does.`,
          {
            reason: messageOf(error),
          },
        )
      return grantOf(account, given)
    } finally {
      waiting.abort()
    }
  }

  async function afterUnauthorized(
    given: Account,
    rejectedToken: string,
    signal?: AbortSignal,
    mayWait?: () => boolean,
  ): Promise<Grant> {
    const { uid } = given
    if (given.kind === 'api-key') {
      throw new CodexError(
        'login_required',
        `${label(given)}: the endpoint does not accept this API key.`,
      )
    }
    const last = recovered.get(uid)
    // A token that was refused after its end says nothing, unless our clock is the one that is wrong.
    const known = renewal.newest(given)
    const isOver =
      known.accessToken === rejectedToken &&
      tokenState(known, clock.now(), 0) === 'expired' &&
      bornExpired.get(uid) !== rejectedToken
    if (
      !isOver &&
      last?.token === rejectedToken &&
      Math.abs(clock.now() - last.atMs) < RECOVERY_PAUSE_MS
    ) {
      throw new CodexError(
        'refresh_failed',
        `${label(given)}: the backend refuses even a token that is a moment old.`,
        {
          hint: 'Sign in to this account anew: opencode auth login',
        },
      )
    }
    let fresh = await untilAborted(
      renew(known, 'unauthorized_recovery', rejectedToken, mayWait),
      signal,
    )
    // A flight that began before the refusal may have ended with the very token that was refused.
    if (fresh.account.accessToken === rejectedToken) {
      fresh = await untilAborted(
        renew(fresh.account, 'unauthorized_recovery', rejectedToken, mayWait),
        signal,
      )
    }
    if (fresh.rotated)
      recovered.set(uid, { token: fresh.account.accessToken ?? '', atMs: clock.now() })
    return grantOf(fresh.account, given)
  }

  async function refreshNow(given: Account, signal?: AbortSignal): Promise<Grant> {
    if (given.kind === 'api-key') return keyGrant(given, label)
    const account = renewal.newest(given)
    const fresh = await untilAborted(renew(account, 'forced', account.accessToken), signal)
    const held = renewal.heldFor(fresh.account)
    if (held !== undefined)
      throw new CodexError('store_not_written', unsavedText(label(given), store.path, held), {
        hint: 'Check free space and permissions: codex-doctor',
      })
    return grantOf(fresh.account, given)
  }

  async function refreshInTurn(uids: readonly string[]): Promise<void> {
    const pool = store.peek() ?? (await store.read())
    for (const uid of uids) {
      const stored = accountOf(pool, uid)
      if (
        ended.signal.aborted ||
        stored === undefined ||
        stored.kind === 'api-key' ||
        stored.enabled === false
      )
        continue
      const account = renewal.newest(stored)
      const state = tokenState(account, clock.now(), settings.refreshSkewMs + REFRESH_AHEAD_MS)
      if (state === 'good' || account.needsLogin !== undefined || renewal.isPaused(uid)) continue
      await renew(account, 'proactive_expiry', account.accessToken).catch((error: unknown) => {
        log.log('warn', `Background refresh for ${label(account)} did not work.`, {
          reason: messageOf(error),
        })
      })
    }
  }

  return {
    access,
    afterUnauthorized,
    refreshNow,
    refreshSoon: (uids) => {
      refreshInTurn(uids).catch((error: unknown) => {
        log.log('warn', 'Background refresh stopped.', { reason: messageOf(error) })
      })
    },
    recover: () => renewal.recover(),
    unsaved: async () => {
      const found = await renewal.unsaved()
      if (found.length === 0) return []
      const pool = await store.read().catch(() => undefined)
      return found.map((one) =>
        unsavedText(
          nameOf(pool === undefined ? undefined : accountOf(pool, one.uid)),
          store.path,
          one,
        ),
      )
    },
    inMemoryAlone: () =>
      renewal
        .held()
        .flatMap(({ tokens, account }) => (tokens.place === 'memory' ? [nameOf(account)] : [])),
    close: async () => {
      ended.abort(new CodexError('refresh_failed', 'The plugin is shutting down.'))
      await renewal.settle()
    },
  }
}

function keyGrant(account: Account, label: TokensDeps['label']): Grant {
  if (account.apiKey === undefined || account.apiKey === '') {
    throw new CodexError('login_required', `${label(account)} has no API key.`)
  }
  return { token: account.apiKey, account, refreshed: false }
}

function grantOf(account: Account, given: Account): Grant {
  return {
    token: account.accessToken ?? '',
    account,
    refreshed: account.accessToken !== given.accessToken,
  }
}

/** The result of shared work for one caller; when that caller gives up, the work goes on for the others. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  if (signal.aborted) return Promise.reject(abortReason(signal))
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortReason(signal))
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
