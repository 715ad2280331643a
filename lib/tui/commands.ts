import { createComponent } from '@opentui/solid'

import { openAccountsDialog } from './accounts-dialog.js'
import { loadDialogChunk } from './dialog-chunk.js'
import type { PartDeps } from './part.js'

interface PaletteCommand {
  readonly name: string
  readonly title: string
  readonly desc: string
  readonly category: string
  /** Offered as `/name` in the prompt. */
  readonly slashName: string
  readonly namespace: 'palette'
  run(): void
}

/** What a person can call by name. */
export function registerCommands({ api, paths, view }: PartDeps): void {
  // The types of the host's keymap are not installed; this is the part that is used
  // (docs/development/facts/opencode-host.md#tui-plugins).
  const keymap = api.keymap as unknown as {
    registerLayer(layer: { readonly commands: readonly PaletteCommand[] }): unknown
  }
  keymap.registerLayer({
    commands: [
      {
        name: 'codex.accounts',
        title: 'Codex accounts',
        desc: 'See the accounts; switch, pin, enable, disable or read one',
        category: 'Codex',
        slashName: 'codex',
        namespace: 'palette',
        run: () =>
          openAccountsDialog({
            api,
            createComponent,
            view,
            where: { env: process.env, directory: process.cwd() },
            chunk: loadDialogChunk,
            historyFile: paths.historyFile,
            now: () => Date.now(),
          }),
      },
    ],
  })
}
