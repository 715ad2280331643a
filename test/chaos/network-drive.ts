import fs from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import path from 'node:path'

/**
 * Loaded before a program: what lies below one folder behaves as on a network drive, or on a disk that keeps less than a
 * system's own. Modelled after the NFS client of Linux: `stat` may tell what was there a while ago, up to `cacheMs`; opening
 * a file or a folder asks the server, and so does everything after a change of one's own in that folder.
 *
 * DRIVE holds the options as JSON; without it nothing is changed.
 */
interface Drive {
  readonly root: string
  /** How long attributes and names are remembered, ms. */
  readonly cacheMs?: number
  /** Times of changes are cut to whole ticks, ms. */
  readonly tickMs?: number
  /** How far the server's clock is ahead of ours, ms. */
  readonly aheadMs?: number
  /** What is refused, by the name of the call: `sync`, `chmod`, `watch`. */
  readonly refuses?: Readonly<Record<string, string>>
  /** No birth is told, and every file has the number 0. */
  readonly isNameless?: boolean
  /** What others just made is not seen, and a folder is made although it is there: no lock holds. */
  readonly isLawless?: boolean
  /** A rename is done and its answer is lost, this often (1 in n): the second asking finds nothing. */
  readonly losesRenames?: number
}

type AnyFunction = (...args: unknown[]) => unknown
type Table = Record<string, AnyFunction>
type AnyStats = fs.Stats | fs.BigIntStats

const drive = JSON.parse(process.env.DRIVE ?? 'null') as Drive | null
const { root = '', cacheMs = 0, tickMs = 1, aheadMs = 0, refuses = {} } = drive ?? {}
const { isNameless = false, isLawless = false, losesRenames = 0 } = drive ?? {}

const isBelow = (file: unknown): file is string =>
  typeof file === 'string' && path.resolve(file).startsWith(root)
const failure = (code: string, call: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: ${call}`), { code, syscall: call })
function refuse(call: string): void {
  const code = refuses[call]
  if (code !== undefined) throw failure(code, call)
}

/** What the drive says in place of what the disk says. */
function toldOf<Stats extends AnyStats>(stats: Stats): Stats {
  const at = (ms: number): number => Math.floor((ms + aheadMs) / tickMs) * tickMs
  const big = typeof stats.mtimeMs === 'bigint'
  const told: Record<string, unknown> = {}
  for (const name of ['mtime', 'ctime', 'birthtime'] as const) {
    const isTold = name !== 'birthtime' || !isNameless
    const exact = Number(stats[`${name}Ms`])
    const ms = isTold ? (tickMs === 1 ? exact + aheadMs : at(exact)) : 0
    told[`${name}Ms`] = big ? BigInt(Math.floor(ms)) : ms
    told[name] = new Date(ms)
    if (!big) continue
    const ns = (stats as fs.BigIntStats)[`${name}Ns`] + BigInt(aheadMs) * 1_000_000n
    told[`${name}Ns`] = isTold ? (tickMs === 1 ? ns : BigInt(ms) * 1_000_000n) : 0n
  }
  if (isNameless) told.ino = big ? 0n : 0
  return Object.create(stats, propertiesOf(told)) as Stats
}

function propertiesOf(values: Readonly<Record<string, unknown>>): PropertyDescriptorMap {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]))
}

/** What was told of a name, and when. */
const remembered = new Map<string, { atMs: number; outcome: () => unknown }>()

function recalled(key: string, ask: () => unknown): unknown {
  const known = remembered.get(key)
  if (known !== undefined && performance.now() - known.atMs < cacheMs) return known.outcome()
  let outcome: () => unknown
  try {
    const value = ask()
    outcome = () => value
  } catch (error) {
    outcome = () => {
      throw error as Error
    }
  }
  remembered.set(key, { atMs: performance.now(), outcome })
  return outcome()
}

const keysOf = (file: string): string[] =>
  ['stat', 'lstat', 'big stat', 'big lstat'].map((kind) => `${kind} ${file}`)
/** The server was asked for this name. */
function forget(file: string): void {
  for (const key of keysOf(path.resolve(file))) remembered.delete(key)
}
/** Whoever changes a folder looks at everything in it anew. */
function forgetFolderOf(file: string): void {
  const folder = path.dirname(path.resolve(file))
  for (const key of remembered.keys())
    if (path.dirname(key.slice(key.indexOf('/'))) === folder) remembered.delete(key)
}
/** The names of a folder were asked for: those that went or came are known, the attributes of the others are not. */
function learnNames(folder: string, names: readonly string[]): void {
  forget(folder)
  for (const key of remembered.keys()) {
    const file = key.slice(key.indexOf('/'))
    if (path.dirname(file) !== path.resolve(folder)) continue
    const isThere = names.includes(path.basename(file))
    const wasThere = outcomeIsThere(key)
    if (isThere !== wasThere) remembered.delete(key)
  }
}
function outcomeIsThere(key: string): boolean {
  try {
    return remembered.get(key)?.outcome() !== undefined
  } catch {
    return false
  }
}

function statTables(): void {
  const real = { stat: fs.statSync, lstat: fs.lstatSync }
  const table = fs as unknown as Table
  const promises = fs.promises as unknown as Table
  for (const kind of ['stat', 'lstat'] as const) {
    const look = (file: string, options: fs.StatSyncOptions = {}): unknown => {
      const key = `${options.bigint === true ? 'big ' : ''}${kind} ${path.resolve(file)}`
      const found = recalled(key, () => real[kind](file, { ...options, throwIfNoEntry: false })) as
        AnyStats | undefined
      if (found !== undefined) return toldOf(found)
      if (options.throwIfNoEntry === false) return undefined
      throw failure('ENOENT', kind)
    }
    const sync = table[`${kind}Sync`]!
    table[`${kind}Sync`] = (...args) =>
      isBelow(args[0]) ? look(args[0], args[1] as fs.StatSyncOptions) : sync(...args)
    const promised = promises[kind]!
    promises[kind] = async (...args) =>
      isBelow(args[0]) ? look(args[0], args[1] as fs.StatSyncOptions) : promised(...args)
  }
  const { existsSync } = fs
  table.existsSync = (file) =>
    isBelow(file)
      ? fs.statSync(file, { throwIfNoEntry: false }) !== undefined
      : existsSync(file as string)
}

const CHANGES_NAMES = new Set(['mkdir', 'rmdir', 'unlink', 'rm', 'rename'])
const isRecursive = (options: unknown): boolean =>
  (options as { recursive?: boolean } | undefined)?.recursive === true

function folderTables(): void {
  const { readdirSync } = fs
  const promises = fs.promises as unknown as Table
  const readdir = promises.readdir!
  promises.readdir = async (...args) => {
    const names = seen(await readdir.apply(fs.promises, args))
    if (isBelow(args[0])) learnNames(args[0], (names as unknown[]).map(nameOf))
    return names
  }
  ;(fs as unknown as Table).readdirSync = (...args) => {
    const names = (readdirSync as AnyFunction)(...args)
    if (isBelow(args[0])) learnNames(args[0], (names as unknown[]).map(nameOf))
    return names
  }
  for (const name of ['mkdir', 'rmdir', 'unlink', 'rm', 'utimes', 'chmod', 'rename']) {
    const call = promises[name]!
    promises[name] = async (...args) => {
      const [file] = args
      if (!isBelow(file)) return call.apply(fs.promises, args)
      refuse(name)
      const isLost = name === 'rename' && losesRenames > 0 && Math.random() * losesRenames < 1
      if (name === 'utimes')
        args = [args[0], ...args.slice(1).map((s) => Number(s) - aheadMs / 1000)]
      let isChanged = false
      try {
        const result = await call.apply(fs.promises, args)
        // Nothing was made where `mkdir -p` finds it all.
        isChanged = result !== undefined || !isRecursive(args[1])
        if (isLost) throw failure('ENOENT', name)
        return result
      } catch (error) {
        const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST'
        if (isLawless && name === 'mkdir' && isThere) return undefined
        throw error
      } finally {
        forget(file)
        if (isChanged && CHANGES_NAMES.has(name)) forgetFolderOf(file)
        if (isBelow(args[1])) forgetFolderOf(args[1])
      }
    }
  }
}

const nameOf = (entry: unknown): string =>
  typeof entry === 'string' ? entry : (entry as fs.Dirent).name

/** Without law, the names by which another process holds a lock are still on their way. */
function seen(entries: unknown): unknown {
  if (!isLawless || !Array.isArray(entries)) return entries
  return entries.filter((entry) => {
    const maker = /\.lock\.(\d+)-/.exec(nameOf(entry))?.[1]
    return maker === undefined || maker === String(process.pid)
  })
}

function openTables(): void {
  const { openSync, fstatSync, watch } = fs
  const descriptors = new Set<number>()
  const table = fs as unknown as Table
  table.openSync = (...args) => {
    const descriptor = (openSync as AnyFunction)(...args) as number
    if (isBelow(args[0])) {
      forget(args[0])
      descriptors.add(descriptor)
    }
    return descriptor
  }
  table.fstatSync = (...args) => {
    const found = (fstatSync as AnyFunction)(...args) as AnyStats
    return descriptors.has(args[0] as number) ? toldOf(found) : found
  }
  table.watch = (...args) => {
    if (isBelow(args[0])) refuse('watch')
    return (watch as AnyFunction)(...args)
  }
  const open = fs.promises.open.bind(fs.promises) as AnyFunction
  ;(fs.promises as unknown as Table).open = async (file, flags, mode) => {
    if (!isBelow(file)) return open(file, flags, mode)
    const handle = (await open(file, flags, mode)) as FileHandle
    if (typeof flags === 'string' && /[wax]/.test(flags)) forgetFolderOf(file)
    forget(file)
    const { stat, sync, chmod } = handle
    Object.assign(handle, {
      stat: async (options?: fs.StatOptions) => toldOf(await stat.call(handle, options)),
      sync: async () => {
        refuse('sync')
        await sync.call(handle)
      },
      chmod: async (mode: number) => {
        refuse('chmod')
        await chmod.call(handle, mode)
      },
    })
    return handle
  }
}

if (drive !== null) {
  statTables()
  folderTables()
  openTables()
  syncBuiltinESMExports()
}
