import type { Account } from '../accounts/account.js'
import type { AccountStore } from '../accounts/store/store.js'
import type { Clock } from '../kernel/clock.js'
import { CodexError } from '../kernel/errors.js'
import type { Toast } from '../kernel/host-port.js'
import type { Logger } from '../kernel/logger.js'

/** New tokens that are not in the account file; it is offered to them again and again. */
export interface UnsavedTokens {
  readonly uid: string
  readonly place: 'journal' | 'memory'
  /** Why the disk did not take them. */
  readonly why: string
  /** Epoch ms. */
  readonly sinceMs: number
  /** Another process of this machine that holds them; undefined for this one. */
  readonly pid?: number
}

/** Tokens in danger are spoken of again after this time. */
const TROUBLE_AGAIN_MS = 60_000

export interface NoticeDeps {
  readonly store: AccountStore
  readonly clock: Clock
  readonly log: Logger
  /** What the user calls an account. */
  readonly label: (account: Account) => string
  /** Shows a message where there is a screen. */
  readonly toast?: (toast: Toast) => void
}

/** Tells the user of new tokens that no disk has, and of the end of that danger. */
export class UnsavedNotices {
  readonly #deps: NoticeDeps
  readonly #lastSeen: ReadonlyMap<string, Account>
  /** When tokens in danger were last spoken of, by uid. */
  readonly #toldAt = new Map<string, number>()

  constructor(deps: NoticeDeps, lastSeen: ReadonlyMap<string, Account>) {
    this.#deps = deps
    this.#lastSeen = lastSeen
  }

  tell(tokens: UnsavedTokens): void {
    const { clock, log, toast } = this.#deps
    const now = clock.now()
    const last = this.#toldAt.get(tokens.uid)
    const isTold = last !== undefined && Math.abs(now - last) < TROUBLE_AGAIN_MS
    if (tokens.place === 'journal' || isTold) return
    this.#toldAt.set(tokens.uid, now)
    const text = this.textOf(tokens, this.#lastSeen.get(tokens.uid))
    log.log('error', text)
    const title = 'Codex login in danger'
    toast?.({ title, message: text, variant: 'error', durationMs: 15_000 })
  }

  tellSaved(uid: string): void {
    if (!this.#toldAt.delete(uid)) return
    const message = `${this.nameOf(uid)}: the new tokens are saved now.`
    this.#deps.log.log('info', message)
    this.#deps.toast?.({ title: 'Codex accounts', message, variant: 'success' })
  }

  textOf(tokens: UnsavedTokens, account: Account | undefined): string {
    return unsavedText(this.#name(account), this.#deps.store.path, tokens)
  }

  nameOf(uid: string): string {
    return this.#name(this.#lastSeen.get(uid))
  }

  #name(account: Account | undefined): string {
    return account === undefined ? 'An account' : this.#deps.label(account)
  }
}

/** Who, what, and what to do, in whole sentences. Pure. */
export function unsavedText(
  label: string,
  file: string,
  { place, why, pid }: UnsavedTokens,
): string {
  if (pid !== undefined) {
    return `${label}: process ${pid} holds new tokens that are not saved yet. Free space on the disk or make it writable before you end that process, or the login is lost.`
  }
  if (place === 'journal')
    return `${label}: the new tokens are safe in the refresh journal, but ${file} could not be written (${why}). Writing is retried automatically.`
  return `${label}: the new tokens could not be written to any disk (${why}). They are kept in memory, and writing is retried every 2 s. Free space or make the disk writable before you end this program, or the login is lost.`
}

/** The error while new tokens are in danger. Pure. */
export function unsavedError(label: string, file: string, tokens: UnsavedTokens): CodexError {
  return new CodexError('store_not_written', unsavedText(label, file, tokens), {
    hint: 'Check free space and permissions: {doctor}',
  })
}
