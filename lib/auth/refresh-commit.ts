import type { Clock } from '../kernel/clock.js'
import { isCodexError, messageOf, systemCode } from '../kernel/errors.js'
import type { Logger } from '../kernel/logger.js'
import type { Account } from '../accounts/account.js'
import type { AccountStore } from '../accounts/store-types.js'
import {
  factsAfter,
  factsOf,
  isNewer,
  placeOfSuccessor,
  type Spent,
  withSuccessor,
} from './login-copies.js'
import type { LoginCopies } from './refresh-copies.js'
import type { JournalEntry, ReceivedEntry } from './refresh-entry.js'
import type { OpenEntry, RefreshJournal } from './refresh-journal.js'
import type { RefreshMemory } from './refresh-memory.js'
import { fingerprintOf, rotatedAccount } from './refresh-rules.js'

/** A busy account file is asked for again this often, with these pauses between. */
const COMMIT_ATTEMPTS = 4
const COMMIT_PAUSE_MS = 100
/** Tokens that could not be stored are offered to the disk again this often. */
export const HELD_RETRY_MS = 2_000
/** Other files that hold a copy of the login are waited for no longer than this; they are finished behind the caller. */
const COPIES_WAIT_MS = 1_000
/** How often and with what pause the disk is asked a last time before the process ends. */
const LAST_TRIES = 10
const LAST_PAUSE_MS = 500

/** Where new tokens are. `journal` and `memory`: not in the account file yet; it is offered to them again and again. */
export type TokenPlace = 'file' | 'journal' | 'memory'

/** What became of new tokens: `gone` when no record wants them any more; the journal keeps them then. */
export type Committed = TokenPlace | 'gone'

/** New tokens that are not in the account file. */
export interface HeldTokens {
  readonly fingerprint: string
  readonly uid: string
  readonly place: Exclude<TokenPlace, 'file'>
  /** Why the disk did not take them. */
  readonly why: string
  /** Epoch ms. */
  readonly sinceMs: number
}

/** Brings rotated tokens into the account file and all its copies, and keeps them safe until they are there. */
export interface TokenCommitter {
  /** @param file the journal file, open since before the token was spent; absent for an entry found in the journal */
  commit(fingerprint: string, entry: ReceivedEntry, file?: OpenEntry): Promise<Committed>
  /** Ends an entry that brought nothing: with what follows the intent, or without a trace. Tried again until it is on the disk. */
  conclude(
    fingerprint: string,
    startedAt: number,
    file: OpenEntry,
    entry: JournalEntry | undefined,
  ): Promise<void>
  /** True for an intent of this instance that is over although the disk still shows it. */
  isConcluded(fingerprint: string, startedAt: number): boolean
  /** The record with the tokens held for it, if any. No I/O. */
  overlay(account: Account): Account
  /** The tokens held for this refresh token. No I/O. */
  heldFor(account: Account): HeldTokens | undefined
  held(): readonly HeldTokens[]
  /** Offers everything held to the disk once more. */
  flush(): Promise<void>
  /** Finishes the copies and tries for some seconds to store what is in memory alone. */
  close(): Promise<void>
}

export interface CommitterDeps {
  readonly store: AccountStore
  readonly copies: LoginCopies
  readonly memory: RefreshMemory
  readonly clock: Clock
  readonly log: Logger
  readonly journal: RefreshJournal
  /** Hears when tokens are held, again with every try that failed, and when they are stored. */
  readonly onHeld: (held: HeldTokens) => void
  readonly onStored: (held: HeldTokens) => void
  /** Ends the background retries. */
  readonly ended: AbortSignal
}

interface Holding {
  readonly entry: ReceivedEntry
  readonly file: OpenEntry | undefined
  place: HeldTokens['place']
  why: string
  readonly sinceMs: number
}

/** Creates a committer that holds nothing yet. */
export function createCommitter(deps: CommitterDeps): TokenCommitter {
  const { store, copies, memory, clock, log, journal, ended } = deps
  const holdings = new Map<string, Holding>()
  /** Intents that are over, by fingerprint; what the disk should be told of them. */
  const concluded = new Map<
    string,
    { startedAt: number; file: OpenEntry; entry: JournalEntry | undefined }
  >()
  const behind = new Set<Promise<void>>()
  let retrying = false

  const shown = (fingerprint: string, { entry, place, why, sinceMs }: Holding): HeldTokens => ({
    fingerprint,
    uid: entry.uid,
    place,
    why,
    sinceMs,
  })
  const isRefused = (fingerprint: string): boolean => memory.refusalOf(fingerprint) !== undefined

  /** What the account file says about tokens after they were offered to it. */
  async function write(
    spent: Spent,
    entry: ReceivedEntry,
  ): Promise<ReturnType<typeof placeOfSuccessor>> {
    for (let attempt = 1; ; attempt++) {
      try {
        const pool = await store.update((before) =>
          withSuccessor(before, spent, entry.tokens, clock.now(), isRefused),
        )
        return placeOfSuccessor(pool, spent, entry.tokens, entry.startedAt)
      } catch (error) {
        const busy = isCodexError(error) && error.code === 'store_busy'
        if (!busy || attempt === COMMIT_ATTEMPTS) throw error
        await clock.sleep(COMMIT_PAUSE_MS * attempt)
      }
    }
  }

  /** Everybody who has the spent token or an older one gets the new one, or would spend a dead token; then the journal may forget. */
  async function finishCopies(
    spent: Spent,
    entry: ReceivedEntry,
    place: 'held' | 'superseded',
  ): Promise<void> {
    const work = (async (): Promise<void> => {
      if (place === 'held')
        await copies.change((pool) =>
          withSuccessor(pool, spent, entry.tokens, clock.now(), isRefused),
        )
      await journal.clear(spent.fingerprint).catch(() => undefined)
    })()
    behind.add(work)
    void work.finally(() => behind.delete(work))
    const over = new AbortController()
    await Promise.race([work, clock.sleep(COPIES_WAIT_MS, over.signal).catch(() => undefined)])
    over.abort()
  }

  /** True when the journal has the tokens on some disk. */
  async function keepInJournal(
    entry: ReceivedEntry,
    file: OpenEntry | undefined,
  ): Promise<boolean> {
    if (file === undefined) return true
    try {
      await file.follow(entry)
      return true
    } catch (error) {
      log.log('error', 'New tokens could not be written to the refresh journal.', {
        reason: reasonOf(error),
      })
      return false
    }
  }

  async function commit(
    fingerprint: string,
    entry: ReceivedEntry,
    file?: OpenEntry,
  ): Promise<Committed> {
    const spent = { fingerprint, login: entry.login }
    let isKept = await keepInJournal(entry, file)
    let why: string
    try {
      const place = await write(spent, entry)
      if (place === 'missing' && !isKept)
        isKept = await journal.writeAnywhere(fingerprint, entry).then(
          () => true,
          () => false,
        )
      if (place !== 'missing' || isKept) {
        await file?.close()
        holdings.delete(fingerprint)
        if (place === 'missing') return 'gone'
        await finishCopies(spent, entry, place)
        return 'file'
      }
      why = 'no account of this file has this login any more'
    } catch (error) {
      why = reasonOf(error)
    }
    isKept ||= await journal.writeAnywhere(fingerprint, entry).then(
      () => true,
      () => false,
    )
    hold(fingerprint, entry, file, isKept ? 'journal' : 'memory', why)
    return isKept ? 'journal' : 'memory'
  }

  function hold(
    fingerprint: string,
    entry: ReceivedEntry,
    file: OpenEntry | undefined,
    place: HeldTokens['place'],
    why: string,
  ): void {
    const before = holdings.get(fingerprint)
    const holding: Holding = {
      entry,
      file: file ?? before?.file,
      place,
      why,
      sinceMs: before?.sinceMs ?? clock.now(),
    }
    holdings.set(fingerprint, holding)
    // Once per trouble, not once per try.
    if (before?.place !== place || before.why !== why)
      log.log(
        'error',
        place === 'memory'
          ? 'New tokens could be stored nowhere yet; they are kept in memory and retried.'
          : 'New tokens are in the refresh journal and not yet in the account file; retried.',
        { reason: why },
      )
    deps.onHeld(shown(fingerprint, holding))
    void retry()
  }

  async function flush(): Promise<void> {
    for (const [fingerprint, holding] of holdings) {
      const place = await commit(
        fingerprint,
        holding.entry,
        holding.place === 'memory' ? (holding.file ?? NO_FILE) : undefined,
      )
      if (place === 'file' || place === 'gone') {
        await holding.file?.close()
        deps.onStored(shown(fingerprint, holding))
      }
    }
    for (const [fingerprint, { file, entry, startedAt }] of concluded)
      await conclude(fingerprint, startedAt, file, entry)
  }

  async function retry(): Promise<void> {
    if (retrying) return
    retrying = true
    while (holdings.size + concluded.size > 0) {
      const interrupted = await clock.sleep(HELD_RETRY_MS, ended).then(
        () => false,
        () => true,
      )
      if (interrupted) break
      await flush()
    }
    retrying = false
  }

  async function conclude(
    fingerprint: string,
    startedAt: number,
    file: OpenEntry,
    entry: JournalEntry | undefined,
  ): Promise<void> {
    try {
      const found = await journal.read(fingerprint)
      // Whoever took the lease over meanwhile has an intent of its own there by now, and that is not ours to end.
      const isOurs =
        found?.state === 'started' && found.pid === process.pid && found.startedAt === startedAt
      if (isOurs && entry !== undefined) await file.follow(entry)
      await file.close()
      if (isOurs && entry === undefined) await journal.clear(fingerprint)
      concluded.delete(fingerprint)
    } catch {
      concluded.set(fingerprint, { startedAt, file, entry })
      void retry()
    }
  }

  return {
    commit,
    conclude,
    isConcluded: (fingerprint, startedAt) => concluded.get(fingerprint)?.startedAt === startedAt,
    overlay: (account) => {
      if (holdings.size === 0 || account.refreshToken === undefined) return account
      const kept =
        holdings.get(fingerprintOf(account.refreshToken)) ??
        [...holdings.values()].find(({ entry }) => isHeldFor(entry, account))
      return kept === undefined ? account : rotatedAccount(account, kept.entry.tokens, kept.sinceMs)
    },
    heldFor: (account) => {
      for (const [fingerprint, holding] of holdings) {
        if (
          holding.entry.uid === account.uid ||
          holding.entry.tokens.refreshToken === account.refreshToken
        )
          return shown(fingerprint, holding)
      }
      return undefined
    },
    held: () => [...holdings].map(([fingerprint, holding]) => shown(fingerprint, holding)),
    flush,
    close: async () => {
      // Timers of the clock keep no process alive; tokens that no disk has yet must.
      const alive = setInterval(() => undefined, LAST_PAUSE_MS)
      try {
        await flush()
        for (
          let tries = 1;
          tries < LAST_TRIES && [...holdings.values()].some(({ place }) => place === 'memory');
          tries += 1
        ) {
          await clock.sleep(LAST_PAUSE_MS)
          await flush()
        }
        await Promise.all(behind)
      } finally {
        clearInterval(alive)
        for (const { file, place, entry } of holdings.values()) {
          await file?.close()
          if (place === 'memory')
            log.log(
              'error',
              'New tokens could not be stored before the end of the process and are lost.',
              { account: entry.uid },
            )
        }
        for (const { file } of concluded.values()) await file.close()
      }
    },
  }
}

/** True when a copy of this record's login was spent in its place. */
function isHeldFor({ uid, login, tokens, startedAt }: ReceivedEntry, account: Account): boolean {
  return (
    uid === account.uid &&
    login !== undefined &&
    tokens.refreshToken !== account.refreshToken &&
    isNewer(factsAfter(login, tokens, startedAt), factsOf(account))
  )
}

/** For tokens in memory whose journal file is not open: another one has to be made. */
const NO_FILE: OpenEntry = {
  follow: () => Promise.reject(new Error('the journal file is not open')),
  close: async () => undefined,
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return systemCode(cause) ?? systemCode(error) ?? messageOf(error)
}
