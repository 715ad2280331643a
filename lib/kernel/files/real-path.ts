import { lstatSync, readlinkSync, realpathSync } from 'node:fs'
import path from 'node:path'

import { systemCode } from '../system-code.js'

/** As many links as systems follow before they call it a loop. */
const MAX_LINKS = 40

/**
 * Where a file really lies: every link on the way is followed, also one to a file or folder that is still to be made.
 * Two names of one file have the same answer, so what lies beside it (locks, leases) is found by both.
 * @throws the system's error, ELOOP for links in a circle
 */
export function realPathOf(file: string): string {
  let current = path.resolve(file)
  for (let links = 0; links <= MAX_LINKS; links += 1) {
    try {
      return realpathSync.native(current)
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
    }
    const parent = path.dirname(current)
    if (parent === current) return current
    const place = path.join(realPathOf(parent), path.basename(current))
    if (lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return place
    current = path.resolve(path.dirname(place), readlinkSync(place))
  }
  throw Object.assign(new Error(`ELOOP: too many links at ${file}`), { code: 'ELOOP' })
}

/** The same for places where the trouble of a path is not the point: what cannot be followed is left as it is, and whoever opens it is told. */
export function realPathOrSame(file: string): string {
  try {
    return realPathOf(file)
  } catch {
    return path.resolve(file)
  }
}
