import path from 'node:path'

import { findProjectRoot } from '../accounts/project/project.js'
import { isSamePath } from '../kernel/files/same-path.js'

/** Tells of a folder in the configuration whether it is the project one works in. */
export function isHereIn(directory: string, home: string): (folder: string) => boolean {
  const root = findProjectRoot(directory, home) ?? directory
  // Asked at every request: the disk is looked at once for each folder.
  const known = new Map<string, boolean>()
  return (folder) => {
    const meant = folder.replace(/^~(?=[\\/]|$)/, () => home)
    const isHere = known.get(folder) ?? (path.isAbsolute(meant) && isSamePath(meant, root))
    known.set(folder, isHere)
    return isHere
  }
}
