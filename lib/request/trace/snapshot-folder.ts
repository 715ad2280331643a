import { chmod, readdir, stat, unlink } from 'node:fs/promises'
import path from 'node:path'

import { writeFileAtomic } from '../../kernel/files/replace-file.js'
import { makeFolders } from '../../kernel/make-folders.js'
import { sweepTemporaries } from '../../kernel/files/temporaries.js'

/** What the folder holds at most; the oldest go first. */
export const MAX_SNAPSHOTS = 200
const MAX_FOLDER_BYTES = 20 * 1024 * 1024

/** When it was taken, which process took it, and which of its snapshots it is: names in the order of time. */
const NAME = /^\d{13}-\d{1,10}-\d{1,9}\.json$/

/** Where the snapshots of every window lie. @param logsDir of the plugin */
export function snapshotsDirOf(logsDir: string): string {
  return path.join(logsDir, 'snapshots')
}

/** The name of a new snapshot. Pure. */
export function snapshotName(atMs: number, pid: number, sequence: number): string {
  return `${String(Math.max(0, Math.trunc(atMs))).padStart(13, '0')}-${pid}-${sequence}.json`
}

/** The newest snapshots, oldest first, full paths; none where there is no folder. */
export async function listSnapshots(dir: string, most = MAX_SNAPSHOTS): Promise<readonly string[]> {
  const names = await readdir(dir).catch(() => [])
  return names
    .filter((name) => NAME.test(name))
    .sort(inTime)
    .slice(-most)
    .map((name) => path.join(dir, name))
}

/** Writes one in one step, readable by the user alone, and takes away the oldest where there are too many. */
export async function writeSnapshot(dir: string, name: string, text: string): Promise<void> {
  await makeFolders(dir)
  await chmod(dir, 0o700)
  await writeFileAtomic(path.join(dir, name), text, { isLosable: true })
  await makeRoom(dir)
}

/** What a killed window left half written, when a window begins to write. */
export async function sweepSnapshots(dir: string, nowMs: number): Promise<void> {
  await sweepTemporaries(dir, nowMs)
}

/** Other windows do the same at the same time: what one has taken away is gone for all. */
async function makeRoom(dir: string): Promise<void> {
  const files = await listSnapshots(dir, Infinity)
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  let left = files.length
  let bytes = sizes.reduce((sum, size) => sum + size, 0)
  for (const [index, file] of files.entries()) {
    if (left <= MAX_SNAPSHOTS && bytes <= MAX_FOLDER_BYTES) return
    await unlink(file).catch(() => undefined)
    left -= 1
    bytes -= sizes[index] ?? 0
  }
}

function inTime(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
