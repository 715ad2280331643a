import { readFileSync, readlinkSync } from 'node:fs'
import os from 'node:os'

import { dropUndefined } from '../drop-undefined.js'
import { systemCode } from '../system-code.js'
import { sha256Hex } from '../hash.js'

/** Which process made something, told apart from every other one that ever had its number. */
export interface ProcessIdentity {
  readonly pid: number
  /** Where the number means this process: 8 hex digits of machine, boot and container. Undefined where the system does not tell. */
  readonly scope?: string
  /** When it started, in the system's own ticks. Undefined where that cannot be had without starting another process. */
  readonly startedAt?: string
}

/** The identity of this process. A few small reads of `/proc` on Linux, none elsewhere. */
export function ownIdentity(): ProcessIdentity {
  return dropUndefined({
    pid: process.pid,
    scope: pidScope(),
    startedAt: statOf(process.pid)?.startedAt,
  })
}

/**
 * True only when the process is surely gone: its number is looked up where it means something, and a number that was
 * given to another process since does not hide it. False whenever there is a doubt: another machine or container, a
 * system that does not tell. Never throws.
 */
export function isProvablyDead(owner: ProcessIdentity): boolean {
  if (owner.scope === undefined || owner.scope !== pidScope()) return false
  if (!Number.isSafeInteger(owner.pid) || owner.pid <= 0) return false
  if (!exists(owner.pid)) return true
  const now = statOf(owner.pid)
  if (now === undefined) return !exists(owner.pid)
  if (owner.startedAt !== undefined && owner.startedAt !== now.startedAt) return true
  // Ended and not yet fetched by its parent; with threads left, one of them may still be inside a system call.
  return (now.state === 'Z' || now.state === 'X') && now.threads <= 1
}

/**
 * The same number is another process after a start of the machine, in another container and on another machine, even
 * over one shared home. Linux tells them apart; other systems have no containers of their own, and there name and network
 * cards make the machine. When those change, a dead process is no longer known as dead, never a live one as dead.
 */
export function pidScope(platform: NodeJS.Platform = process.platform): string | undefined {
  const parts = platform === 'linux' ? linuxScope() : [platform, os.hostname(), ...networkCards()]
  return parts === undefined ? undefined : sha256Hex(parts.join('\n')).slice(0, 8)
}

function linuxScope(): readonly string[] | undefined {
  try {
    // Start times are told relative to the time namespace, so it belongs to the scope where there is one.
    return [
      readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
      readlinkSync('/proc/self/ns/pid'),
      timeNamespace(),
    ]
  } catch {
    return undefined
  }
}

function networkCards(): readonly string[] {
  const cards = Object.values(os.networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return [...new Set(cards.filter(({ internal }) => !internal).map(({ mac }) => mac))].sort()
}

function timeNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/time')
  } catch {
    return ''
  }
}

/** True unless the system says that no process has this number. */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) !== 'ESRCH'
  }
}

/** What Linux says of a process; undefined when it is gone or hidden, and on other systems. */
function statOf(pid: number): { state: string; threads: number; startedAt: string } | undefined {
  if (process.platform !== 'linux') return undefined
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // The second field is the program's name in brackets and may hold anything, brackets and spaces too.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, threads, startedAt] = [fields[0], fields[17], fields[19]]
  if (state === undefined || threads === undefined || startedAt === undefined) return undefined
  return { state, threads: Number(threads), startedAt }
}
