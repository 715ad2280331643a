import type { Clock } from '../kernel/clock.js'
import { isCodexError, messageOf } from '../kernel/errors.js'
import type { Logger } from '../kernel/logger.js'
import type { Account } from '../accounts/account.js'
import type { AccountStore } from '../accounts/store-types.js'
import type { RefreshJournal } from './refresh-journal.js'
import { fingerprintOf, holdsToken, rotatedAccount, withRotatedTokens } from './refresh-rules.js'
import type { RotatedTokens } from './refresh-rules.js'

/** A busy account file is asked for again this often, with these pauses between. */
const COMMIT_ATTEMPTS = 4
const COMMIT_PAUSE_MS = 100
/** Tokens that could not be stored are offered to the disk again this often. */
export const HELD_RETRY_MS = 2_000

/** Brings rotated tokens into the account file, and keeps them in memory where the disk will not take them. */
export interface TokenCommitter {
  /** True when the account file has them; false when they are held in memory and offered again in the background. */
  commit(fingerprint: string, tokens: RotatedTokens): Promise<boolean>
  /** The record with the tokens held for it, if any. No I/O. */
  overlay(account: Account): Account
  /** Offers everything held to the disk once more. */
  flush(): Promise<void>
}

export interface CommitterDeps {
  readonly store: AccountStore
  /** Account files that may hold a copy of the same login, left over from earlier versions. */
  readonly otherStores?: () => readonly AccountStore[]
  readonly clock: Clock
  readonly log: Logger
  readonly journal: RefreshJournal
  /** Ends the background retries. */
  readonly ended: AbortSignal
}

/** Creates a committer that holds nothing yet. */
export function createCommitter(deps: CommitterDeps): TokenCommitter {
  const { store, clock, log, journal, ended } = deps
  const held = new Map<string, { tokens: RotatedTokens; atMs: number }>()
  let retrying = false

  async function write(target: AccountStore, fingerprint: string, tokens: RotatedTokens): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await target.update((pool) => withRotatedTokens(pool, fingerprint, tokens, clock.now()))
        return
      } catch (error) {
        const busy = isCodexError(error) && error.code === 'store_busy'
        if (!busy || attempt === COMMIT_ATTEMPTS) throw error
        await clock.sleep(COMMIT_PAUSE_MS * attempt)
      }
    }
  }

  /** Everybody who has a copy of the spent token gets the new one, or would spend the old one again. */
  async function writeCopies(fingerprint: string, tokens: RotatedTokens): Promise<void> {
    for (const other of deps.otherStores?.() ?? []) {
      if (other.path === store.path) continue
      try {
        if (holdsToken(await other.read(), fingerprint)) await write(other, fingerprint, tokens)
      } catch (error) {
        log.log('warn', 'A second account file with the same login could not be updated.', { reason: messageOf(error) })
      }
    }
  }

  async function tryCommit(fingerprint: string, tokens: RotatedTokens): Promise<boolean> {
    try {
      await write(store, fingerprint, tokens)
    } catch (error) {
      log.log('error', 'New tokens could not be written to the account file yet; they are kept in memory and retried.', {
        reason: messageOf(error),
      })
      return false
    }
    held.delete(fingerprint)
    await writeCopies(fingerprint, tokens)
    await journal.clear(fingerprint).catch(() => undefined)
    return true
  }

  async function flush(): Promise<void> {
    for (const [fingerprint, { tokens }] of held) await tryCommit(fingerprint, tokens)
  }

  async function retryHeld(): Promise<void> {
    if (retrying) return
    retrying = true
    while (held.size > 0) {
      const interrupted = await clock.sleep(HELD_RETRY_MS, ended).then(() => false, () => true)
      if (interrupted) break
      await flush()
    }
    retrying = false
  }

  return {
    commit: async (fingerprint, tokens) => {
      if (await tryCommit(fingerprint, tokens)) return true
      held.set(fingerprint, { tokens, atMs: clock.now() })
      void retryHeld()
      return false
    },
    overlay: (account) => {
      if (held.size === 0 || account.refreshToken === undefined) return account
      const kept = held.get(fingerprintOf(account.refreshToken))
      return kept === undefined ? account : rotatedAccount(account, kept.tokens, kept.atMs)
    },
    flush,
  }
}
