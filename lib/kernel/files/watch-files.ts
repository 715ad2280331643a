import { type FSWatcher, watch } from 'node:fs'
import path from 'node:path'

import { realPathOrSame } from './real-path.js'

/** Follows files through watches of their folders: a file that is replaced loses a watch of its own. */
export interface FileWatch {
  /** Watches what is not watched yet: a folder may be made later, or a watch may have ended. Never throws. */
  start(): void
  /** False where nothing tells of changes: no folder yet, no watches left, not started or closed. */
  isWatching(): boolean
  close(): void
}

/**
 * Creates a watch that is off until `start`. It never keeps the process alive, and it may report a change where there was
 * none. Network drives report nothing at all.
 * @param settleMs several events of one write become one call, this much later; 0 reports each at once
 */
export function watchFiles(
  files: readonly string[],
  onChange: () => void,
  settleMs = 0,
): FileWatch {
  const watchers = new Map<string, FSWatcher>()
  let folders: ReadonlyMap<string, readonly string[]> = new Map()
  let settle: NodeJS.Timeout | undefined
  let closed = false

  function report(): void {
    if (settleMs === 0) {
      onChange()
      return
    }
    settle ??= setTimeout(() => {
      settle = undefined
      onChange()
    }, settleMs).unref()
  }

  function watchFolder(folder: string, names: readonly string[]): void {
    const end = (): void => {
      watchers.get(folder)?.close()
      watchers.delete(folder)
    }
    try {
      const watcher = watch(folder, { persistent: false }, (_event, changed) => {
        if (names.some((name) => mayMean(name, changed))) report()
      })
      watchers.set(folder, watcher.on('error', end))
    } catch {
      end()
    }
  }

  return {
    start() {
      if (closed || (watchers.size > 0 && watchers.size === folders.size)) return
      folders = foldersOf(files)
      for (const [folder, names] of folders) if (!watchers.has(folder)) watchFolder(folder, names)
    },
    isWatching: () => watchers.size > 0 && watchers.size === folders.size,
    close() {
      closed = true
      clearTimeout(settle)
      for (const watcher of watchers.values()) watcher.close()
      watchers.clear()
    },
  }
}

/** The names to look for in each folder. A write through another link to a file shows where the file really lies. */
function foldersOf(files: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const paths = [...new Set(files.flatMap((file) => [path.resolve(file), realPathOrSame(file)]))]
  return new Map(
    paths.map((file) => [
      path.dirname(file),
      paths
        .filter((other) => path.dirname(other) === path.dirname(file))
        .map((other) => path.basename(other)),
    ]),
  )
}

/** Bun, in which OpenCode runs, names only the temporary file when it is renamed to the real one. Null, or nothing in Bun: the system tells none. */
function mayMean(file: string, changed: string | null | undefined): boolean {
  return (
    changed == null ||
    changed === file ||
    (changed.startsWith(`.${file}.`) && changed.endsWith('.tmp'))
  )
}
