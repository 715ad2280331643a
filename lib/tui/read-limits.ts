import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const TIMEOUT_MS = 60_000

/**
 * Asks the backend what is left of an account. The command line does it, in OpenCode's own runtime, and writes the reading
 * into the shared file that the view follows: the TUI itself has no network.
 * @param uid name of the account, which stays when the list changes
 * @throws Error with the command's own sentence
 */
export function readLimits(uid: string, program = process.execPath, cli = fileURLToPath(new URL('cli.js', import.meta.url))): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, [cli, 'limits', uid, '--json'], { env: { ...process.env, BUN_BE_BUN: '1' }, timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
      const isLate = error !== null && error.killed === true
      const reason = errorIn(stdout) ?? (error === null ? undefined : isLate ? 'The backend did not answer in time.' : stderr.trim() || 'The command line could not be started.')
      if (reason === undefined) resolve()
      else reject(new Error(reason))
    })
  })
}

/** What the backend said against the account, if anything. */
function errorIn(stdout: string): string | undefined {
  try {
    const data = JSON.parse(stdout) as { accounts?: readonly { error?: string | null }[] }
    return data.accounts?.[0]?.error ?? undefined
  } catch {
    return undefined
  }
}
