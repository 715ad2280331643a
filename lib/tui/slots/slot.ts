import type { PartDeps } from '../part.js'

/** What the host gives to a slot. */
export interface SlotContext {
  readonly theme: { readonly current: unknown }
}

/** What a part of the screen stands on. */
export interface SlotDeps extends PartDeps {
  /** Shows the accounts and what can be done with them. */
  readonly openAccounts: () => void
}
