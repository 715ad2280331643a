import { createInterface } from 'node:readline/promises'

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
      try {
        return await prompt.question(question, { signal })
      } finally {
        prompt.close()
      }
    },
    isInteractive: stdin.isTTY && stdout.isTTY && env.TERM !== 'dumb',
    columns: stdout.isTTY ? stdout.columns : undefined,
    signal,
    env,
    directory: process.cwd(),
  }
}
