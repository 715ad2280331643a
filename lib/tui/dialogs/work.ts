import type { AccountAction } from '../../account-view/actions.js'
import type { Detail } from '../../account-view/details.js'
import type { AccountView } from '../../account-view/view.js'
import type { PoolView } from '../pool-view.js'
import type { HostUi } from '../host-ui.js'

/** The arguments of a command, by name. */
export type Arguments = Readonly<Record<string, unknown>>

/** A call of a command. */
export interface Call {
  readonly name: string
  readonly args: Arguments
  readonly json: boolean
  /** Addresses and ids in full, on the user's own screen. */
  readonly includeSensitive: boolean
}

/** What a command came to. */
export interface Outcome {
  /** The result as text that fits, with its marks (kernel/text/tones). */
  readonly tonedAt: (columns: number) => string
  readonly data: unknown
}

/** What a call is known by before it runs. */
interface CommandFacts {
  readonly summary: string
  /** Arguments it cannot do without. */
  readonly required: readonly string[]
  /** It takes `confirm`, and only says what would happen without. */
  readonly confirms: boolean
  /** What it would do with these arguments changes nothing, so it may be done again. */
  isLook(args: Arguments): boolean
}

/** A removed account, and the copy it is in. */
export interface Removal {
  readonly uid: string
  readonly name: string
  readonly backup: string
}

/**
 * What the dialogs can do: in this process, without the model.
 * Every function throws Errors whose text is for the user.
 */
export interface Work {
  facts(name: string): CommandFacts
  /** @returns the call, or the help text that was asked for @throws for wrong arguments, with the usage */
  parse(name: string, line: string): Call | { readonly help: string }
  run(call: Call, signal: AbortSignal, progress: (line: string) => void): Promise<Outcome>
  act(action: AccountAction): Promise<string>
  undo(removal: Removal): Promise<string>
  readLimits(uid: string): Promise<void>
  details(account: AccountView): Promise<readonly Detail[]>
  /** What is written to an account now. */
  noted(uid: string, what: 'label' | 'note' | 'tag'): Promise<string>
}

/** What every dialog stands on. */
export interface DialogDeps {
  readonly ui: HostUi
  readonly work: Work
  /** The accounts as the files say them now; a signal. */
  readonly view: () => PoolView | undefined
  readonly now: () => number
}
