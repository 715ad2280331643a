import { loadPart } from '../kernel/load-part.js'
import type { pacesNow } from './slots/paces-now.js'
import type { PoolView } from './pool-view.js'
import type { HostUi } from './host-ui.js'

/** The process and folder that the TUI runs in. */
export interface Where {
  readonly env: NodeJS.ProcessEnv
  readonly directory: string
  readonly hostVersion?: string | undefined
}

/** What a dialog is opened with. */
export interface Opening {
  readonly ui: HostUi
  readonly where: Where
  /** The pool as the files say it now; a signal. */
  readonly view: () => PoolView | undefined
  readonly now: () => number
}

/** What the chunk beside this bundle offers: dialogs, tools, schemas, stores and network, loaded when somebody asks for them. */
export interface DialogChunk {
  /** Opens the list of accounts. */
  openAccountsDialog(opening: Opening): void
  /**
   * Runs a command in this process, without the model, and shows its result. Resolves when it runs.
   * @param name without `codex-`
   * @param line what was typed behind it
   */
  openCommandDialog(opening: Opening, name: string, line: string): Promise<void>
  readonly pacesNow: typeof pacesNow
}

/**
 * Loads the chunk. Its path is no literal, or the bundler would put it into the bundle.
 * @throws Error with a sentence for the user
 */
export async function loadDialogChunk(
  chunk = new URL('dialog.js', import.meta.url).href,
): Promise<DialogChunk> {
  return loadPart(import(chunk) as Promise<DialogChunk>)
}
