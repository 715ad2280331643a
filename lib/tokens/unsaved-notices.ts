import type { Account } from '../accounts/account.js'
import type { AccountStore } from '../accounts/store/store.js'
import type { Clock } from '../kernel/clock.js'
import type { Toast } from '../kernel/host-port.js'
import type { Logger } from '../kernel/logger.js'
import type { UnsavedTokens } from './commit.js'
import { unsavedText } from './texts.js'

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
