import fs from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

import { shiftClock } from '../../lib/cli/drill/shifted-clock.js'

/** What is wrong with the machine of a worker for a while. Times in ms since `OC_FAULTS_EPOCH`. */
export interface Fault {
  readonly kind: 'disk-full' | 'read-only' | 'clock'
  readonly fromMs: number
  readonly untilMs: number
  /** `clock` only: how far the clock is off, ms. */
  readonly offsetMs?: number
}

const realNow = Date.now.bind(Date)
const epoch = Number(process.env.OC_FAULTS_EPOCH ?? realNow())
const faults = JSON.parse(process.env.OC_FAULTS ?? '[]') as readonly Fault[]

/** The fault of a kind that is on now. */
function on(kind: Fault['kind']): Fault | undefined {
  const sinceMs = realNow() - epoch
  return faults.find(
    (fault) => fault.kind === kind && sinceMs >= fault.fromMs && sinceMs < fault.untilMs,
  )
}

/** True while the disk takes nothing; what fails meanwhile is no defect. */
export function isDiskBroken(): boolean {
  return on('disk-full') !== undefined || on('read-only') !== undefined
}

const failure = (code: string, name: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: ${name}`), { code, syscall: name })

function broken(name: string, isNewData: boolean): NodeJS.ErrnoException | undefined {
  if (on('read-only') !== undefined) return failure('EROFS', name)
  return isNewData && on('disk-full') !== undefined ? failure('ENOSPC', name) : undefined
}

type AnyFunction = (...args: unknown[]) => unknown
/** What makes something new on the disk; on a full disk the rest still works. */
const NEW_DATA = new Set(['mkdir', 'writeFile', 'appendFile', 'mkdtemp', 'copyFile'])

function breakDisk(): void {
  const promises = fs.promises as unknown as Record<string, AnyFunction>
  const callbacks = fs as unknown as Record<string, AnyFunction>
  const names = [
    'mkdir',
    'writeFile',
    'appendFile',
    'mkdtemp',
    'copyFile',
    'rename',
    'rm',
    'unlink',
    'rmdir',
    'utimes',
    'chmod',
    'link',
  ]
  for (const name of names) {
    const promised = promises[name]
    if (promised !== undefined) {
      promises[name] = async (...args) => {
        const error = broken(name, NEW_DATA.has(name))
        if (error !== undefined) throw error
        return await promised.apply(fs.promises, args)
      }
    }
    const called = callbacks[name]
    if (called === undefined) continue
    callbacks[name] = (...args) => {
      const error = broken(name, NEW_DATA.has(name))
      if (error === undefined) return called.apply(fs, args)
      const done = args.at(-1) as AnyFunction
      setImmediate(() => done(error))
      return undefined
    }
  }
  const open = fs.promises.open.bind(fs.promises)
  fs.promises.open = async (file, flags, mode) => {
    const isWriting = typeof flags === 'string' && /[wax+]/.test(flags)
    const error = isWriting ? broken('open', false) : undefined
    if (error !== undefined) throw error
    const handle = await open(file, flags, mode)
    return isWriting ? withFullDisk(handle) : handle
  }
  syncBuiltinESMExports()
}

/** A full disk takes the beginning of a text before it refuses. */
function withFullDisk(handle: FileHandle): FileHandle {
  for (const name of ['writeFile', 'appendFile', 'write'] as const) {
    const real = handle[name].bind(handle) as AnyFunction
    Object.assign(handle, {
      [name]: async (data: unknown, ...rest: unknown[]) => {
        if (on('disk-full') === undefined) return await real(data, ...rest)
        if (typeof data === 'string') await real(data.slice(0, data.length / 2), ...rest)
        throw failure('ENOSPC', 'write')
      },
    })
  }
  return handle
}

if (faults.length > 0) {
  shiftClock(() => on('clock')?.offsetMs ?? 0)
  breakDisk()
}
