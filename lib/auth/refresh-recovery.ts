import { stat } from 'node:fs/promises'
import path from 'node:path'

import type { AccountPool } from '../accounts/account.js'
import type { AccountStore } from '../accounts/store-types.js'
import type { Clock } from '../kernel/clock.js'
import { isSameFile } from '../kernel/real-path.js'
import { messageOf } from '../kernel/errors.js'
import type { Logger } from '../kernel/logger.js'
import { placeOfSuccessor } from './login-copies.js'
import type { Adopter } from './refresh-adopt.js'
import type { TokenCommitter } from './refresh-commit.js'
import type { LoginCopies } from './refresh-copies.js'
import { isStillRunning, type JournalEntry, type ReceivedEntry } from './refresh-entry.js'
import { REFRESH_TIMEOUT_MS } from './refresh-exchange.js'
import { JOURNAL_MAX_AGE_MS, RECEIVED_MAX_AGE_MS, type RefreshJournal } from './refresh-journal.js'
import { tryLease } from './refresh-lease.js'
import { fingerprintOf, holdsToken } from './refresh-rules.js'
import type { UnsavedTokens } from './refresh-texts.js'

/** Looks after what earlier processes left in the journal. */
export interface Recovery {
  /** Brings received tokens into records, revives logins that another file knows better, and drops what nobody needs any more. Never throws. */
  recover(): Promise<void>
  /** New tokens that are not in the account file, here and in other processes of this machine. Never throws. */
  unsaved(): Promise<readonly UnsavedTokens[]>
}

export interface RecoveryDeps {
  readonly store: AccountStore
  readonly dir: string
  readonly journal: RefreshJournal
  readonly committer: TokenCommitter
  readonly copies: LoginCopies
  readonly adopter: Adopter
  readonly clock: Clock
  readonly log: Logger
}

/** Creates the recovery of one plugin instance. */
export function createRecovery(deps: RecoveryDeps): Recovery {
  const { store, journal, committer, clock, log } = deps

  /**
   * What was received stays until a record has it: a damaged account file may be repaired, and a removed account may come
   * back with a backup. It has to end some time, for the tokens are secrets.
   */
  async function workOffReceived(
    fingerprint: string,
    entry: ReceivedEntry,
    isOurs: boolean,
  ): Promise<void> {
    if (Math.abs(clock.now() - entry.startedAt) > RECEIVED_MAX_AGE_MS)
      return journal.clear(fingerprint)
    const spent = { fingerprint, login: entry.login }
    const pool = await store.read()
    const isWanted =
      isOurs ||
      holdsToken(pool, fingerprint) ||
      placeOfSuccessor(pool, spent, entry.tokens, entry.startedAt) !== 'missing'
    if (isWanted) await committer.commit(fingerprint, entry)
  }

  async function workOff(fingerprint: string): Promise<void> {
    const entry = await journal.read(fingerprint)
    const lease = await tryLease(deps.dir, fingerprint)
    if (lease === undefined) return
    try {
      if (entry?.state === 'received')
        await workOffReceived(fingerprint, entry, isSameFile(entry.pool, store.path))
      else if (await isOver(fingerprint, entry)) await journal.clear(fingerprint)
    } finally {
      await lease.release().catch(() => undefined)
    }
  }

  /** Entries without tokens explain a loss to whoever still has the token; those that cannot be read may be of a later version. */
  async function isOver(
    fingerprint: string,
    entry: Exclude<JournalEntry, ReceivedEntry> | undefined,
  ): Promise<boolean> {
    const sinceMs = entry?.startedAt ?? (await journal.changedAt(fingerprint)) ?? clock.now()
    if (entry?.state === 'started' && isStillRunning(entry, clock.now())) return false
    if (Math.abs(clock.now() - sinceMs) > JOURNAL_MAX_AGE_MS) return true
    if (entry === undefined || !isSameFile(entry.pool, store.path)) return false
    const pool: AccountPool = await store.read()
    return pool.accounts.length > 0 && !holdsToken(pool, fingerprint)
  }

  /** An account that had to sign in again need not, where another file of ours has a token of it that works. */
  async function revive(): Promise<void> {
    for (const account of (await store.read()).accounts) {
      if (account.needsLogin === undefined || account.kind === 'api-key') continue
      await deps.adopter.newer(
        account,
        fingerprintOf(account.refreshToken ?? ''),
        account.accessToken,
      )
    }
  }

  async function unsavedOf(fingerprint: string): Promise<UnsavedTokens | undefined> {
    const entry = await journal.read(fingerprint).catch(() => undefined)
    if (
      entry?.state !== 'started' ||
      !isStillRunning(entry, clock.now()) ||
      committer.isConcluded(fingerprint, entry.startedAt)
    )
      return undefined
    // While the lease is held the answer may still be on its way; on a disk that takes nothing its end does not show.
    const isUnderWay =
      Math.abs(clock.now() - entry.startedAt) < REFRESH_TIMEOUT_MS &&
      (await stat(path.join(deps.dir, `${fingerprint}.lock`)).then(
        () => true,
        () => false,
      ))
    return isUnderWay
      ? undefined
      : { uid: entry.uid, place: 'memory', why: '', sinceMs: entry.startedAt, pid: entry.pid }
  }

  return {
    async recover() {
      const warn = (error: unknown): void => {
        log.log('warn', 'An entry of the refresh journal could not be worked off.', {
          reason: messageOf(error),
        })
      }
      for (const fingerprint of await journal.list()) await workOff(fingerprint).catch(warn)
      await revive().catch(warn)
    },
    async unsaved() {
      const held = committer.held()
      const ours = new Set(held.map(({ fingerprint }) => fingerprint))
      const others = await Promise.all(
        (await journal.list()).filter((fingerprint) => !ours.has(fingerprint)).map(unsavedOf),
      )
      return [...held, ...others.filter((one) => one !== undefined)]
    },
  }
}
