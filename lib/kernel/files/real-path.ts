import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'

import { systemCode } from '../errors.js'

/** As many links as systems follow before they call it a loop. */
const MAX_LINKS = 40

/**
 * Where a file really lies: every link on the way is followed, also one to a file or folder that is still to be made.
 * Two names of one file have the same answer, so what lies beside it (locks, leases) is found by both.
 * @throws the system's error, ELOOP for links in a circle
 */
export function realPathOf(file: string): string {
  let current = path.resolve(file)
  for (let links = 0; links <= MAX_LINKS; links += 1) {
    try {
      return realpathSync.native(current)
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
    }
    const parent = path.dirname(current)
    if (parent === current) return current
    const place = path.join(realPathOf(parent), path.basename(current))
    if (lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return place
    current = path.resolve(path.dirname(place), readlinkSync(place))
  }
  throw Object.assign(new Error(`ELOOP: too many links at ${file}`), { code: 'ELOOP' })
}

/** The same for places where the trouble of a path is not the point: what cannot be followed is left as it is, and whoever opens it is told. */
export function realPathOrSame(file: string): string {
  try {
    return realPathOf(file)
  } catch {
    return path.resolve(file)
  }
}

/** True when two paths lead to one file, whether or not it exists: two homes may share it by a link. Never throws. */
export function isSameFile(left: string, right: string): boolean {
  return left === right || realPathOrSame(left) === realPathOrSame(right)
}

/** What `canonicalPath` asks of the file system. */
export interface FileSystem {
  /** @throws where there is nothing */
  realpath(file: string): string
  /** Device and number of what the path names; undefined where there is nothing. */
  identity(file: string): string | undefined
}

/** The file system of this machine. */
const systemFiles: FileSystem = {
  // The native form also answers with the case and the long names that are on the disk.
  realpath: (file) => realpathSync.native(file),
  identity(file) {
    try {
      const { dev, ino } = statSync(file, { bigint: true })
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
export function canonicalPath(file: string, files: FileSystem = systemFiles): string {
  const absolute = path.resolve(file)
  try {
    const real = files.realpath(absolute)
    return isOneOfTwoSpellings(real, files) ? real.toLowerCase() : real
  } catch {
    const parent = path.dirname(absolute)
    return parent === absolute
      ? absolute
      : path.join(canonicalPath(parent, files), path.basename(absolute))
  }
}

/** True when both name the same file, existing or not. */
export function isSamePath(left: string, right: string, files: FileSystem = systemFiles): boolean {
  return left === right || canonicalPath(left, files) === canonicalPath(right, files)
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
