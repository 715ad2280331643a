import { statSync } from 'node:fs'

/**
 * Words that only a program of the same user on the same machine can know: they tell a TUI that the server's commands of
 * our names are of the accounts it sees itself. Empty where there is no data folder yet, which says nothing.
 */
export function machineMark(root: string): string {
  try {
    const { ino, birthtimeMs } = statSync(root)
    return `[${ino}-${Math.trunc(birthtimeMs)}]`
  } catch {
    return ''
  }
}
