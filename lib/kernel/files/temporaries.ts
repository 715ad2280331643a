import { randomBytes } from 'node:crypto'
import { lstat, readdir, unlink } from 'node:fs/promises'
import path from 'node:path'

import { dropUndefined } from '../drop-undefined.js'
import { isProvablyDead, pidScope } from '../lock/process-identity.js'

/** `.<target>.<pid>-<scope>-<random>.tmp`; the scope is missing where the system does not tell it, and in earlier versions. */
const PATTERN = /^\.(.+)\.(\d{1,10})-(?:([0-9a-f]{8})-)?[0-9a-f]{12}\.tmp$/s

/** The name of a new temporary file beside `target`: hidden, unique, and telling which process makes it. */
export function temporaryNameFor(target: string): string {
  const scope = pidScope()
  const maker = scope === undefined ? String(process.pid) : `${process.pid}-${scope}`
  return `.${path.basename(target)}.${maker}-${randomBytes(6).toString('hex')}.tmp`
}

/** What the name of a temporary file of ours tells; undefined for everybody else's files. */
export function parseTemporaryName(
  name: string,
): { readonly target: string; readonly pid: number; readonly scope?: string } | undefined {
  const [, target, pid, scope] = PATTERN.exec(name) ?? []
  if (target === undefined || pid === undefined) return undefined
  return dropUndefined({ target, pid: Number(pid), scope })
}

/** A temporary file of ours this old was left by a process that died: a write takes milliseconds. */
const STALE_TEMPORARY_MS = 60 * 60_000

/**
 * The temporary files of ours in a folder that nobody will finish: older than an hour, or made by a process that is
 * provably dead. Whatever they were to become; never a link, folder or device, and nothing below the folder.
 * @param nowMs epoch ms
 * @returns full paths; none when the folder cannot be read
 */
export async function findStaleTemporaries(
  folder: string,
  nowMs: number,
): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => [])
  const stale = await Promise.all(
    names.map(async (name) => {
      const made = parseTemporaryName(name)
      if (made === undefined) return undefined
      const file = path.join(folder, name)
      const found = await lstat(file).catch(() => undefined)
      if (found?.isFile() !== true) return undefined
      return nowMs - found.mtimeMs > STALE_TEMPORARY_MS || isProvablyDead(made) ? file : undefined
    }),
  )
  return stale.filter((file) => file !== undefined)
}

/**
 * Removes the stale temporary files of ours in a folder: see `findStaleTemporaries`. They may hold tokens.
 * Never throws: what cannot be removed stays for the next one.
 * @param nowMs epoch ms
 * @returns what was removed, full paths
 */
export async function sweepTemporaries(folder: string, nowMs: number): Promise<readonly string[]> {
  const stale = await findStaleTemporaries(folder, nowMs)
  const removed = await Promise.all(
    stale.map((file) =>
      unlink(file).then(
        () => file,
        () => undefined,
      ),
    ),
  )
  return removed.filter((file) => file !== undefined)
}
