import path from 'node:path'

/** A path, or a text with paths in it, as it would read with slashes: the tests name files that way on every system. */
export function inSlashes(text: string): string {
  return path.sep === '/' ? text : text.replaceAll(path.sep, '/')
}
