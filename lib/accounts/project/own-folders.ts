import { chmod, lstat, readdir } from 'node:fs/promises'
import path from 'node:path'

import type { Paths } from '../../kernel/files/paths.js'

/** A folder or file that more people than its owner get at. */
export interface OpenPlace {
  readonly path: string
  readonly kind: 'folder' | 'file'
  /** Permission bits. */
  readonly mode: number
  /** It is ours and nobody else's: it may be closed. The host's folders are for their owner to close. */
  readonly isOurs: boolean
}

const FOR_OTHERS = 0o077
const WRITE_FOR_OTHERS = 0o022
/** Files beside others' in `~/.opencode` that are ours by their names. */
const OUR_FILE = /^\.?(?:oc-codex-multi-auth|openai-codex)-/

/**
 * Closes a folder of ours to everybody but its owner, where it is a folder and its owner is who runs this. Never throws, never
 * follows a link, never touches what belongs to somebody else.
 * @returns whether it was open and is closed now
 */
export async function closeFolder(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined)
  if (found === undefined || process.getuid === undefined || found.uid !== process.getuid())
    return false
  if (!found.isDirectory() || (found.mode & FOR_OTHERS) === 0) return false
  return chmod(folder, 0o700).then(
    () => true,
    () => false,
  )
}

/** Closes a place that `openPlaces` found. @throws the system's error, and where the disk keeps no permissions */
export async function close(place: OpenPlace): Promise<void> {
  await chmod(place.path, place.kind === 'folder' ? 0o700 : 0o600)
  if (((await lstat(place.path)).mode & FOR_OTHERS) !== 0)
    throw new Error(`the disk of ${place.path} keeps no permissions`)
}

/**
 * Every folder and file of ours that others get at, and the folders of the host that hold files of ours and that others may
 * write. Reads metadata alone; never throws. Empty on Windows, where bits say nothing.
 */
export async function openPlaces(paths: Paths): Promise<readonly OpenPlace[]> {
  if (process.platform === 'win32') return []
  const homes = [paths.root, ...(await projectHomes(paths))]
  const inner = homes.flatMap((home) => ['backups', 'refresh'].map((name) => path.join(home, name)))
  const { projectsDir, cacheDir, logsDir } = paths
  const ours = [...homes, ...inner, projectsDir, cacheDir, path.dirname(logsDir), logsDir]
  const hosts = [paths.stateDir, paths.hostConfigDir, path.dirname(paths.hostAuthFile)]
  const files = await Promise.all([
    ...homes.map((folder) => filesIn(folder, (name) => OUR_FILE.test(name))),
    ...inner.map((folder) => filesIn(folder, () => true)),
  ])
  const places = await Promise.all([
    ...[...new Set(ours)].map((folder) => openAt(folder, 'folder', FOR_OTHERS)),
    ...files.flat().map((file) => openAt(file, 'file', FOR_OTHERS)),
    ...hosts.map(async (folder) => {
      const place = await openAt(folder, 'folder', WRITE_FOR_OTHERS)
      return place && { ...place, isOurs: false }
    }),
  ])
  return places.filter((place) => place !== undefined)
}

async function openAt(
  place: string,
  kind: OpenPlace['kind'],
  bits: number,
): Promise<OpenPlace | undefined> {
  const found = await lstat(place).catch(() => undefined)
  const isKind = kind === 'folder' ? found?.isDirectory() : found?.isFile()
  if (found === undefined || isKind !== true || (found.mode & bits) === 0) return undefined
  return { path: place, kind, mode: found.mode & 0o777, isOurs: found.uid === process.getuid?.() }
}

/** Files of a folder, links and folders left out; none where it cannot be read. */
export async function filesIn(
  folder: string,
  isWanted: (name: string) => boolean,
): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile() && isWanted(entry.name))
    .map((entry) => path.join(folder, entry.name))
}

/** The folders in which projects keep accounts of their own. */
export async function projectHomes({
  projectsDir,
}: Pick<Paths, 'projectsDir'>): Promise<readonly string[]> {
  const names = await readdir(projectsDir).catch(() => [])
  return names.map((name) => path.join(projectsDir, name))
}
