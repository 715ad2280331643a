import { createInterface } from 'node:readline/promises'

import { CodexError } from '../kernel/errors.js'
import { editText } from './editor.js'
import type { CommandIo } from './io.js'

/** The process's own terminal as a command sees it. */
export function terminalIo(signal: AbortSignal): CommandIo {
  const { stdin, stdout, stderr, env } = process
  let shown = false
  return {
    stdout: (text) => void stdout.write(text),
    stderr: (text) => void stderr.write(text),
    progress(line) {
      if (!stderr.isTTY || (line === '' && !shown)) return
      shown = line !== ''
      stderr.write(`\r\u001b[2K${line.slice(0, Math.max(0, stderr.columns - 1))}`)
    },
    async ask(question) {
      if (!stdin.isTTY) return undefined
      const prompt = createInterface({ input: stdin, output: stderr })
      // The library keeps Ctrl-C to itself, and not every Node ends a question when its input ends.
      prompt.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
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
    isInteractive: stdin.isTTY && stdout.isTTY && env.TERM !== 'dumb',
    columns: stdout.isTTY ? stdout.columns : undefined,
    signal,
    env,
    directory: process.cwd(),
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
