import type { AccountAction } from '../account-view/actions.js'
import type { Detail } from '../account-view/details.js'
import type { AccountView } from '../account-view/view.js'
import type { pacesNow } from './slots/paces-now.js'

/** The process and folder that the TUI runs in. */
export interface Where {
  readonly env: NodeJS.ProcessEnv
  readonly directory: string
}

/** What the chunk beside this bundle offers: schemas, stores and network, loaded when somebody uses the dialog. */
export interface DialogChunk {
  /**
   * Asks the backend what is left of an account and writes the reading into the shared file that the view follows.
   * @param uid name of the account, which stays when the list changes
   * @throws Error with a sentence for the user
   */
  readonly readLimitsNow: (uid: string, where: Where) => Promise<void>
  /** Changes the pool on disk. @returns what to tell the user @throws CodexError; nothing is changed then */
  readonly performNow: (action: AccountAction, where: Where) => Promise<string>
  /** Everything that is known of an account, with its last use and pace from the history file. */
  readonly detailsNow: (
    account: AccountView,
    historyFile: string,
    nowMs: number,
  ) => Promise<readonly Detail[]>
  readonly pacesNow: typeof pacesNow
}

/**
 * Loads the chunk. Its path is no literal, or the bundler would put it into the bundle.
 * @throws Error with a sentence for the user
 */
export async function loadDialogChunk(
  chunk = new URL('dialog.js', import.meta.url).href,
): Promise<DialogChunk> {
  return (import(chunk) as Promise<DialogChunk>).catch((cause: unknown) => {
    // An update takes away the files of the copy that runs.
    throw new Error('The plugin was updated or removed while OpenCode ran. Start OpenCode again.', {
      cause,
    })
  })
}
