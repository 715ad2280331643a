import type { Account, AccountPool } from '../accounts/account.js'
import { dropUndefined } from '../kernel/drop-undefined.js'
import { CodexError, messageOf } from '../kernel/errors.js'
import type { RefreshReason } from '../oauth/oauth-client.js'
import { adoptNewer, adoptOther } from './adopt.js'
import { currentRecord, type RefreshContext } from './context.js'
import type { LoginCopy } from './copies.js'
import { type Lease, underLease } from './lease.js'
import { type Refreshed, type SpendResult, spendRefreshToken } from './spend.js'
import { loginNeededText } from './texts.js'
import { fingerprintOf, isUsableInstead, withLoginNeeded } from './token-rules.js'
import { unsavedError } from './unsaved-notices.js'

/** How often a waiting process looks at the account file: it adopts a new token this soon after it is stored. */
const POLL_MS = 20
/** Every this many looks it also asks for the lease, in case its holder was killed. */
const POLLS_PER_LEASE_TRY = 5
/** A lease is waited for this long; counted in polls, so that a jump of the clock changes nothing. */
const LEASE_WAIT_MS = 45_000
/** An account that changed under the lease is looked at again at once, this often in a row at most. */
const MAX_LOOKS = 12
/** How long `settle` waits for the answer to a token already spent. */
const SETTLE_WAIT_MS = 2_000
/** After "already used" the one who used it gets this long to store its successor; then the login counts as ended. */
export const REUSED_GRACE_MS = 1_000
const GRACE_POLL_MS = 50

/** Why and against which access token (due, expired or refused) an account is refreshed. */
interface Wish {
  readonly reason: RefreshReason
  readonly unwanted: string | undefined
}

/**
 * Gets a new access token for an account, spending its refresh token at most once among all processes. One refresh is one
 * transaction: take the lease of the token; adopt what another process or file knows better; else spend the token, with
 * its intent and its answer in the journal; bring the answer into the account file and its copies; forget the journal.
 */
export class TokenRefresher {
  readonly #context: RefreshContext
  readonly #spending = new Set<Promise<unknown>>()

  constructor(context: RefreshContext) {
    this.#context = context
  }

  /**
   * @param unwanted the access token that is due, expired or refused
   * @param onWait called when another process holds the lease, before it is waited for
   * @throws CodexError `login_required`, `refresh_failed`, `store_not_written` (nothing was spent), or the store's own
   */
  async refreshOnce(
    wanted: Account,
    reason: RefreshReason,
    unwanted: string | undefined,
    onWait?: () => void,
  ): Promise<Refreshed> {
    const { clock, memory, label, ended } = this.#context
    let looks = 0
    for (let poll = 0; poll * POLL_MS < LEASE_WAIT_MS; poll++) {
      ended.throwIfAborted()
      const account = await currentRecord(this.#context, wanted)
      if (isUsableInstead(account, unwanted, clock.now())) return { account, rotated: false }
      const stored = await this.#storeHeld(account)
      if (stored !== undefined) return stored
      const refusal = this.#refusalOf(account)
      if (refusal !== undefined) {
        const fingerprint = fingerprintOf(account.refreshToken)
        if (looks++ < MAX_LOOKS && (await adoptOther(this.#context, account, fingerprint))) continue
        throw refusal
      }
      const pause = reason === 'forced' ? undefined : memory.pauseOf(account.uid)
      if (pause !== undefined) throw pause
      if (poll % POLLS_PER_LEASE_TRY === 0) {
        const found = await this.#refreshUnderLease(account, { reason, unwanted })
        if (found === undefined) onWait?.()
        else if (found.kind === 'refreshed') return found.refreshed
        else if (looks++ < MAX_LOOKS) {
          poll -= 1
          continue
        }
      }
      await clock.sleep(POLL_MS, ended)
    }
    throw new CodexError(
      'refresh_failed',
      `${label(wanted)}: another process is refreshing the token and does not finish.`,
      { hint: 'Close OpenCode windows that do not respond, then send the prompt again' },
    )
  }

  /** Waits a moment for answers to tokens already spent, and stores what is held. */
  async settle(): Promise<void> {
    const { clock, committer } = this.#context
    const waiting = new AbortController()
    const timeout = clock.sleep(SETTLE_WAIT_MS, waiting.signal).catch(() => undefined)
    if (this.#spending.size > 0) await Promise.race([Promise.allSettled(this.#spending), timeout])
    waiting.abort()
    await committer.close()
  }

  /** Tokens that no file has must be stored before the next ones are asked for: a second loss would be for good. */
  async #storeHeld(account: Account): Promise<Refreshed | undefined> {
    const { committer, label, store } = this.#context
    if (committer.heldFor(account) === undefined) return undefined
    await committer.flush()
    const held = committer.heldFor(account)
    if (held !== undefined) throw unsavedError(label(account), store.path, held)
    return { account: await currentRecord(this.#context, account), rotated: true }
  }

  /** Why this refresh token must not be spent; undefined when it may. */
  #refusalOf(account: Account): CodexError | undefined {
    const { memory, label } = this.#context
    const { refreshToken = '', needsLogin } = account
    if (needsLogin !== undefined)
      return new CodexError('login_required', `${label(account)}: ${needsLogin.reason}`)
    if (refreshToken === '')
      return new CodexError('login_required', `${label(account)} has no refresh token.`)
    return memory.refusalOf(fingerprintOf(refreshToken))
  }

  /** Undefined when another process holds the lease. */
  #refreshUnderLease(account: Account, wish: Wish): Promise<SpendResult | undefined> {
    const context = this.#context
    const fingerprint = fingerprintOf(account.refreshToken)
    return underLease(context.dir, fingerprint, async (lease) => {
      const fresh = await currentRecord(context, account, 'afresh')
      if (isUsableInstead(fresh, wish.unwanted, context.clock.now()))
        return { kind: 'refreshed', refreshed: { account: fresh, rotated: false } }
      if (fresh.needsLogin !== undefined || fingerprintOf(fresh.refreshToken) !== fingerprint)
        return { kind: 'again' }
      const better = await adoptNewer(context, fresh, fingerprint, wish.unwanted)
      if (better.kind === 'taken') return { kind: 'again' }
      if (better.kind === 'spend') return this.#spendCopy(fresh, better.copy, wish)
      const spent = await this.#spend(fresh, fingerprint, wish, lease)
      if (spent.kind === 'refused') await this.#handleRefusal(fresh, fingerprint, spent)
      return spent
    })
  }

  /** A newer token of the login from another file is spent for this record; when it is dead, ours has its turn. */
  #spendCopy(
    account: Account,
    { tokens, fingerprint, facts }: LoginCopy,
    wish: Wish,
  ): Promise<SpendResult | undefined> {
    const { memory, label, committer } = this.#context
    const rotated = dropUndefined({ tokenRotatedAt: facts.rotatedAt })
    const copy: Account = { ...account, ...tokens, ...rotated }
    return underLease(this.#context.dir, fingerprint, async (lease) => {
      const spent = await this.#spend(copy, fingerprint, wish, lease)
      if (spent.kind === 'refused') {
        const reason = loginNeededText(spent.code, spent.loss)
        const error = new CodexError('login_required', `${label(account)}: ${reason}`)
        memory.markRefused(fingerprint, error)
        await committer.conclude(fingerprint, { ...spent, entry: undefined })
      }
      return spent
    })
  }

  #spend(account: Account, fingerprint: string, wish: Wish, lease: Lease): Promise<SpendResult> {
    const spend = spendRefreshToken(this.#context, { account, fingerprint, ...wish, lease })
    this.#spending.add(spend)
    return spend.finally(() => this.#spending.delete(spend))
  }

  /**
   * The server says the token is dead. A program outside our lease may have used it and be about to store the next one.
   * @throws CodexError `login_required` when none appears
   */
  async #handleRefusal(
    account: Account,
    fingerprint: string,
    { code, loss, file, startedAt }: SpendResult & { kind: 'refused' },
  ): Promise<void> {
    const { clock, memory, label, log, committer } = this.#context
    const conclude = (): Promise<void> =>
      committer.conclude(fingerprint, { startedAt, file, entry: undefined })
    for (let waitedMs = 0; waitedMs <= REUSED_GRACE_MS; waitedMs += GRACE_POLL_MS) {
      const fresh = await currentRecord(this.#context, account, 'afresh')
      if (fingerprintOf(fresh.refreshToken) !== fingerprint) return conclude()
      await clock.sleep(GRACE_POLL_MS)
    }
    const reason = loginNeededText(code, loss)
    const error = new CodexError('login_required', `${label(account)}: ${reason}`, {
      hint: 'Sign in to this account again: {login}',
    })
    memory.markRefused(fingerprint, error)
    if (await adoptOther(this.#context, account, fingerprint)) return conclude()
    await this.#markEverywhere((pool) => withLoginNeeded(pool, fingerprint, reason, clock.now()))
    await conclude()
    log.log('error', `${label(account)} needs a new login.`, { reason: code })
    throw error
  }

  async #markEverywhere(mark: (pool: AccountPool) => AccountPool): Promise<void> {
    const { store, copies, log } = this.#context
    await store.update(mark).catch((failure: unknown) => {
      log.log('error', 'An account that needs a new login could not be marked.', {
        reason: messageOf(failure),
      })
    })
    await copies.change(mark)
  }
}
