import type { PartDeps } from '../part.js'
import { createPromptLine } from './prompt-line.js'
import { createSidebar } from './sidebar.js'
import type { SlotContext } from './slot.js'

/** Behind the host's own blocks, which have 100 to 500 (docs/development/facts/opencode-host.md#tui-plugins). */
const SLOT_ORDER = 900
/** Ours, as it is registered with the host. */
const ACCOUNTS_COMMAND = 'codex.accounts'

/** Quota beside the prompt and in the sidebar. */
export function registerSlots(deps: PartDeps): void {
  const { api } = deps
  const openAccounts = (): void => {
    // Who drags over the text wants to copy it.
    if (!hasSelection(api.renderer)) run(api.keymap, ACCOUNTS_COMMAND)
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

/** The types of the host's keymap and renderer are not installed. */
function run(keymap: unknown, command: string): void {
  const host = keymap as { dispatchCommand?(name: string): unknown } | undefined
  host?.dispatchCommand?.(command)
}

function hasSelection(renderer: unknown): boolean {
  const host = renderer as { getSelection?(): { getSelectedText?(): string } | null }
  return (host.getSelection?.()?.getSelectedText?.() ?? '') !== ''
}
