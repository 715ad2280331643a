import { readlinkSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'

/** What a comparison of paths asks of the file system. */
export interface FileSystem {
  readonly platform: NodeJS.Platform
  /** Undefined where there is nothing, and where the system cannot tell. */
  readonly realpath: (file: string) => string | undefined
  /** Where a link leads; undefined for everything else. */
  readonly link: (file: string) => string | undefined
  /** What the path names; undefined where there is nothing. */
  readonly identity: (file: string) => Identity | undefined
}

/** One file or folder, by whatever path. */
interface Identity {
  readonly id: string
  readonly isFolder: boolean
}

/** The file system of this machine. */
export const systemFiles: FileSystem = {
  platform: process.platform,
  // The native form also answers with the case and the long names that are on the disk.
  realpath: (file) => attempt(() => realpathSync.native(file)),
  link: (file) => attempt(() => readlinkSync(file)),
  identity: (file) =>
    attempt(() => {
      // An error for each name that is not there would be most of the time this takes.
      const found = statSync(file, { bigint: true, throwIfNoEntry: false })
      return found && { id: `${found.dev}:${found.ino}`, isFolder: found.isDirectory() }
    }),
}

/** The same file system, of which nothing is asked twice: for one look that comes by the same folders again and again. */
export function remembering(files: FileSystem): FileSystem {
  const once = <Answer>(ask: (file: string) => Answer): ((file: string) => Answer) => {
    const known = new Map<string, Answer>()
    return (file) => {
      if (!known.has(file)) known.set(file, ask(file))
      return known.get(file) as Answer
    }
  }
  const { platform, realpath, link, identity } = files
  return { platform, realpath: once(realpath), link: once(link), identity: once(identity) }
}

/** As many links as systems follow before they call it a loop. */
const MAX_LINKS = 40
/** macOS shows each folder of its data volume a second time below this one. */
const DATA_VOLUME = '/System/Volumes/Data/'

/** What stands behind `\\?\` and `\\.\` where it is a folder like others: a share, or a drive. */
const LONG_FORM = /^\\\\[?.]\\(?:UNC\\([^\\].*)|([a-z]:(?:\\.*)?))$/is
/** A name that ends in a dot or a space cannot be said in the plain form. */
const ONLY_LONG = /[^\\.][. ]+(?:\\|$)/

/** Path rules of a system. */
export function pathsOf(platform: NodeJS.Platform): path.PlatformPath {
  return platform === 'win32' ? path.win32 : path.posix
}

/**
 * One spelling for all that name the same file or folder: links are followed (`/var` and `/private/var`), Windows' long
 * forms (`\\?\C:\x`) become plain ones, and where the file system takes two names for one and does not say which is the
 * real one, lower case in composed letters stands for both. The same for what is still to be made. Never throws.
 */
export function canonicalPath(file: string, files: FileSystem = systemFiles): string {
  const { place, rest } = placeOf(file, files)
  return pathsOf(files.platform).join(place, ...rest)
}

/**
 * True when both name the same file, existing or not. Where paths do not tell (a folder mounted twice, a drive that
 * stands for a folder), the number of the folder does.
 */
export function isSamePath(left: string, right: string, files: FileSystem = systemFiles): boolean {
  if (left === right) return true
  const [one, other] = [placeOf(left, files), placeOf(right, files)]
  if (one.rest.join('/') !== other.rest.join('/')) return false
  if (one.place === other.place || isSameFolder(one.place, other.place, files)) return true
  const system = pathsOf(files.platform)
  return (
    system.basename(one.place) === system.basename(other.place) &&
    isSameFolder(system.dirname(one.place), system.dirname(other.place), files)
  )
}

/** True for the folder itself and what lies below it, by the paths alone: both are to be real ones. Pure. */
export function isInside(folder: string, file: string, platform = process.platform): boolean {
  const system = pathsOf(platform)
  const way = system.relative(folder, file)
  return way !== '..' && !way.startsWith(`..${system.sep}`) && !system.isAbsolute(way)
}

/**
 * An absolute path as most programs write it. On Windows `\\?\C:\x`, `\\.\c:\x` and `c:/x` are `C:\x`, and
 * `\\?\UNC\Server\Share` is `\\server\share`. Pure.
 */
export function plainPath(file: string, platform: NodeJS.Platform): string {
  if (platform !== 'win32') return path.posix.resolve(file)
  const [, share, local] = LONG_FORM.exec(file.replaceAll('/', '\\')) ?? []
  const plain = share === undefined ? local : `\\\\${share}`
  const isPlain = plain !== undefined && !ONLY_LONG.test(plain)
  const absolute = path.win32.resolve(isPlain ? `${plain}\\` : file)
  const { root } = path.win32.parse(absolute)
  if (/^\\\\[?.]\\/.test(root)) return absolute
  const spelledRoot = root.startsWith('\\\\') ? root.toLowerCase() : root.toUpperCase()
  return spelledRoot + absolute.slice(root.length)
}

/** What is there of a path, and the names below it that are not. */
interface Place {
  readonly place: string
  readonly rest: readonly string[]
}

function placeOf(file: string, files: FileSystem, links = 0): Place {
  const system = pathsOf(files.platform)
  const absolute = plainPath(file, files.platform)
  const real = files.realpath(absolute)
  if (real !== undefined) return { place: spelled(plainReal(real, files), files), rest: [] }
  const parent = system.dirname(absolute)
  if (parent === absolute) return { place: absolute, rest: [] }
  const target = links < MAX_LINKS ? files.link(absolute) : undefined
  if (target !== undefined)
    return placeOf(system.resolve(canonicalPath(parent, files), target), files, links + 1)
  const trimmed = trimmedPath(absolute, files.platform)
  if (trimmed !== absolute) return placeOf(trimmed, files, links)
  const above = placeOf(parent, files, links)
  const name = system.basename(absolute)
  // Memory disks and some network drives are there and have no real path.
  if (above.rest.length === 0 && files.identity(system.join(above.place, name)) !== undefined)
    return { place: system.join(above.place, spelledName(above.place, name, files)), rest: [] }
  const isFolded = foldsNames(above.place, files)
  return { place: above.place, rest: [...above.rest, isFolded ? folded(name) : name] }
}

function plainReal(real: string, files: FileSystem): string {
  const plain = plainPath(real, files.platform)
  if (files.platform !== 'darwin' || !plain.startsWith(DATA_VOLUME)) return plain
  const short = plain.slice(DATA_VOLUME.length - 1)
  const id = files.identity(plain)?.id
  return id !== undefined && files.identity(short)?.id === id ? short : plain
}

/** Windows takes a path for the same without these, unless a program has made a file of just that name. */
function trimmedPath(absolute: string, platform: NodeJS.Platform): string {
  if (platform !== 'win32' || /^\\\\[?.]\\/.test(absolute)) return absolute
  return absolute.replace(/(?<=[^\\.: ])\.(?=\\)/g, '').replace(/(?<=[^\\:. ])[. ]+$/, '')
}

/** Name by name, since a volume may be mounted into one of another kind. */
function spelled(real: string, files: FileSystem): string {
  const system = pathsOf(files.platform)
  const parent = system.dirname(real)
  if (parent === real) return real
  const above = spelled(parent, files)
  return system.join(above, spelledName(above, system.basename(real), files))
}

/** The name by which all spellings of it are known: its own, where there is but one or the system tells the real one. */
function spelledName(folder: string, name: string, files: FileSystem): string {
  const system = pathsOf(files.platform)
  const others = new Set([folded(name), name.normalize('NFC')])
  others.delete(name)
  for (const other of others) {
    const id = files.identity(system.join(folder, other))?.id
    if (id === undefined || id !== files.identity(system.join(folder, name))?.id) continue
    const told = files.realpath(system.join(folder, other))
    return told !== undefined && system.basename(told) === name ? name : other
  }
  return name
}

/** Asked of the folder's own name with its case turned round: a volume may differ from the system's default. */
function foldsNames(folder: string, files: FileSystem): boolean {
  const system = pathsOf(files.platform)
  const [name, parent] = [system.basename(folder), system.dirname(folder)]
  if (parent === folder) return files.platform === 'win32' || files.platform === 'darwin'
  const turned = name === name.toLowerCase() ? name.toUpperCase() : name.toLowerCase()
  if (turned === name) return foldsNames(parent, files)
  const id = files.identity(folder)?.id
  return id !== undefined && files.identity(system.join(parent, turned))?.id === id
}

function folded(name: string): string {
  return name.normalize('NFC').toLowerCase()
}

function isSameFolder(left: string, right: string, files: FileSystem): boolean {
  const one = files.identity(left)
  return one?.isFolder === true && files.identity(right)?.id === one.id
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
