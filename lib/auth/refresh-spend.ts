import type { Clock } from '../kernel/clock.js'
import { CodexError, isCodexError, messageOf, systemCode } from '../kernel/errors.js'
import type { Logger } from '../kernel/logger.js'
import type { Account } from '../accounts/account.js'
import type { AccountStore } from '../accounts/store-types.js'
import { factsOf } from './login-copies.js'
import type { TokenCommitter } from './refresh-commit.js'
import {
  type EarlierLoss,
  intentOf,
  isStillRunning,
  type JournalEntry,
  lossIn,
  type ReceivedEntry,
  type StartedEntry,
} from './refresh-entry.js'
import type { Exchange, RefreshReason } from './refresh-exchange.js'
import type { OpenEntry, RefreshJournal } from './refresh-journal.js'
import type { Lease } from './refresh-lease.js'
import type { RefreshMemory } from './refresh-memory.js'
import { isUsableInstead, pauseMs } from './refresh-rules.js'

/** A record with a token other than the unwanted one. */
export interface Renewed {
  readonly account: Account
  /** True when this process spent the refresh token; false when it adopted what somebody else stored. */
  readonly rotated: boolean
}

/** What spending a refresh token came to. */
export type Spending =
  | { readonly kind: 'renewed'; readonly renewed: Renewed }
  /** The account changed meanwhile and must be looked at anew. */
  | { readonly kind: 'again' }
  /** The login server says that this token is dead. */
  | {
      readonly kind: 'refused'
      readonly code: string
      readonly loss: EarlierLoss | undefined
      readonly file: OpenEntry
      readonly startedAt: number
    }

export interface SpendDeps {
  readonly store: AccountStore
  readonly clock: Clock
  /** 0 up to 1. */
  readonly random: () => number
  readonly log: Logger
  readonly label: (account: Account) => string
  readonly exchange: Exchange
  readonly journal: RefreshJournal
  readonly committer: TokenCommitter
  readonly memory: RefreshMemory
  /** The record as it is on disk now. */
  readonly current: (known: Account) => Promise<Account>
  /** Hears of tokens that another process holds and has not stored. */
  readonly onPending: (account: Account, entry: StartedEntry) => void
}

/** One refresh token to spend, under its lease. */
export interface SpendRequest {
  readonly account: Account
  readonly fingerprint: string
  readonly reason: RefreshReason
  /** The access token that is due, expired or refused. */
  readonly unwanted: string | undefined
  readonly lease: Lease
}

/** Spends one refresh token. */
export interface Spender {
  /** @throws CodexError `refresh_failed`, `store_not_written` (nothing was spent) */
  spend(request: SpendRequest): Promise<Spending>
}

/**
 * Creates the one place that spends refresh tokens. The order makes every crash explainable: the journal file made, open
 * and on the disk with the intent; lease still held; request; new tokens into the open file; new tokens into the account
 * file and its copies; journal cleared.
 */
export function createSpender(deps: SpendDeps): Spender {
  const { store, clock, log, label, journal, committer, memory, current } = deps

  async function spend({
    account,
    fingerprint,
    reason,
    unwanted,
    lease,
  }: SpendRequest): Promise<Spending> {
    const earlier = await read(account, fingerprint)
    if (earlier?.state === 'received') return finish(account, fingerprint, earlier, unwanted)
    throwIfPending(account, fingerprint, earlier, reason)

    const base = { pool: store.path, uid: account.uid, startedAt: clock.now() }
    const loss = lossIn(earlier)
    const file = await begin(account, fingerprint, intentOf(base, loss))
    // The last moment to turn back: from here on the token is spent.
    try {
      lease.assertHeld()
    } catch (error) {
      // Nothing was spent: an intent that stayed would keep everybody waiting for its result.
      await committer.conclude(fingerprint, base.startedAt, file, undefined)
      throw error
    }
    const outcome = await deps.exchange(account.refreshToken ?? '', reason)
    switch (outcome.kind) {
      case 'rotated': {
        const place = await committer.commit(
          fingerprint,
          { state: 'received', ...base, login: factsOf(account), tokens: outcome.tokens },
          file,
        )
        memory.endPause(account.uid)
        // What is held is known without the file, which may not be there any more.
        const fresh =
          place === 'file' || place === 'gone' ? await current(account) : committer.overlay(account)
        if (outcome.tokens.accessToken === undefined) {
          const failedAt = clock.now()
          throw pauseFor(fresh, failedAt, failedAt + pauseMs(1, undefined, deps.random()))
        }
        return { kind: 'renewed', renewed: { account: fresh, rotated: true } }
      }
      case 'refused':
        return { kind: 'refused', code: outcome.code, loss, file, startedAt: base.startedAt }
      case 'failed': {
        const attempts = (earlier?.state === 'failed' ? earlier.attempts : 0) + 1
        const failedAt = clock.now()
        const retryAt = failedAt + pauseMs(attempts, outcome.retryAfterMs, deps.random())
        log.log('warn', `Refresh for ${label(account)} did not work.`, {
          detail: outcome.detail,
          attempts,
        })
        const entry: JournalEntry = {
          state: 'failed',
          ...base,
          failedAt,
          retryAt,
          attempts,
          answered: outcome.answered,
          ...(loss === undefined ? {} : { loss }),
        }
        await committer.conclude(fingerprint, base.startedAt, file, entry)
        throw pauseFor(account, failedAt, retryAt)
      }
    }
  }

  /** A process was killed between the answer of the server and the account file; the journal has what it received. */
  async function finish(
    account: Account,
    fingerprint: string,
    entry: ReceivedEntry,
    unwanted: string | undefined,
  ): Promise<Spending> {
    log.log('info', `Finishing a refresh for ${label(account)} that was cut off.`)
    const place = await committer.commit(fingerprint, {
      ...entry,
      login: entry.login ?? factsOf(account),
    })
    if (place === 'file' || place === 'gone') return { kind: 'again' }
    const held = committer.overlay(account)
    if (isUsableInstead(held, unwanted, clock.now()))
      return { kind: 'renewed', renewed: { account: held, rotated: false } }
    throw new CodexError(
      'store_not_written',
      `${label(account)}: new tokens cannot be written to ${store.path}.`,
    )
  }

  function throwIfPending(
    account: Account,
    fingerprint: string,
    earlier: JournalEntry | undefined,
    reason: RefreshReason,
  ): void {
    const now = clock.now()
    if (
      earlier?.state === 'started' &&
      isStillRunning(earlier, now) &&
      !committer.isConcluded(fingerprint, earlier.startedAt)
    ) {
      deps.onPending(account, earlier)
      throw new CodexError(
        'refresh_failed',
        `${label(account)}: process ${earlier.pid} began to renew the token and has not stored the result yet.`,
        { hint: 'Check free space and permissions: codex-doctor' },
      )
    }
    const isPaused = earlier?.state === 'failed' && now >= earlier.failedAt && now < earlier.retryAt
    if (isPaused && reason !== 'forced') throw pauseFor(account, earlier.failedAt, earlier.retryAt)
  }

  function pauseFor(account: Account, fromMs: number, untilMs: number): CodexError {
    const error = new CodexError(
      'refresh_failed',
      `${label(account)}: the login server did not renew the token.`,
      {
        hint: 'Wait a moment and send the prompt once more; if it stays like this: codex-doctor',
      },
    )
    memory.pause(account.uid, fromMs, untilMs, error)
    return error
  }

  /** A journal that cannot be read may hold the successor: nothing is spent then. */
  async function read(account: Account, fingerprint: string): Promise<JournalEntry | undefined> {
    try {
      return await journal.read(fingerprint)
    } catch (error) {
      throw isCodexError(error)
        ? error
        : notRenewed(account, 'the refresh journal cannot be read', error)
    }
  }

  function notRenewed(account: Account, why: string, error: unknown): CodexError {
    const cause = error instanceof Error ? error.cause : undefined
    const code = systemCode(cause) ?? systemCode(error) ?? messageOf(error)
    return new CodexError(
      'store_not_written',
      `${label(account)}: the token was not renewed, because ${why} (${code}).`,
      {
        cause: error,
        hint: 'Check free space and permissions: codex-doctor',
      },
    )
  }

  /** Also proves that the disk takes writes: a token whose successor cannot be stored is not spent. */
  async function begin(
    account: Account,
    fingerprint: string,
    intent: StartedEntry,
  ): Promise<OpenEntry> {
    try {
      return await journal.begin(fingerprint, intent)
    } catch (error) {
      throw notRenewed(account, 'its successor could not be written to the disk', error)
    }
  }

  return { spend }
}
