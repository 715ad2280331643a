import { createComponent } from '@opentui/solid'

import { openAccountsDialog } from '../accounts-dialog.js'
import { loadDialogChunk } from '../dialog-chunk.js'
import type { PartDeps } from '../part.js'
import { createPromptLine } from './prompt-line.js'
import { createSidebar } from './sidebar.js'
import type { SlotContext } from './slot.js'

/** Behind the host's own blocks, which have 100 to 500 (docs/development/facts/opencode-host.md#tui-plugins). */
const SLOT_ORDER = 900

/** Quota beside the prompt and in the sidebar. */
export function registerSlots(deps: PartDeps): void {
  const { api, paths, view } = deps
  const openAccounts = (): void => {
    // Who drags over the text wants to copy it.
    if (hasSelection(api.renderer)) return
    openAccountsDialog({
      api,
      createComponent,
      view,
      where: { env: process.env, directory: process.cwd() },
      chunk: loadDialogChunk,
      historyFile: paths.historyFile,
      now: () => Date.now(),
    })
  }
  const promptLine = createPromptLine({ ...deps, openAccounts })
  const sidebar = createSidebar({ ...deps, openAccounts })
  api.slots.register({
    order: SLOT_ORDER,
    slots: {
      home_prompt_right: (context: SlotContext) => promptLine(context) as never,
      session_prompt_right: (context: SlotContext, props: { session_id: string }) =>
        promptLine(context, () => props.session_id) as never,
      sidebar_content: (context: SlotContext, props: { session_id: string }) =>
        sidebar(context, () => props.session_id) as never,
    },
  })
}

/** The types of the host's renderer are not installed. */
function hasSelection(renderer: unknown): boolean {
  const host = renderer as { getSelection?(): { getSelectedText?(): string } | null }
  return (host.getSelection?.()?.getSelectedText?.() ?? '') !== ''
}
