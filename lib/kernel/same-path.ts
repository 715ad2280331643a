import * as fs from 'node:fs'
import path from 'node:path'

/** What is asked of the file system; see real-path.ts for where a file lies without a question of its spelling. */
export interface FileSystem {
  /** @throws where there is nothing */
  realpath(file: string): string
  /** Device and number of what the path names; undefined where there is nothing. */
  identity(file: string): string | undefined
}

/** The file system of this machine. */
export const systemFiles: FileSystem = {
  // The native form also answers with the case and the long names that are on the disk.
  realpath: (file) => fs.realpathSync.native(file),
  identity(file) {
    try {
      const { dev, ino } = fs.statSync(file, { bigint: true })
      return `${dev}:${ino}`
    } catch {
      return undefined
    }
  },
}

/**
 * One spelling for all that name the same file or folder: links are followed (`/var` and `/private/var`), and where the
 * file system takes two cases for one name and does not say which is the real one, lower case stands for both. What is not
 * there keeps its name below the nearest folder that is. Never throws.
 */
export function realPath(file: string, files: FileSystem = systemFiles): string {
  const absolute = path.resolve(file)
  try {
    const real = files.realpath(absolute)
    return isOneOfTwoSpellings(real, files) ? real.toLowerCase() : real
  } catch {
    const parent = path.dirname(absolute)
    return parent === absolute
      ? absolute
      : path.join(realPath(parent, files), path.basename(absolute))
  }
}

/** True when both name the same file, existing or not. */
export function isSamePath(left: string, right: string, files: FileSystem = systemFiles): boolean {
  return left === right || realPath(left, files) === realPath(right, files)
}

/** Asked of the last name that has letters, with its case turned round: a volume may differ from the system's default. */
function isOneOfTwoSpellings(real: string, files: FileSystem): boolean {
  const name = path.basename(real)
  const turned = name === name.toLowerCase() ? name.toUpperCase() : name.toLowerCase()
  if (turned === name) return name !== '' && isOneOfTwoSpellings(path.dirname(real), files)
  const other = path.join(path.dirname(real), turned)
  const identity = files.identity(other)
  if (identity === undefined || identity !== files.identity(real)) return false
  try {
    return files.realpath(other) !== real
  } catch {
    return true
  }
}
