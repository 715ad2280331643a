import { fsNow } from '../kernel/files/fs-now.js'

/**
 * What a TUI and its server, which are one process, both know of their program: another version of OpenCode is another one.
 * Empty where it cannot be told, which says nothing.
 */
export function programMark(program: string = process.execPath): string {
  try {
    const { size, mtimeMs } = fsNow().statSync(program)
    return `${size}-${Math.trunc(mtimeMs)}`
  } catch {
    return ''
  }
}

/**
 * Words that only a program of the same user on the same machine can know: they tell a TUI that the server's commands of
 * our names are of the accounts it sees itself. Empty where there is no data folder yet, which says nothing.
 */
export function machineMark(root: string): string {
  try {
    const { ino, birthtimeMs } = fsNow().statSync(root)
    return `[${ino}-${Math.trunc(birthtimeMs)}]`
  } catch {
    return ''
  }
}
