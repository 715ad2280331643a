import path from 'node:path'
import { CodexError, messageOf } from '../kernel/errors.js'
import { ACCOUNTS_FILE } from '../kernel/paths.js'
import { realPathOrSame } from '../kernel/real-path.js'
import type { Account } from '../accounts/account.js'
import type { Vault } from '../accounts/vault.js'
import type { RefreshReason } from './refresh-exchange.js'
import { createCommitter } from './refresh-commit.js'
import { createRefreshJournal, JOURNAL_MAX_AGE_MS } from './refresh-journal.js'
import { tryLease } from './refresh-lease.js'
import { createRefreshMemory } from './refresh-memory.js'
import { accountOf, fingerprintOf, holdsToken, isUsableInstead } from './refresh-rules.js'
import { createSpender } from './refresh-spend.js'
import type { Renewed, SpendDeps } from './refresh-spend.js'

/** How often a waiting process looks at the account file: it adopts a new token this soon after it is stored. */
const POLL_MS = 20
/** Every this many looks it also asks for the lease, in case its holder was killed. */
const POLLS_PER_LEASE_TRY = 5
/** A lease is waited for this long; counted in polls, so that a jump of the clock changes nothing. */
const LEASE_WAIT_MS = 45_000
/** How long `settle` waits for the answer to a token already spent. */
const SETTLE_WAIT_MS = 2_000

export interface RenewalDeps extends Omit<SpendDeps, 'journal' | 'committer' | 'memory' | 'current'> {
  /** Folder of leases and journal, the same for every account file of this user: see `refreshDir`. */
  readonly dir: string
  /** Keys of sealed account files. */
  readonly vault?: Vault
  /** Ends waiting and background work. */
  readonly ended: AbortSignal
}

/** Gets a new access token for an account, spending its refresh token at most once among all processes. */
export interface Renewal {
  /**
   * @param unwanted the access token that is due, expired or refused
   * @throws CodexError `login_required`, `refresh_failed`, `store_not_written` (nothing was spent), or the store's own
   */
  renew(known: Account, reason: RefreshReason, unwanted: string | undefined): Promise<Renewed>
  /** The record with tokens that could not be stored yet, if any. No I/O. */
  newest(account: Account): Account
  /** True while a pause after a failed refresh runs. No I/O. */
  isPaused(uid: string): boolean
  recover(): Promise<void>
  settle(): Promise<void>
}

/** The folder of leases and journal: beside the account file's real place, so that homes linked to one file share it. */
export function refreshDir(root: string): string {
  return path.join(path.dirname(realPathOrSame(path.join(root, ACCOUNTS_FILE))), 'refresh')
}

/** Creates the renewal of one plugin instance. */
export function createRenewal(deps: RenewalDeps): Renewal {
  const { store, clock, log, label, ended, vault } = deps
  const journal = createRefreshJournal(deps.dir, vault === undefined ? undefined : { current: () => store.key(), key: (id) => vault.key(id) })
  const committer = createCommitter({ ...deps, journal })
  const memory = createRefreshMemory(clock)
  const spender = createSpender({ ...deps, journal, committer, memory, current })
  const spending = new Set<Promise<unknown>>()

  async function current(known: Account): Promise<Account> {
    const account = accountOf(await store.read(), known.uid)
    if (account !== undefined) return committer.overlay(account)
    throw new CodexError('login_required', `${label(known)} was removed while its token was being renewed.`)
  }

  /** The fingerprint of the token to spend. */
  function spendable(account: Account): string {
    const { refreshToken, needsLogin } = account
    if (needsLogin !== undefined) throw new CodexError('login_required', `${label(account)}: ${needsLogin.reason}`)
    if (refreshToken === undefined || refreshToken === '') {
      throw new CodexError('login_required', `${label(account)} has no refresh token.`)
    }
    const fingerprint = fingerprintOf(refreshToken)
    const refusal = memory.refusalOf(fingerprint)
    if (refusal !== undefined) throw refusal
    return fingerprint
  }

  async function renew(known: Account, reason: RefreshReason, unwanted: string | undefined): Promise<Renewed> {
    for (let poll = 0; poll * POLL_MS < LEASE_WAIT_MS; poll++) {
      ended.throwIfAborted()
      const account = await current(known)
      if (isUsableInstead(account, unwanted, clock.now())) return { account, rotated: false }
      spendable(account)
      const pause = reason === 'forced' ? undefined : memory.pauseOf(account.uid)
      if (pause !== undefined) throw pause
      if (poll % POLLS_PER_LEASE_TRY === 0) {
        const renewed = await renewUnderLease(account, reason, unwanted)
        if (renewed !== undefined) return renewed
      }
      await clock.sleep(POLL_MS, ended)
    }
    throw new CodexError('refresh_failed', `${label(known)}: another process is renewing the token and does not finish.`, {
      hint: 'Close OpenCode windows that hang, then send the prompt once more',
    })
  }

  /** Undefined when somebody else holds the lease, or when the account changed and must be looked at anew. */
  async function renewUnderLease(
    account: Account,
    reason: RefreshReason,
    unwanted: string | undefined,
  ): Promise<Renewed | undefined> {
    const fingerprint = spendable(account)
    const lease = await tryLease(deps.dir, fingerprint)
    if (lease === undefined) return undefined
    try {
      const fresh = await current(account)
      if (isUsableInstead(fresh, unwanted, clock.now())) return { account: fresh, rotated: false }
      if (spendable(fresh) !== fingerprint) return undefined
      const spend = spender.spend(fresh, fingerprint, reason, unwanted, lease)
      spending.add(spend)
      return await spend.finally(() => spending.delete(spend))
    } finally {
      await lease.release()
    }
  }

  async function recoverEntry(fingerprint: string): Promise<void> {
    const entry = await journal.read(fingerprint)
    const isOurs = entry?.pool === store.path
    const isOld = entry === undefined || Math.abs(clock.now() - entry.startedAt) > JOURNAL_MAX_AGE_MS
    if (!isOurs && !isOld) return
    const lease = await tryLease(deps.dir, fingerprint)
    if (lease === undefined) return
    try {
      if (!isOurs || !holdsToken(await store.read(), fingerprint)) await journal.clear(fingerprint)
      else if (entry.state === 'received') await committer.commit(fingerprint, entry.tokens)
    } finally {
      await lease.release()
    }
  }

  return {
    renew,
    newest: (account) => committer.overlay(account),
    isPaused: (uid) => memory.pauseOf(uid) !== undefined,
    recover: async () => {
      for (const fingerprint of await journal.list()) {
        await recoverEntry(fingerprint).catch((error: unknown) => {
          log.log('warn', 'An entry of the refresh journal could not be worked off.', { reason: messageOf(error) })
        })
      }
    },
    settle: async () => {
      const waiting = new AbortController()
      const patience = clock.sleep(SETTLE_WAIT_MS, waiting.signal).catch(() => undefined)
      if (spending.size > 0) await Promise.race([Promise.allSettled(spending), patience])
      waiting.abort()
      await committer.flush()
    },
  }
}
