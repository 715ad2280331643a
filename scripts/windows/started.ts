import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

interface Options {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** A file for stdout and stderr together: Windows programs below Wine cannot write to a pipe of this machine. */
  readonly output?: string
  readonly signal: AbortSignal
}

/**
 * Runs a command to its end, as the leader of its own group, which is ended when the signal says so. What it writes goes to a
 * file, or to our stderr.
 * @returns its exit code; undefined when it was ended
 */
export async function runCommand(
  [file = '', ...args]: readonly string[],
  { cwd, env, output, signal }: Options,
): Promise<number | undefined> {
  if (signal.aborted) return undefined
  const sink = output === undefined ? process.stderr.fd : openSync(output, 'w')
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', sink, sink], detached: true })
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
    } catch {
      // It ended in between.
    }
  }
  signal.addEventListener('abort', end)
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => resolve(code ?? undefined))
    })
  } finally {
    signal.removeEventListener('abort', end)
    if (output !== undefined) closeSync(sink)
  }
}
