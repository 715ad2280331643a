import { describe, expect, it } from 'vitest'

import type { PartDeps } from '../../lib/tui/part.js'
import { interceptSubmit } from '../../lib/tui/typed-line.js'

/** A prompt with a text in it, and what a submit comes to. */
function promptWith(
  text: string,
  {
    traits = { role: 'prompt' },
    open = false,
    taken = [] as readonly string[],
    newOnServer = [] as readonly string[],
  }: {
    traits?: Record<string, string>
    open?: boolean
    taken?: readonly string[]
    newOnServer?: readonly string[]
  } = {},
) {
  const ran: string[] = []
  const toasts: string[] = []
  let submitted = 0
  const editor = {
    plainText: text,
    traits,
    clear: () => void (editor.plainText = ''),
    submit: () => void (submitted += 1),
  }
  const names = new Set(taken)
  let submit: readonly { readonly name: string; run(): boolean }[] = []
  const api = {
    renderer: { currentFocusedEditor: editor },
    keymap: {
      registerLayer: (layer: { commands: typeof submit }) => {
        submit = layer.commands
      },
    },
    ui: {
      dialog: { open },
      toast: ({ message }: { message: string }) => void toasts.push(message),
    },
  }
  interceptSubmit({ api } as unknown as PartDeps, {
    runOf: (slash) =>
      ['codex-label', 'codex-accounts'].includes(slash)
        ? (line) => void ran.push(`${slash}|${line}`)
        : undefined,
    isTaken: (slash) => names.has(slash),
    look: async () => {
      for (const name of newOnServer) names.add(name)
    },
  })
  return {
    ran,
    toasts,
    editor,
    submitted: () => submitted,
    /** True when the line goes no further. */
    send: (name = 'input.submit') => submit.find((one) => one.name === name)?.run() ?? false,
  }
}

describe('a line that is sent from the prompt', () => {
  it.each(['input.submit', 'prompt.submit'])(
    'runs here when it begins with a command of ours, however it is sent (%s)',
    (name) => {
      const { send, ran, editor } = promptWith('/codex-label 2 my  work')
      expect(send(name)).toBe(true)
      expect(ran).toEqual(['codex-label|2 my  work'])
      expect(editor.plainText).toBe('')
    },
  )

  it('runs when Enter still finds the list of commands open, but a choice from it is a choice', () => {
    const choose = 'prompt.autocomplete.select'
    const whole = promptWith('/codex-label 2 work')
    expect(whole.send(choose)).toBe(true)
    expect(whole.ran).toEqual(['codex-label|2 work'])
    const begun = promptWith('/codex-label')
    expect(begun.send(choose)).toBe(false)
    expect(begun.editor.plainText).toBe('/codex-label')
  })

  it('takes /codex for the accounts', () => {
    const { send, ran } = promptWith('/codex')
    expect(send()).toBe(true)
    expect(ran).toEqual(['codex-accounts|'])
  })

  it.each([
    'fix /codex-label',
    ' /codex-label 2 x',
    '/codexlabel 2',
    '/codex.label',
    '/help',
    '',
    'what does /codex-status do?',
  ])('that is any other text is left as it is: %j', (text) => {
    const { send, editor, ran } = promptWith(text)
    expect(send()).toBe(false)
    expect(editor.plainText).toBe(text)
    expect(ran).toEqual([])
  })

  it('is left to the shell, to other editors and to dialogs', () => {
    const line = '/codex-label 2 x'
    expect(promptWith(line, { traits: { role: 'prompt', status: 'SHELL' } }).send()).toBe(false)
    expect(promptWith(line, { traits: {} }).send()).toBe(false)
    expect(promptWith(line, { open: true }).send()).toBe(false)
  })

  it('is left to the server where that has a command of this name', () => {
    const { send, ran } = promptWith('/codex-label 2 x', { taken: ['codex-label'] })
    expect(send()).toBe(false)
    expect(ran).toEqual([])
  })

  it('is no prompt when its command is mistyped', async () => {
    const { send, toasts, editor, submitted } = promptWith('/codex-lable 2 x')
    expect(send()).toBe(true)
    await expect
      .poll(() => toasts)
      .toEqual(['There is no command /codex-lable. /codex-help tells what there is.'])
    expect(editor.plainText).toBe('/codex-lable 2 x')
    expect(submitted()).toBe(0)
  })

  it('is sent after all when its command is new on the server', async () => {
    const { send, toasts, submitted } = promptWith('/codex-mine x', { newOnServer: ['codex-mine'] })
    expect(send()).toBe(true)
    await expect.poll(submitted).toBe(1)
    expect(toasts).toEqual([])
    expect(send()).toBe(false)
  })

  it('with a folded paste says so, and keeps the line', () => {
    const { send, toasts, editor } = promptWith('/codex-label 2 [Pasted ~4 lines]')
    expect(send()).toBe(true)
    expect(toasts).toHaveLength(1)
    expect(editor.plainText).not.toBe('')
  })
})
