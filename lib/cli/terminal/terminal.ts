import { createInterface } from 'node:readline/promises'
import type { WriteStream } from 'node:tty'

import { CodexError } from '../../kernel/errors.js'
import { cut } from '../../kernel/text/table.js'
import { editText } from './editor.js'
import type { CommandIo } from '../io.js'
import { openScreen } from './screen.js'

/** What is over sooner needs no explanation. */
const LONG_MS = 500
const USUAL_COLUMNS = 80
/** What a shell calls a program that Ctrl-C has ended. */
const BROKEN_OFF = 130

/** The process's own terminal as a command sees it. */
export function terminalIo(signal: AbortSignal): CommandIo {
  const { stdin, stdout, stderr, env } = process
  const waiting = waitingLine(stderr)
  const canMoveCursor = stdout.isTTY && env.TERM !== 'dumb'
  return {
    stdout(text) {
      waiting.show('')
      stdout.write(text)
    },
    stderr(text) {
      waiting.show('')
      stderr.write(text)
    },
    progress: (line) => waiting.show(line),
    openScreen() {
      if (!canMoveCursor) return undefined
      // Who has the screen says itself what it waits for.
      waiting.end()
      return openScreen(stdin, stdout)
    },
    async ask(question) {
      if (!stdin.isTTY) return undefined
      waiting.show('')
      const prompt = createInterface({ input: stdin, output: stderr })
      // The library keeps Ctrl-C to itself, and not every Node ends a question when its input ends. A real signal would end
      // the process on Windows without a word to whoever listens.
      prompt.on('SIGINT', () => {
        if (!process.emit('SIGINT', 'SIGINT')) process.exit(BROKEN_OFF)
      })
      const ended = new Promise<undefined>((resolve) =>
        prompt.once('close', () => resolve(undefined)),
      )
      try {
        return await Promise.race([prompt.question(question, { signal }), ended])
      } catch (error) {
        stderr.write('\n')
        throw error
      } finally {
        prompt.close()
      }
    },
    ...(stdin.isTTY ? {} : { input: (maxBytes) => readInput(stdin, maxBytes) }),
    ...(stdin.isTTY && stdout.isTTY ? { edit: (name, text) => editText(env, name, text) } : {}),
    isInteractive: stdin.isTTY && canMoveCursor,
    // A terminal in a container may not know its size.
    columns: stdout.isTTY ? stdout.columns || USUAL_COLUMNS : undefined,
    hasColours: hasColours(env, stdout.isTTY),
    signal,
    env,
    directory: process.cwd(),
  }
}

/**
 * Whether an output shows colours: what the user says (FORCE_COLOR before NO_COLOR), else on a terminal that can.
 * @see https://no-color.org and https://force-color.org
 */
export function hasColours(env: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  const { FORCE_COLOR: force = '', NO_COLOR: never = '', TERM: term } = env
  if (force !== '') return force !== '0' && force !== 'false'
  return never === '' && isTerminal && term !== 'dumb'
}

/** A line that appears when something takes long, and is gone before anything else is written. */
function waitingLine(stderr: WriteStream): { show(line: string): void; end(): void } {
  let isEnded = false
  let line = ''
  let isShown = false
  let timer: NodeJS.Timeout | undefined
  const draw = (): void => {
    isShown = true
    stderr.write(`\r\u001b[2K${cut(line, Math.max(10, stderr.columns - 1))}`)
  }
  return {
    end() {
      this.show('')
      isEnded = true
    },
    show(next) {
      if (isEnded || !stderr.isTTY || process.env.TERM === 'dumb') return
      line = next
      if (line === '') {
        clearTimeout(timer)
        timer = undefined
        if (isShown) stderr.write('\r\u001b[2K')
        isShown = false
      } else if (isShown) draw()
      else timer ??= setTimeout(draw, LONG_MS).unref()
    },
  }
}

async function readInput(stdin: NodeJS.ReadStream, maxBytes: number): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of stdin as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > maxBytes)
      throw new CodexError('invalid_input', `The input is longer than ${maxBytes / 1024} KB.`, {
        hint: 'Nothing was changed.',
      })
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}
