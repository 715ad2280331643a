import fs from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import path from 'node:path'

/**
 * Loaded before everything else with `node --require`, below the program: numbers every change this process makes below
 * one folder, writes the list of them down, and kills the process or fails the call at the one that was asked for.
 *
 * POINTS_ROOT    the folder whose changes count
 * POINTS_REPORT  file for the list, one JSON line each; lies outside that folder
 * POINTS_AT      number of the point, from 1; absent: only count
 * POINTS_FAULT   kill-before | kill-after | kill-half | an error code
 * POINTS_SPAN    once | on: an error comes once, or from that point on
 */
const root = process.env.POINTS_ROOT ?? ''
const report = process.env.POINTS_REPORT ?? ''
const at = Number(process.env.POINTS_AT ?? 0)
const fault = process.env.POINTS_FAULT ?? ''
const isLasting = process.env.POINTS_SPAN === 'on'

type AnyFunction = (...args: unknown[]) => unknown
type Table = Record<string, AnyFunction>

/** The calls that change something, by the name of the operation. */
const NAMES: Readonly<Record<string, string>> = {
  writeFile: 'write',
  appendFile: 'write',
  write: 'write',
  writev: 'write',
  copyFile: 'write',
  cp: 'write',
  mkdtemp: 'mkdir',
  mkdir: 'mkdir',
  rename: 'rename',
  fsync: 'fsync',
  fdatasync: 'fsync',
  chmod: 'chmod',
  fchmod: 'chmod',
  lchmod: 'chmod',
  chown: 'chmod',
  unlink: 'unlink',
  rm: 'unlink',
  rmdir: 'rmdir',
  utimes: 'utimes',
  futimes: 'utimes',
  lutimes: 'utimes',
  truncate: 'truncate',
  ftruncate: 'truncate',
  link: 'link',
  symlink: 'link',
}
/** The same on an open file of `fs/promises`. */
const HANDLE_NAMES: Readonly<Record<string, string>> = {
  writeFile: 'write',
  appendFile: 'write',
  write: 'write',
  writev: 'write',
  sync: 'fsync',
  datasync: 'fsync',
  chmod: 'chmod',
  chown: 'chmod',
  truncate: 'truncate',
  utimes: 'utimes',
}
/** What an error code can meet. A full disk still removes and renames; too many open files hit only what opens. */
const MEETS: Readonly<Record<string, ReadonlySet<string>>> = {
  ENOSPC: new Set(['open', 'write', 'mkdir', 'fsync', 'link']),
  EMFILE: new Set(['open']),
  EACCES: new Set([
    'open',
    'mkdir',
    'rename',
    'unlink',
    'rmdir',
    'chmod',
    'utimes',
    'truncate',
    'link',
  ]),
  EROFS: new Set([
    'open',
    'write',
    'mkdir',
    'rename',
    'unlink',
    'rmdir',
    'chmod',
    'utimes',
    'truncate',
    'link',
  ]),
  EIO: new Set([
    'open',
    'write',
    'mkdir',
    'rename',
    'fsync',
    'unlink',
    'rmdir',
    'chmod',
    'utimes',
    'truncate',
    'link',
  ]),
}

const real = { appendFileSync: fs.appendFileSync }
const opened = new Map<number, string>()
let points = 0
/** A call that is made of others counts once. */
let isInside = false

const note = (line: Record<string, unknown>): void =>
  real.appendFileSync(report, `${JSON.stringify(line)}\n`)
const fileOf = (value: unknown): string | undefined =>
  typeof value === 'number'
    ? opened.get(value)
    : typeof value === 'string'
      ? path.resolve(value)
      : value instanceof URL
        ? value.pathname
        : Buffer.isBuffer(value)
          ? value.toString()
          : undefined
const TWO_NAMES = new Set(['rename', 'link'])
const targetOf = (operation: string, args: readonly unknown[]): string | undefined =>
  fileOf(TWO_NAMES.has(operation) ? args[1] : args[0])
const isBelow = (file: string | undefined): file is string =>
  file !== undefined && (file === root || file.startsWith(root + path.sep))
const opensForWriting = (flags: unknown): boolean =>
  typeof flags === 'number'
    ? (flags & 3) !== 0 || (flags & fs.constants.O_CREAT) !== 0
    : typeof flags === 'string' && /[wax+]/.test(flags)
const die = (): never => {
  process.kill(process.pid, 'SIGKILL')
  // The signal comes with the next return from the system; nothing of the program may run until then.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000)
}

interface Verdict {
  readonly n?: number
  readonly error?: NodeJS.ErrnoException
  /** Kills as soon as the call is done. */
  readonly after?: true
  /** Kills when half of the data is written. */
  readonly half?: true
}
const PASS: Verdict = {}

/** Counts one operation and says what becomes of it. What is renamed or linked counts by its new name. */
function judge(operation: string, file: string): Verdict {
  points += 1
  note({ n: points, op: operation, path: path.relative(root, file) })
  const isHere = points === at
  if (!isHere && !(isLasting && at > 0 && points > at)) return { n: points }
  if (fault === 'kill-before') die()
  if (fault === 'kill-after') return { after: true }
  if (fault === 'kill-half') return operation === 'write' ? { half: true } : die()
  if (MEETS[fault]?.has(operation) !== true) return { n: points }
  return {
    error: Object.assign(new Error(`${fault}: made up, ${operation} '${file}'`), {
      code: fault,
      errno: -1,
      syscall: operation,
      path: file,
    }),
  }
}

/** Between begin and end of a change there may be others, and until its end it is on no disk. */
function ended({ n }: Verdict): void {
  if (n !== undefined) note({ ended: n })
}

function halfOf(data: unknown): unknown {
  if (typeof data === 'string') return data.slice(0, Math.floor(data.length / 2))
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, Math.floor(data.byteLength / 2))
    : data
}

/** The arguments of a write into an open file, cut; the place it goes to stays. */
function halfOfHandleWrite([data, ...rest]: readonly unknown[]): unknown[] {
  const [offset, length, position] = rest
  return ArrayBuffer.isView(data) && typeof length === 'number'
    ? [data, offset, Math.floor(length / 2), position]
    : [halfOf(data), ...rest]
}

/** With `half` the arguments are cut; only the data of a plain write can be. */
function argumentsFor(verdict: Verdict, args: readonly unknown[]): unknown[] {
  return verdict.half
    ? [args[0], halfOf(args[1]), ...args.slice(2).filter((one) => typeof one !== 'number')]
    : [...args]
}

function wrapSync(table: Table, name: string, operation: string): void {
  const original = table[`${name}Sync`]
  if (original === undefined) return
  table[`${name}Sync`] = (...args) => {
    const file = targetOf(operation, args)
    if (isInside || !isBelow(file)) return original(...args)
    const verdict = judge(operation, file)
    if (verdict.error) throw verdict.error
    isInside = true
    try {
      return original(...argumentsFor(verdict, args))
    } finally {
      isInside = false
      if (verdict.after ?? verdict.half) die()
    }
  }
}

function wrapCallback(table: Table, name: string, operation: string): void {
  const original = table[name]
  if (original === undefined) return
  table[name] = (...args) => {
    const file = targetOf(operation, args)
    const done = args.at(-1)
    if (!isBelow(file) || typeof done !== 'function') return original(...args)
    const verdict = judge(operation, file)
    if (verdict.error) {
      setImmediate(done as AnyFunction, verdict.error)
      return undefined
    }
    const finished = (...results: unknown[]): unknown => {
      if (verdict.after ?? verdict.half) die()
      return (done as AnyFunction)(...results)
    }
    return original(...argumentsFor(verdict, args.slice(0, -1)), finished)
  }
}

function wrapPromise(table: Table, name: string, operation: string): void {
  const original = table[name]
  if (original === undefined) return
  table[name] = async (...args) => {
    const file = targetOf(operation, args)
    if (!isBelow(file)) return original(...args)
    return carriedOut(judge(operation, file), args, original)
  }
}

async function carriedOut(
  verdict: Verdict,
  args: readonly unknown[],
  original: AnyFunction,
): Promise<unknown> {
  if (verdict.error) throw verdict.error
  const result = await original(...argumentsFor(verdict, args))
  if (verdict.after ?? verdict.half) die()
  ended(verdict)
  return result
}

function watchedHandle(handle: FileHandle, file: string): FileHandle {
  const table = handle as unknown as Table
  for (const [name, operation] of Object.entries(HANDLE_NAMES)) {
    const original = table[name]?.bind(handle)
    if (original === undefined) continue
    table[name] = async (...args) => {
      const verdict = judge(operation, file)
      if (verdict.error) throw verdict.error
      const result = await original(...(verdict.half ? halfOfHandleWrite(args) : args))
      if (verdict.after ?? verdict.half) die()
      ended(verdict)
      return result
    }
  }
  return handle
}

function wrapOpen(): void {
  const table = fs as unknown as Table
  const { openSync, open, closeSync, close } = fs
  table.openSync = (...args) => {
    const [name, flags] = args
    const file = fileOf(name)
    const isCounted = !isInside && isBelow(file) && opensForWriting(flags)
    const verdict = isCounted ? judge('open', file) : PASS
    if (verdict.error) throw verdict.error
    const fd = (openSync as AnyFunction)(...args) as number
    if (verdict.after) die()
    if (isBelow(file)) opened.set(fd, file)
    return fd
  }
  table.open = (...args) => {
    const [name, flags] = args
    const done = args.at(-1) as AnyFunction
    const file = fileOf(name)
    const verdict = isBelow(file) && opensForWriting(flags) ? judge('open', file) : PASS
    if (verdict.error) return void setImmediate(done, verdict.error)
    return (open as unknown as AnyFunction)(...args.slice(0, -1), (error: unknown, fd: number) => {
      if (verdict.after) die()
      if (error == null && isBelow(file)) opened.set(fd, file)
      return done(error, fd)
    })
  }
  table.closeSync = (fd) => {
    opened.delete(fd as number)
    closeSync(fd as number)
  }
  table.close = (fd, ...rest) => {
    opened.delete(fd as number)
    return (close as unknown as AnyFunction)(fd, ...rest)
  }
  const openPromised = fs.promises.open.bind(fs.promises) as AnyFunction
  ;(fs.promises as unknown as Table).open = async (...args) => {
    const [name, flags] = args
    const file = fileOf(name)
    if (!isBelow(file)) return openPromised(...args)
    const handle = (await carriedOut(
      opensForWriting(flags) ? judge('open', file) : PASS,
      args,
      openPromised,
    )) as FileHandle
    return watchedHandle(handle, file)
  }
}

/** The answer of the token endpoint is the one thing that a kill can take away for good: the list says when it was there. */
function watchTokenAnswers(): void {
  const original = globalThis.fetch
  globalThis.fetch = async (input, init) => {
    const address = input instanceof Request ? input.url : input.toString()
    const isToken = new URL(address).pathname === '/oauth/token'
    if (isToken) note({ mark: 'token-request' })
    const response = await original(input, init)
    if (isToken) note({ mark: response.ok ? 'token-answer' : 'token-refusal' })
    return response
  }
}

if (root !== '') {
  for (const [name, operation] of Object.entries(NAMES)) {
    wrapSync(fs as unknown as Table, name, operation)
    wrapCallback(fs as unknown as Table, name, operation)
    wrapPromise(fs.promises as unknown as Table, name, operation)
  }
  wrapOpen()
  watchTokenAnswers()
  syncBuiltinESMExports()
}
