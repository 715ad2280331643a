import type { Account } from '../accounts/account.js'
import type { AccountStore } from '../accounts/store/store.js'
import type { Clock } from '../kernel/clock.js'
import { isCodexError } from '../kernel/errors.js'
import type { Logger } from '../kernel/logger.js'
import type { LoginCopies } from './copies.js'
import type { JournalEntry, ReceivedEntry } from './journal/entry.js'
import type { OpenEntry, RefreshJournal } from './journal/journal.js'
import {
  factsAfter,
  factsOf,
  isNewer,
  placeOfSuccessor,
  type Spent,
  withSuccessor,
} from './login-facts.js'
import type { RefreshMemory } from './memory.js'
import { reasonOf } from './texts.js'
import { fingerprintOf, rotatedAccount } from './token-rules.js'
import type { UnsavedTokens } from './unsaved-notices.js'

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

/** Those that this process holds, by the fingerprint of the token that was spent for them. */
type HeldTokens = UnsavedTokens & { readonly fingerprint: string }

/** Where new tokens are: `gone` when no record wants them any more; the journal keeps them then. */
type Committed = 'file' | UnsavedTokens['place'] | 'gone'

export interface CommitterDeps {
  readonly store: AccountStore
  readonly copies: Pick<LoginCopies, 'of' | 'change'>
  readonly memory: RefreshMemory
  readonly clock: Clock
  readonly log: Logger
  readonly journal: Pick<RefreshJournal, keyof RefreshJournal>
  /** Hears of tokens that are in danger, again with every try that failed, and of their end. */
  readonly onUnsaved: (tokens: UnsavedTokens) => void
  readonly onSaved: (uid: string) => void
  /** Ends waiting and background work. */
  readonly ended: AbortSignal
}

interface Holding {
  readonly entry: ReceivedEntry
  readonly file: OpenEntry | undefined
  readonly place: UnsavedTokens['place']
  readonly why: string
  readonly sinceMs: number
}

/** An intent that is over, and what the disk should be told of it. */
interface Concluded {
  readonly startedAt: number
  readonly file: OpenEntry
  readonly entry: JournalEntry | undefined
}

/** Brings rotated tokens into the account file and all its copies, and keeps them safe until they are there. */
export class TokenCommitter {
  readonly #deps: CommitterDeps
  readonly #holdings = new Map<string, Holding>()
  readonly #concluded = new Map<string, Concluded>()
  /** Copies that are finished behind their callers. */
  readonly #behind = new Set<Promise<void>>()
  #isRetrying = false

  constructor(deps: CommitterDeps) {
    this.#deps = deps
  }

  /** @param file the journal file, open since before the token was spent; absent for an entry found in the journal */
  async commit(fingerprint: string, entry: ReceivedEntry, file?: OpenEntry): Promise<Committed> {
    const spent = { fingerprint, login: entry.login }
    let isKept = await this.#keepInJournal(entry, file)
    let why = 'no account in this file has this login anymore'
    try {
      const place = await this.#write(spent, entry)
      if (place === 'missing') isKept ||= await this.#writeAnywhere(fingerprint, entry)
      if (place !== 'missing' || isKept) {
        await file?.close()
        this.#holdings.delete(fingerprint)
        if (place === 'missing') return 'gone'
        await this.#finishCopies(spent, entry, place)
        return 'file'
      }
    } catch (error) {
      why = reasonOf(error)
    }
    isKept ||= await this.#writeAnywhere(fingerprint, entry)
    const place = isKept ? 'journal' : 'memory'
    this.#hold(fingerprint, { entry, file, place, why, sinceMs: this.#deps.clock.now() })
    return place
  }

  /** Ends an entry that brought nothing: with what follows the intent, or without a trace. Tried again until it is on the disk. */
  async conclude(fingerprint: string, concluded: Concluded): Promise<void> {
    const { journal } = this.#deps
    const { startedAt, file, entry } = concluded
    try {
      const found = await journal.read(fingerprint)
      // A process that took the lease over meanwhile has its own intent there by now, and that is not ours to end.
      const isOurs =
        found?.state === 'started' && found.pid === process.pid && found.startedAt === startedAt
      if (isOurs && entry !== undefined) await file.follow(entry)
      await file.close()
      if (isOurs && entry === undefined) await journal.clear(fingerprint)
      this.#concluded.delete(fingerprint)
    } catch {
      this.#concluded.set(fingerprint, concluded)
      void this.#retry()
    }
  }

  /** True for an intent of this instance that is over although the disk still shows it. */
  isConcluded(fingerprint: string, startedAt: number): boolean {
    return this.#concluded.get(fingerprint)?.startedAt === startedAt
  }

  /** The record with the tokens held for it, if any. No I/O. */
  overlay(account: Account): Account {
    if (this.#holdings.size === 0 || account.refreshToken === undefined) return account
    const kept =
      this.#holdings.get(fingerprintOf(account.refreshToken)) ??
      [...this.#holdings.values()].find(({ entry }) => isHeldFor(entry, account))
    return kept === undefined ? account : rotatedAccount(account, kept.entry.tokens, kept.sinceMs)
  }

  /** The tokens held for this record. No I/O. */
  heldFor({ uid, refreshToken }: Account): HeldTokens | undefined {
    const found = [...this.#holdings].find(
      ([, { entry }]) => entry.uid === uid || entry.tokens.refreshToken === refreshToken,
    )
    return found === undefined ? undefined : shown(...found)
  }

  held(): readonly HeldTokens[] {
    return [...this.#holdings].map((one) => shown(...one))
  }

  /** Offers everything held to the disk once more. */
  async flush(): Promise<void> {
    for (const [fingerprint, holding] of this.#holdings) {
      const file = holding.place === 'memory' ? (holding.file ?? NO_FILE) : undefined
      const place = await this.commit(fingerprint, holding.entry, file)
      if (place === 'file' || place === 'gone') {
        await holding.file?.close()
        this.#deps.onSaved(holding.entry.uid)
      }
    }
    for (const [fingerprint, concluded] of this.#concluded)
      await this.conclude(fingerprint, concluded)
  }

  /** Finishes the copies and tries for some seconds to store what is in memory alone. */
  async close(): Promise<void> {
    const { clock, log } = this.#deps
    const isInDanger = (): boolean =>
      [...this.#holdings.values()].some(({ place }) => place === 'memory')
    // Timers of the clock keep no process alive; tokens that no disk has yet must.
    const alive = setInterval(() => undefined, LAST_PAUSE_MS)
    try {
      await this.flush()
      for (let tries = 1; tries < LAST_TRIES && isInDanger(); tries += 1) {
        await clock.sleep(LAST_PAUSE_MS)
        await this.flush()
      }
      await Promise.all(this.#behind)
    } finally {
      clearInterval(alive)
      for (const { file, place, entry } of this.#holdings.values()) {
        await file?.close()
        if (place === 'memory')
          log.log(
            'error',
            'New tokens could not be stored before the end of the process and are lost.',
            { account: entry.uid },
          )
      }
      for (const { file } of this.#concluded.values()) await file.close()
    }
  }

  /** What the account file says about tokens after they were offered to it. */
  async #write(spent: Spent, entry: ReceivedEntry): Promise<ReturnType<typeof placeOfSuccessor>> {
    for (let attempt = 1; ; attempt++) {
      try {
        const pool = await this.#deps.store.update(this.#withSuccessor(spent, entry))
        return placeOfSuccessor(pool, spent, entry.tokens, entry.startedAt)
      } catch (error) {
        const isBusy = isCodexError(error) && error.code === 'store_busy'
        if (!isBusy || attempt === COMMIT_ATTEMPTS) throw error
        await this.#deps.clock.sleep(COMMIT_PAUSE_MS * attempt)
      }
    }
  }

  #withSuccessor(spent: Spent, { tokens }: ReceivedEntry): Parameters<AccountStore['update']>[0] {
    const { memory, clock } = this.#deps
    const isRefused = (one: string): boolean => memory.refusalOf(one) !== undefined
    return (pool) => withSuccessor(pool, spent, tokens, clock.now(), isRefused)
  }

  /** Every record with the spent token or an older one gets the new one, or it would spend a dead token; then the journal may forget. */
  async #finishCopies(
    spent: Spent,
    entry: ReceivedEntry,
    place: 'held' | 'superseded',
  ): Promise<void> {
    const { copies, journal, clock } = this.#deps
    const work = (async (): Promise<void> => {
      if (place === 'held') await copies.change(this.#withSuccessor(spent, entry))
      await journal.clear(spent.fingerprint).catch(() => undefined)
    })()
    this.#behind.add(work)
    void work.finally(() => this.#behind.delete(work))
    const over = new AbortController()
    await Promise.race([work, clock.sleep(COPIES_WAIT_MS, over.signal).catch(() => undefined)])
    over.abort()
  }

  /** True when the journal has the tokens on some disk. */
  async #keepInJournal(entry: ReceivedEntry, file: OpenEntry | undefined): Promise<boolean> {
    if (file === undefined) return true
    try {
      await file.follow(entry)
      return true
    } catch (error) {
      this.#deps.log.log('error', 'New tokens could not be written to the refresh journal.', {
        reason: reasonOf(error),
      })
      return false
    }
  }

  #writeAnywhere(fingerprint: string, entry: ReceivedEntry): Promise<boolean> {
    return this.#deps.journal.writeAnywhere(fingerprint, entry).then(
      () => true,
      () => false,
    )
  }

  #hold(fingerprint: string, next: Holding): void {
    const before = this.#holdings.get(fingerprint)
    const { place, why } = next
    const holding: Holding = {
      ...next,
      file: next.file ?? before?.file,
      sinceMs: before?.sinceMs ?? next.sinceMs,
    }
    this.#holdings.set(fingerprint, holding)
    // Once per trouble, not once per try.
    if (before?.place !== place || before.why !== why)
      this.#deps.log.log(
        'error',
        place === 'memory'
          ? 'New tokens could be stored nowhere yet; they are kept in memory and retried.'
          : 'New tokens are in the refresh journal and not yet in the account file; retried.',
        { reason: why },
      )
    this.#deps.onUnsaved(shown(fingerprint, holding))
    void this.#retry()
  }

  async #retry(): Promise<void> {
    if (this.#isRetrying) return
    this.#isRetrying = true
    while (this.#holdings.size + this.#concluded.size > 0) {
      const isInterrupted = await this.#deps.clock.sleep(HELD_RETRY_MS, this.#deps.ended).then(
        () => false,
        () => true,
      )
      if (isInterrupted) break
      await this.flush()
    }
    this.#isRetrying = false
  }
}

function shown(fingerprint: string, { entry, place, why, sinceMs }: Holding): HeldTokens {
  return { fingerprint, uid: entry.uid, place, why, sinceMs }
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
