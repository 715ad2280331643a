import { isCodexError, messageOf } from '../../kernel/errors.js'
import { commandsIn } from '../../kernel/text/command-words.js'
import { plainLines } from '../../kernel/text/plain-text.js'
import { redactText } from '../../kernel/text/redact.js'
import { sureText, sureUnlessPath } from '../../kernel/text/sure-width.js'
import type { DialogDeps } from './work.js'

/** One toast in plain words. */
export function say(
  { ui }: Pick<DialogDeps, 'ui'>,
  variant: 'info' | 'success' | 'warning' | 'error',
  message: string,
): void {
  ui.api.ui.toast({ variant, title: 'Codex', message: sureUnlessPath(commandsIn(message, 'tui')) })
}

/** What went wrong and what to do, for the user. */
export function errorText(error: unknown): string {
  const hint = isCodexError(error) ? error.hint : ''
  const text = [messageOf(error), hint].filter((part) => part !== '').join('\n')
  return plainLines(redactText(commandsIn(text, 'tui')))
}

/** Its sentence, or why there is none, is one toast. @returns what the work came to, where it did */
export async function sayResult(
  deps: Pick<DialogDeps, 'ui'>,
  work: Promise<string>,
): Promise<boolean> {
  try {
    say(deps, 'success', await work)
    return true
  } catch (error) {
    say(deps, 'error', errorText(error))
    return false
  }
}

/**
 * Asks for a line of text in the host's own dialog.
 * @returns undefined when the user leaves it
 */
export async function askText(
  { ui }: Pick<DialogDeps, 'ui'>,
  question: { readonly title: string; readonly placeholder: string; readonly value?: string },
): Promise<string | undefined> {
  const { dialog, DialogPrompt } = ui.api.ui
  return new Promise((resolve) => {
    dialog.replace(
      () =>
        ui.createComponent(DialogPrompt, {
          ...question,
          title: sureText(question.title),
          onConfirm: (value) => {
            resolve(value)
            dialog.clear()
          },
        }),
      () => resolve(undefined),
    )
  })
}

/** Puts a text on the clipboard, by the terminal: that works over SSH, too. */
export function copy(deps: Pick<DialogDeps, 'ui'>, text: string): void {
  const renderer = deps.ui.api.renderer as unknown as {
    copyToClipboardOSC52?(text: string): boolean
  }
  if (renderer.copyToClipboardOSC52?.(text) === true) say(deps, 'info', 'Copied.')
  else say(deps, 'warning', 'This terminal takes no copy. Select the text with the mouse.')
}
