import path from 'node:path'

/** A folder and all that it lies in, the nearest first. Pure. */
export function foldersAbove(folder: string): readonly string[] {
  const above = path.dirname(folder)
  return above === folder ? [folder] : [folder, ...foldersAbove(above)]
}
