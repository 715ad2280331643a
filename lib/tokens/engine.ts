import type { Account } from '../accounts/account.js'
import type { Vault } from '../accounts/keychain/vault.js'
import type { CodexError } from '../kernel/errors.js'
import type { RefreshGrant, RefreshReason } from '../oauth/oauth-client.js'
import { TokenCommitter } from './commit.js'
import { LoginCopies, type PoolFiles } from './copies.js'
import { RefreshJournal } from './journal/journal.js'
import { recoverJournal, unsavedTokens } from './journal/recovery.js'
import { RefreshMemory } from './memory.js'
import { TokenRefresher } from './refresh.js'
import type { Refreshed } from './spend.js'
import { accountOf } from './token-rules.js'
import {
  type NoticeDeps,
  unsavedError,
  UnsavedNotices,
  type UnsavedTokens,
} from './unsaved-notices.js'

// With what it takes to spend a token, in one file of the bundle.
export { OAuthClient } from '../oauth/oauth-client.js'
export { listPoolFiles } from './copies.js'

export interface TokensDeps extends NoticeDeps {
  /** 0 up to 1. */
  readonly random: () => number
  readonly refreshGrant: RefreshGrant
  /** Folder of leases and journal, the same for every account file of this user: see `refreshDir`. */
  readonly dir: string
  /** Folders that take new tokens when the disk of `dir` does not. */
  readonly spareDirs?: readonly string[]
  /** Other account files, which may hold copies of the same logins. */
  readonly poolFiles?: PoolFiles
  /** Keys of sealed account files. */
  readonly vault?: Vault
  readonly settings: {
    /** A token that ends within this time is refreshed before use, ms. */
    readonly refreshSkewMs: number
  }
}

/** What renews tokens and keeps those that could not be stored yet. */
export type TokenEngine = ReturnType<typeof createEngine>

/** @param ended aborted when the plugin shuts down */
export function createEngine(deps: TokensDeps, ended: AbortSignal) {
  const { store, clock, log, vault, poolFiles: files } = deps
  const lastSeen = new Map<string, Account>()
  const notices = new UnsavedNotices(deps, lastSeen)
  const keys = vault && { current: () => store.key(), key: (id: string) => vault.key(id) }
  const journal = new RefreshJournal(deps.dir, keys, deps.spareDirs)
  const common = {
    ...deps,
    journal,
    copies: new LoginCopies({ ownPath: store.path, files, journal, vault, clock, log }),
    memory: new RefreshMemory(clock),
    onUnsaved: (tokens: UnsavedTokens) => notices.tell(tokens),
    onSaved: (uid: string) => notices.tellSaved(uid),
    ended,
  }
  const committer = new TokenCommitter(common)
  const context = { ...common, committer, lastSeen }
  const refresher = new TokenRefresher(context)
  return {
    /** The record with tokens that could not be stored yet. */
    overlay: (account: Account): Account => committer.overlay(account),
    /** True while no refresh of the account is tried, after one that failed. */
    isPaused: (uid: string): boolean => common.memory.pauseOf(uid) !== undefined,
    /** As `TokenRefresher.refreshOnce`. */
    refreshOnce: (
      account: Account,
      reason: RefreshReason,
      unwanted: string | undefined,
      onWait: () => void,
    ): Promise<Refreshed> => refresher.refreshOnce(account, reason, unwanted, onWait),
    /** Why new tokens of an account are not in its file, if they are not. */
    unsavedErrorOf(given: Account, fresh: Account): CodexError | undefined {
      const held = committer.heldFor(fresh)
      return held === undefined ? undefined : unsavedError(deps.label(given), store.path, held)
    },
    /** As `Tokens.recover`. */
    recover: (): Promise<void> => recoverJournal(context),
    /** As `Tokens.unsaved`. */
    async unsaved(): Promise<readonly string[]> {
      const found = await unsavedTokens(context)
      if (found.length === 0) return []
      const pool = await store.read().catch(() => undefined)
      return found.map((one) =>
        notices.textOf(one, pool === undefined ? undefined : accountOf(pool, one.uid)),
      )
    },
    /** As `Tokens.inMemoryAlone`. */
    inMemoryAlone: (): readonly string[] =>
      committer
        .held()
        .filter(({ place }) => place === 'memory')
        .map(({ uid }) => notices.nameOf(uid)),
    /** Ends when no refresh is under way. */
    settle: (): Promise<void> => refresher.settle(),
  }
}
