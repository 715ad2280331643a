import os from 'node:os'
import type { Clock } from '../kernel/clock.js'
import { CodexError, messageOf } from '../kernel/errors.js'
import type { Logger } from '../kernel/logger.js'
import type { Account, AccountPool } from '../accounts/account.js'
import type { AccountStore } from '../accounts/store-types.js'
import type { RefreshReason } from './refresh-exchange.js'
import type { TokenCommitter } from './refresh-commit.js'
import type { Exchange } from './refresh-exchange.js'
import { isStillRunning } from './refresh-journal.js'
import type { JournalEntry, RefreshJournal } from './refresh-journal.js'
import type { Lease } from './refresh-lease.js'
import type { RefreshMemory } from './refresh-memory.js'
import { fingerprintOf, isUsableInstead, pauseMs, withLoginNeeded } from './refresh-rules.js'
import { loginNeededText } from './refresh-texts.js'

/** After "already used" the one who used it gets this long to store its successor; then the login counts as ended. */
export const REUSED_GRACE_MS = 1_000
const GRACE_POLL_MS = 50

/** A record with a token other than the unwanted one. */
export interface Renewed {
  readonly account: Account
  /** True when this process spent the refresh token; false when it adopted what somebody else stored. */
  readonly rotated: boolean
}

export interface SpendDeps {
  readonly store: AccountStore
  /** Account files that may hold a copy of the same login, left over from earlier versions. */
  readonly otherStores?: () => readonly AccountStore[]
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
}

/** Spends one refresh token, under its lease. */
export interface Spender {
  /** Undefined when the account changed meanwhile and must be looked at anew. */
  spend(
    account: Account,
    fingerprint: string,
    reason: RefreshReason,
    unwanted: string | undefined,
    lease: Lease,
  ): Promise<Renewed | undefined>
}

/**
 * Creates the one place that spends refresh tokens. The order makes every crash explainable: intent in the journal,
 * lease still held, request, new tokens in the journal, new tokens in the account file, journal cleared.
 */
export function createSpender(deps: SpendDeps): Spender {
  const { store, clock, log, label, journal, committer, memory, current } = deps

  async function spend(
    account: Account,
    fingerprint: string,
    reason: RefreshReason,
    unwanted: string | undefined,
    lease: Lease,
  ): Promise<Renewed | undefined> {
    const earlier = await journal.read(fingerprint)
    if (earlier?.state === 'received') return await finish(account, fingerprint, earlier, unwanted)
    throwIfPending(account, earlier, reason)

    const base = { pool: store.path, uid: account.uid, startedAt: clock.now() }
    const intent: JournalEntry = { state: 'started', ...base, host: os.hostname(), pid: process.pid }
    await writeIntent(account, fingerprint, intent)
    // The last moment to turn back: from here on the token is spent.
    try {
      lease.assertHeld()
    } catch (error) {
      await withdraw(fingerprint, intent)
      throw error
    }
    const outcome = await deps.exchange(account.refreshToken ?? '', reason)
    switch (outcome.kind) {
      case 'rotated': {
        const { tokens } = outcome
        await journal.write(fingerprint, { state: 'received', ...base, tokens }).catch((error: unknown) => {
          log.log('error', 'New tokens could not be written to the refresh journal.', { reason: messageOf(error) })
        })
        await committer.commit(fingerprint, tokens)
        memory.endPause(account.uid)
        return { account: await current(account), rotated: true }
      }
      case 'refused':
        await handleRefusal(account, fingerprint, outcome.code, earlier)
        return undefined
      case 'failed': {
        const attempts = (earlier?.state === 'failed' ? earlier.attempts : 0) + 1
        const failedAt = clock.now()
        const retryAt = failedAt + pauseMs(attempts, outcome.retryAfterMs, deps.random())
        log.log('warn', `Refresh for ${label(account)} did not work.`, { detail: outcome.detail, attempts })
        const entry: JournalEntry = { state: 'failed', ...base, failedAt, retryAt, attempts, answered: outcome.answered }
        await journal.write(fingerprint, entry).catch(() => undefined)
        throw pauseFor(account, failedAt, retryAt)
      }
    }
  }

  /** A process was killed between the answer of the server and the account file; the journal has what it received. */
  async function finish(
    account: Account,
    fingerprint: string,
    entry: JournalEntry & { state: 'received' },
    unwanted: string | undefined,
  ): Promise<Renewed | undefined> {
    log.log('info', `Finishing a refresh for ${label(account)} that was cut off.`)
    if (await committer.commit(fingerprint, entry.tokens)) return undefined
    const held = committer.overlay(account)
    if (isUsableInstead(held, unwanted, clock.now())) return { account: held, rotated: false }
    throw new CodexError('store_not_written', `${label(account)}: new tokens cannot be written to ${store.path}.`)
  }

  function throwIfPending(account: Account, earlier: JournalEntry | undefined, reason: RefreshReason): void {
    const now = clock.now()
    if (earlier?.state === 'started' && isStillRunning(earlier, now)) {
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
    const error = new CodexError('refresh_failed', `${label(account)}: the login server did not renew the token.`, {
      hint: 'Wait a moment and send the prompt once more; if it stays like this: codex-doctor',
    })
    memory.pause(account.uid, fromMs, untilMs, error)
    return error
  }

  /** Also proves that the disk takes writes: a token whose successor cannot be stored is not spent. */
  async function writeIntent(account: Account, fingerprint: string, entry: JournalEntry): Promise<void> {
    try {
      await journal.write(fingerprint, entry)
    } catch (error) {
      throw new CodexError(
        'store_not_written',
        `${label(account)}: the token was not renewed, because its successor could not be written to the disk.`,
        { cause: error, hint: 'Check free space and permissions: codex-doctor' },
      )
    }
  }

  /** Nothing was spent: an intent that stayed would keep everybody waiting for its result. */
  async function withdraw(fingerprint: string, intent: JournalEntry): Promise<void> {
    const found = await journal.read(fingerprint).catch(() => undefined)
    const isOurs = found?.state === 'started' && found.pid === process.pid && found.startedAt === intent.startedAt
    if (isOurs) await journal.clear(fingerprint).catch(() => undefined)
  }

  /** The server says the token is dead. Somebody outside our lease may have used it and be about to store the next one. */
  async function handleRefusal(
    account: Account,
    fingerprint: string,
    code: string,
    earlier: JournalEntry | undefined,
  ): Promise<void> {
    for (let waitedMs = 0; waitedMs <= REUSED_GRACE_MS; waitedMs += GRACE_POLL_MS) {
      const fresh = await current(account)
      if (fingerprintOf(fresh.refreshToken ?? '') !== fingerprint) {
        await journal.clear(fingerprint).catch(() => undefined)
        return
      }
      await clock.sleep(GRACE_POLL_MS)
    }
    const reason = loginNeededText(code, earlier)
    const error = new CodexError('login_required', `${label(account)}: ${reason}`, {
      hint: 'Sign in to this account again: opencode auth login',
    })
    memory.bury(fingerprint, error)
    await markEverywhere((pool) => withLoginNeeded(pool, fingerprint, reason, clock.now()))
    await journal.clear(fingerprint).catch(() => undefined)
    log.log('error', `${label(account)} needs a new login.`, { reason: code })
    throw error
  }

  async function markEverywhere(mark: (pool: AccountPool) => AccountPool): Promise<void> {
    for (const target of [store, ...(deps.otherStores?.() ?? [])]) {
      await target.update(mark).catch((failure: unknown) => {
        log.log('error', 'An account that needs a new login could not be marked.', { reason: messageOf(failure) })
      })
    }
  }

  return { spend }
}
