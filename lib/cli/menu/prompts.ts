import { emitKeypressEvents } from 'node:readline'
import { Writable } from 'node:stream'
import type { WriteStream } from 'node:tty'

import { abortReason } from '../../kernel/clock.js'
import { plainLines, plainText } from '../../kernel/text/plain-text.js'
import { commandsIn } from '../../kernel/text/command-words.js'
import { cut } from '../../kernel/text/table.js'
import { wrapped } from '../../kernel/text/wrap.js'
import { type CommandIo, STOPPED } from '../io.js'

/** One line of a list. */
export interface Choice<Value extends string> {
  readonly value: Value
  /** The text, for a line of so many columns. */
  readonly label: (width: number) => string
  /** Further words that a search finds. */
  readonly search?: string
  readonly hint?: string
}

/** Questions on a terminal. Undefined as an answer: the user goes back. */
export interface Prompts {
  /** A list. `at`: where the cursor stands first; `search`: with a field that narrows the list. */
  choose<Value extends string>(
    message: string,
    choices: readonly Choice<Value>[],
    options?: { at?: Value | undefined; search?: boolean },
  ): Promise<Value | undefined>
  /** @param initial what Enter says */
  confirm(message: string, initial?: boolean): Promise<boolean | undefined>
  line(
    message: string,
    options?: { initial?: string; validate?: (text: string) => string | undefined },
  ): Promise<string | undefined>
  secret(message: string): Promise<string | undefined>
  say(kind: 'done' | 'info' | 'warning' | 'error', text: string): void
  /** A text on lines of its own, without a frame. */
  plain(text: string): void
  /** Shows that something is awaited; Esc and Ctrl-C abort the signal. */
  waitFor<T>(
    text: string,
    work: (signal: AbortSignal, progress: (line: string) => void) => Promise<T>,
  ): Promise<T>
  /** True after Ctrl-C or a signal that ends the process. */
  hasLeft(): boolean
  /** Gives the terminal back as it was. */
  close(): void
}

/** Columns that the frame takes in front of a text. */
const FRAME_WIDTH = 6
/** The same in front of a choice: with the mark, and the colours of the frame, which the library counts as columns. */
const CHOICE_FRAME_WIDTH = 15
const USUAL_COLUMNS = 80
const FRAME_MS = 120
const SHOW_CURSOR = '\u001b[?25h'
const HIDE_CURSOR = '\u001b[?25l'
const ERASE_LINE = '\r\u001b[2K'

/** Opens the terminal for questions. The library behind it is loaded here: other commands do without. */
export async function openPrompts(io: CommandIo): Promise<Prompts> {
  const clack = await import('@clack/prompts')
  const { stdin, stdout } = process
  const { hasColours } = io
  const output = hasColours && clack.unicode ? stdout : plainer(stdout, hasColours, clack.unicode)
  const common = { input: stdin, output, signal: io.signal }
  // A terminal in a container may not know its size.
  const columns = (): number => stdout.columns || USUAL_COLUMNS
  const widthIn = (frame: number): number => Math.max(20, columns() - frame)
  const width = (): number => widthIn(FRAME_WIDTH)
  let hasLeft = false
  let cancel: (() => void) | undefined

  const onKey = (
    _text: unknown,
    key: { readonly name?: string; readonly ctrl?: boolean } | undefined,
  ): void => {
    if (key?.ctrl === true && key.name === 'c') hasLeft = true
    if (key?.name === 'escape' || (key?.ctrl === true && key.name === 'c')) cancel?.()
  }
  stdin.on('keypress', onKey)

  const answer = <Value>(value: Value | typeof clack.CANCEL_SYMBOL): Value | undefined =>
    clack.isCancel(value) ? undefined : value

  return {
    async choose(message, choices, { at, search: hasSearch = false } = {}) {
      // The label is asked for with every redraw, so a list follows the size of the terminal.
      const options = choices.map(({ value, label, hint, search }): ShownChoice => ({
        value,
        get label() {
          return plainText(label(widthIn(CHOICE_FRAME_WIDTH)))
        },
        search: search ?? '',
        ...(hint === undefined ? {} : { hint: shownLines(hint) }),
      }))
      const initial: { initialValue?: string } = at === undefined ? {} : { initialValue: at }
      const question = { ...common, message: shownLines(message), options, ...initial }
      const chosen = answer(
        await (hasSearch
          ? clack.autocomplete({
              ...question,
              filter: (text, option) => isMatch(text, option as ShownChoice),
            })
          : clack.select(question)),
      )
      return choices.find(({ value }) => value === chosen)?.value
    },
    confirm: async (message, initialValue = false) =>
      answer(await clack.confirm({ ...common, message: shownLines(message), initialValue })),
    line: async (message, { initial, validate } = {}) =>
      answer(
        await clack.text({
          ...common,
          message: shownLines(message),
          ...(initial === undefined ? {} : { initialValue: plainText(initial) }),
          ...(validate === undefined
            ? {}
            : { validate: (text: string | undefined) => validate(text ?? '') }),
        }),
      ),
    secret: async (message) =>
      answer(await clack.password({ ...common, message: shownLines(message) })),
    say(kind, text) {
      const shown = wrapped(shownLines(text), width())
      const print = {
        done: clack.log.success,
        info: clack.log.info,
        warning: clack.log.warn,
        error: clack.log.error,
      }[kind]
      print(shown, { output })
    },
    plain: (text) => void output.write(`${shownLines(text)}\n`),
    async waitFor(text, work) {
      const given = new AbortController()
      const signal = AbortSignal.any([io.signal, given.signal])
      const frames = clack.unicode ? ['◒', '◐', '◓', '◑'] : ['-', '\\', '|', '/']
      let line = plainText(text)
      let count = 0
      const draw = (): void => {
        count += 1
        output.write(
          `${ERASE_LINE}${cut(`${clack.S_BAR}  ${frames[count % frames.length] ?? ''} ${line} (Esc cancels)`, Math.max(10, columns() - 1))}`,
        )
      }
      cancel = () => given.abort()
      emitKeypressEvents(stdin)
      stdin.setRawMode(true)
      stdin.resume()
      output.write(HIDE_CURSOR)
      draw()
      const timer = setInterval(draw, FRAME_MS)
      try {
        if (signal.aborted) throw abortReason(signal)
        return await work(signal, (progress) => (line = plainText(progress)))
      } finally {
        cancel = undefined
        clearInterval(timer)
        output.write(`${ERASE_LINE}${SHOW_CURSOR}`)
        stdin.setRawMode(false)
        stdin.pause()
      }
    },
    hasLeft: () => hasLeft || io.signal.aborted,
    close() {
      stdin.off('keypress', onKey)
      if (stdin.isRaw) stdin.setRawMode(false)
      stdin.pause()
      output.write(hasLeft ? `${SHOW_CURSOR}${STOPPED}\n` : SHOW_CURSOR)
    },
  }
}

/** A text as it is shown on a terminal. */
function shownLines(text: string): string {
  return commandsIn(plainLines(text), 'terminal')
}

interface ShownChoice {
  readonly value: string
  readonly label: string
  readonly search: string
  readonly hint?: string
}

/** Every word that was typed begins or is part of what the line says. */
function isMatch(typed: string, option: ShownChoice): boolean {
  const text = `${option.label} ${option.search}`.toLowerCase()
  return typed
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

/** Signs of ours and of the library that a terminal without Unicode shows wrong; one column each. */
const ASCII: Readonly<Record<string, string>> = {
  '…': '~',
  '’': "'",
  '•': '-',
  '↑': '^',
  '↓': 'v',
  '—': '-',
  '█': '_',
}

/** The same terminal, without colours or with ASCII only, whatever the library and this Node make of its settings. */
function plainer(stream: WriteStream, hasColours: boolean, hasUnicode: boolean): Writable {
  const plain = new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      const text = hasColours ? String(chunk) : String(chunk).replace(/\u001b\[[\d;]*m/g, '')
      stream.write(
        hasUnicode ? text : text.replace(/[…’•↑↓—█]/g, (sign) => ASCII[sign] ?? sign),
        done,
      )
    },
  })
  stream.on('resize', () => plain.emit('resize'))
  return Object.defineProperties(plain, {
    isTTY: { value: true },
    columns: { get: () => stream.columns },
    rows: { get: () => stream.rows },
  })
}
