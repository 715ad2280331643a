import path from 'node:path'

import { findProjectRoot } from '../accounts/project/project.js'
import { isSamePath } from '../kernel/files/real-path.js'

/** Tells of a folder in the configuration whether it is the project one works in. */
export function isHereIn(directory: string, home: string): (folder: string) => boolean {
  const root = findProjectRoot(directory, home) ?? directory
  return (folder) => path.isAbsolute(folder) && isSamePath(folder, root)
}
