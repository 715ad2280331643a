import { commandsIn } from '../kernel/text/command-words.js'
import type { PartDeps } from './part.js'

/** The editor that has the focus, as far as it is used. */
interface Editor {
  readonly plainText: string
  readonly traits?: { readonly owner?: string; readonly role?: string; readonly status?: string }
  readonly extmarks?: { clear?(): void }
  clear(): void
  submit?(): void
}

/** Both ways to send a prompt, whatever keys they are bound to: of the editor, and of the prompt. */
const SUBMITS = ['input.submit', 'prompt.submit']

/** Chooses from the `/` list, which a fast typist's Enter still finds open behind a whole line. */
const CHOOSE = 'prompt.autocomplete.select'

/** Before the host's commands of the same names, which run when ours decline. */
const PRIORITY = 1_000

/** Who knows the commands. */
interface Commands {
  /** What runs a command of ours. */
  readonly runOf: (slash: string) => ((line: string) => void) | undefined
  /** The server has a command of this name. */
  readonly isTaken: (slash: string) => boolean
  /** Asks the server anew. @throws when it does not answer */
  readonly look: () => Promise<void>
}

/**
 * Runs a line of the prompt that begins with a command of ours, in place of sending it to the model: the host knows only
 * the server's commands, and takes every other text for a prompt.
 */
export function interceptSubmit({ api }: PartDeps, { runOf, isTaken, look }: Commands): void {
  const say = (message: string): void =>
    api.ui.toast({ variant: 'warning', title: 'Codex', message })
  const run = (isChoice: boolean): boolean => {
    const editor = promptEditor(api)
    const typed = editor === undefined ? undefined : typedCommand(editor.plainText)
    if (editor === undefined || typed === undefined || isTaken(typed.slash)) return false
    if (isChoice && typed.line === '') return false
    const start = runOf(typed.slash)
    if (start === undefined) {
      const before = editor.plainText
      // A command that is new on the server goes there; a mistyped one of ours is no prompt.
      look().then(
        () => {
          if (isTaken(typed.slash) && editor.plainText === before) editor.submit?.()
          else say(unknown(typed.slash))
        },
        () => say(unknown(typed.slash)),
      )
      return true
    }
    if (/\[Pasted ~\d+ lines?\]/.test(typed.line)) {
      say('The pasted text is folded. Type it, or paste a shorter one.')
      return true
    }
    editor.extmarks?.clear?.()
    editor.clear()
    start(typed.line)
    return true
  }
  const keymap = api.keymap as unknown as {
    registerLayer(layer: {
      readonly priority: number
      readonly commands: readonly { readonly name: string; readonly hidden: true; run(): boolean }[]
    }): unknown
  }
  keymap.registerLayer({
    priority: PRIORITY,
    commands: [...SUBMITS, CHOOSE].map((name) => ({
      name,
      hidden: true,
      run: () => run(name === CHOOSE),
    })),
  })
}

function unknown(slash: string): string {
  return commandsIn(`There is no command /${slash}. {help} tells what there is.`, 'tui')
}

/** The editor of the prompt, where that has the focus and its line is no shell's. */
function promptEditor(api: PartDeps['api']): Editor | undefined {
  const { currentFocusedEditor: editor } = api.renderer as unknown as {
    readonly currentFocusedEditor?: Editor | null
  }
  if (editor === null || editor === undefined || api.ui.dialog.open) return undefined
  const { role, status } = editor.traits ?? {}
  return role === 'prompt' && status !== 'SHELL' ? editor : undefined
}

/** The command that a text begins with, and what follows it; undefined for any other text. Pure. */
function typedCommand(text: string): { readonly slash: string; readonly line: string } | undefined {
  const match = /^\/(codex(?:-[\w-]*)?)(?:\s+([^]*))?$/.exec(text)
  if (match?.[1] === undefined) return undefined
  return {
    slash: match[1] === 'codex' ? 'codex-accounts' : match[1],
    line: (match[2] ?? '').trim(),
  }
}
