import path from 'node:path'
import type { Account, AccountPool } from '../accounts/account.js'
import type { Vault } from '../accounts/vault.js'
import { CodexError, messageOf } from '../kernel/errors.js'
import { ACCOUNTS_FILE } from '../kernel/paths.js'
import { realPathOrSame } from '../kernel/real-path.js'
import { createAdopter } from './refresh-adopt.js'
import { createCommitter, type HeldTokens } from './refresh-commit.js'
import { createLoginCopies, type LoginCopy, type PoolFiles } from './refresh-copies.js'
import type { StartedEntry } from './refresh-entry.js'
import type { RefreshReason } from './refresh-exchange.js'
import { createRefreshJournal } from './refresh-journal.js'
import { tryLease } from './refresh-lease.js'
import { createRefreshMemory } from './refresh-memory.js'
import { createRecovery } from './refresh-recovery.js'
import { accountOf, fingerprintOf, isUsableInstead, withLoginNeeded } from './refresh-rules.js'
import { createSpender, type Renewed, type SpendDeps, type Spending } from './refresh-spend.js'
import { loginNeededText, type UnsavedTokens, unsavedText } from './refresh-texts.js'

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

export interface RenewalDeps extends Pick<
  SpendDeps,
  'store' | 'clock' | 'random' | 'log' | 'label' | 'exchange'
> {
  /** Folder of leases and journal, the same for every account file of this user: see `refreshDir`. */
  readonly dir: string
  /** Folders that take new tokens when the disk of `dir` does not. */
  readonly spareDirs?: readonly string[]
  /** Other account files, which may hold copies of the same logins. */
  readonly poolFiles?: PoolFiles
  /** Keys of sealed account files. */
  readonly vault?: Vault
  /** Hears of tokens that are in danger, and of their end. */
  readonly onTrouble?: (account: Account | undefined, trouble: UnsavedTokens) => void
  readonly onSaved?: (account: Account | undefined, saved: HeldTokens) => void
  /** Ends waiting and background work. */
  readonly ended: AbortSignal
}

/** Gets a new access token for an account, spending its refresh token at most once among all processes. */
export interface Renewal {
  /**
   * @param unwanted the access token that is due, expired or refused
   * @param onWait called when another process holds the lease, before it is waited for
   * @throws CodexError `login_required`, `refresh_failed`, `store_not_written` (nothing was spent), or the store's own
   */
  renew(
    known: Account,
    reason: RefreshReason,
    unwanted: string | undefined,
    onWait?: () => void,
  ): Promise<Renewed>
  /** The record with tokens that could not be stored yet, if any. No I/O. */
  newest(account: Account): Account
  /** New tokens of this account that are not in the account file. No I/O. */
  heldFor(account: Account): HeldTokens | undefined
  /** Every new token that is not in the account file, with its record as it was read last. No I/O. */
  held(): readonly { readonly tokens: HeldTokens; readonly account: Account | undefined }[]
  /** True while a pause after a failed refresh runs. No I/O. */
  isPaused(uid: string): boolean
  /** New tokens that are not in the account file, here and in other processes of this machine. */
  unsaved(): Promise<readonly UnsavedTokens[]>
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
  const journal = createRefreshJournal(
    deps.dir,
    vault === undefined ? undefined : { current: () => store.key(), key: (id) => vault.key(id) },
    deps.spareDirs,
  )
  const copies = createLoginCopies({
    ownPath: store.path,
    files: deps.poolFiles,
    journal,
    vault,
    clock,
    log,
  })
  const memory = createRefreshMemory(clock)
  /** Records as they were read last: a file that cannot be read any more must still be spoken of by name. */
  const lastSeen = new Map<string, Account>()
  const committer = createCommitter({
    ...deps,
    copies,
    memory,
    journal,
    onHeld: (held) => deps.onTrouble?.(lastSeen.get(held.uid), held),
    onStored: (held) => deps.onSaved?.(lastSeen.get(held.uid), held),
  })
  const onPending = (account: Account, { pid, startedAt }: StartedEntry): void =>
    deps.onTrouble?.(account, {
      uid: account.uid,
      place: 'memory',
      why: '',
      sinceMs: startedAt,
      pid,
    })
  const spender = createSpender({ ...deps, journal, committer, memory, current, onPending })
  const adopter = createAdopter({ ...deps, copies, memory })
  const recovery = createRecovery({ ...deps, journal, committer, copies, adopter })
  const spending = new Set<Promise<unknown>>()

  async function current(wanted: Account): Promise<Account> {
    const held = committer.heldFor(wanted)
    // Tokens that are held keep an account alive whose file cannot be read for the moment.
    const pool = await store.read().catch((error: unknown) => {
      if (held === undefined) throw error
      return undefined
    })
    const account =
      (pool === undefined ? undefined : accountOf(pool, wanted.uid)) ??
      (held === undefined ? undefined : lastSeen.get(wanted.uid))
    if (account === undefined)
      throw new CodexError(
        'login_required',
        `${label(wanted)} was removed while its token was being renewed.`,
      )
    lastSeen.set(account.uid, account)
    return committer.overlay(account)
  }

  /** Why this refresh token must not be spent; undefined when it may. */
  function refusalOf(account: Account): CodexError | undefined {
    const { refreshToken, needsLogin } = account
    if (needsLogin !== undefined)
      return new CodexError('login_required', `${label(account)}: ${needsLogin.reason}`)
    if (refreshToken === undefined || refreshToken === '')
      return new CodexError('login_required', `${label(account)} has no refresh token.`)
    return memory.refusalOf(fingerprintOf(refreshToken))
  }

  /** Tokens that no file has must be stored before the next ones are asked for: a second loss would be for good. */
  async function storeHeld(account: Account): Promise<Renewed | undefined> {
    if (committer.heldFor(account) === undefined) return undefined
    await committer.flush()
    const held = committer.heldFor(account)
    if (held !== undefined) throw unsavedError(account, held)
    return { account: await current(account), rotated: true }
  }

  function unsavedError(account: Account, held: HeldTokens): CodexError {
    return new CodexError('store_not_written', unsavedText(label(account), store.path, held), {
      hint: 'Check free space and permissions: codex-doctor',
    })
  }

  async function renew(
    wanted: Account,
    reason: RefreshReason,
    unwanted: string | undefined,
    onWait?: () => void,
  ): Promise<Renewed> {
    let looks = 0
    for (let poll = 0; poll * POLL_MS < LEASE_WAIT_MS; poll++) {
      ended.throwIfAborted()
      const account = await current(wanted)
      if (isUsableInstead(account, unwanted, clock.now())) return { account, rotated: false }
      const stored = await storeHeld(account)
      if (stored !== undefined) return stored
      const refusal = refusalOf(account)
      if (refusal !== undefined) {
        if (
          looks++ < MAX_LOOKS &&
          (await adopter.other(account, fingerprintOf(account.refreshToken ?? '')))
        )
          continue
        throw refusal
      }
      const pause = reason === 'forced' ? undefined : memory.pauseOf(account.uid)
      if (pause !== undefined) throw pause
      if (poll % POLLS_PER_LEASE_TRY === 0) {
        const found = await underLease(account, reason, unwanted)
        if (found === undefined) onWait?.()
        else if (found.kind === 'renewed') return found.renewed
        else if (looks++ < MAX_LOOKS) {
          poll -= 1
          continue
        }
      }
      await clock.sleep(POLL_MS, ended)
    }
    throw new CodexError(
      'refresh_failed',
      `${label(wanted)}: another process is renewing the token and does not finish.`,
      {
        hint: 'Close OpenCode windows that hang, then send the prompt once more',
      },
    )
  }

  /** Undefined when somebody else holds the lease. */
  async function underLease(
    account: Account,
    reason: RefreshReason,
    unwanted: string | undefined,
  ): Promise<Exclude<Spending, { kind: 'refused' }> | undefined> {
    const fingerprint = fingerprintOf(account.refreshToken ?? '')
    const lease = await tryLease(deps.dir, fingerprint)
    if (lease === undefined) return undefined
    try {
      const fresh = await current(account)
      if (isUsableInstead(fresh, unwanted, clock.now()))
        return { kind: 'renewed', renewed: { account: fresh, rotated: false } }
      if (fresh.needsLogin !== undefined || fingerprintOf(fresh.refreshToken ?? '') !== fingerprint)
        return { kind: 'again' }
      const better = await adopter.newer(fresh, fingerprint, unwanted)
      if (better.kind === 'taken') return { kind: 'again' }
      if (better.kind === 'spend') return await spendCopy(fresh, better.copy, reason, unwanted)
      const spent = await tracked(
        spender.spend({ account: fresh, fingerprint, reason, unwanted, lease }),
      )
      if (spent.kind !== 'refused') return spent
      await handleRefusal(fresh, fingerprint, spent)
      return { kind: 'again' }
    } finally {
      // What became of the tokens is not to be hidden by a lock that the disk does not let go.
      await lease.release().catch(() => undefined)
    }
  }

  /** A newer token of the login from another file is spent for this record; when it is dead, ours has its turn. */
  async function spendCopy(
    account: Account,
    { tokens, fingerprint, facts }: LoginCopy,
    reason: RefreshReason,
    unwanted: string | undefined,
  ): ReturnType<typeof underLease> {
    const lease = await tryLease(deps.dir, fingerprint)
    if (lease === undefined) return undefined
    try {
      const copy: Account = {
        ...account,
        ...tokens,
        ...(facts.rotatedAt === undefined ? {} : { tokenRotatedAt: facts.rotatedAt }),
      }
      const spent = await tracked(
        spender.spend({ account: copy, fingerprint, reason, unwanted, lease }),
      )
      if (spent.kind !== 'refused') return spent
      memory.bury(
        fingerprint,
        new CodexError(
          'login_required',
          `${label(account)}: ${loginNeededText(spent.code, spent.loss)}`,
        ),
      )
      await committer.conclude(fingerprint, spent.startedAt, spent.file, undefined)
      return { kind: 'again' }
    } finally {
      await lease.release().catch(() => undefined)
    }
  }

  async function tracked(spend: Promise<Spending>): Promise<Spending> {
    spending.add(spend)
    return spend.finally(() => spending.delete(spend))
  }

  /** The server says the token is dead. Somebody outside our lease may have used it and be about to store the next one. */
  async function handleRefusal(
    account: Account,
    fingerprint: string,
    { code, loss, file, startedAt }: Spending & { kind: 'refused' },
  ): Promise<void> {
    const conclude = (): Promise<void> =>
      committer.conclude(fingerprint, startedAt, file, undefined)
    for (let waitedMs = 0; waitedMs <= REUSED_GRACE_MS; waitedMs += GRACE_POLL_MS) {
      const fresh = await current(account)
      if (fingerprintOf(fresh.refreshToken ?? '') !== fingerprint) return conclude()
      await clock.sleep(GRACE_POLL_MS)
    }
    const reason = loginNeededText(code, loss)
    const error = new CodexError('login_required', `${label(account)}: ${reason}`, {
      hint: 'Sign in to this account again: opencode auth login',
    })
    memory.bury(fingerprint, error)
    if (await adopter.other(account, fingerprint)) return conclude()
    await markEverywhere((pool) => withLoginNeeded(pool, fingerprint, reason, clock.now()))
    await conclude()
    log.log('error', `${label(account)} needs a new login.`, { reason: code })
    throw error
  }

  async function markEverywhere(mark: (pool: AccountPool) => AccountPool): Promise<void> {
    await store.update(mark).catch((failure: unknown) => {
      log.log('error', 'An account that needs a new login could not be marked.', {
        reason: messageOf(failure),
      })
    })
    await copies.change(mark)
  }

  return {
    renew,
    newest: (account) => committer.overlay(account),
    heldFor: (account) => committer.heldFor(account),
    held: () => committer.held().map((tokens) => ({ tokens, account: lastSeen.get(tokens.uid) })),
    isPaused: (uid) => memory.pauseOf(uid) !== undefined,
    unsaved: () => recovery.unsaved(),
    recover: () => recovery.recover(),
    settle: async () => {
      const waiting = new AbortController()
      const patience = clock.sleep(SETTLE_WAIT_MS, waiting.signal).catch(() => undefined)
      if (spending.size > 0) await Promise.race([Promise.allSettled(spending), patience])
      waiting.abort()
      await committer.close()
    },
  }
}
