import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'

import { systemCode } from './system-code.js'

/**
 * Makes a folder with those above it that are missing, for the user alone. Step by step: asked for several at once, Node says of a disk that takes
 * no writes that something is missing, and never comes back from one such as `/proc`.
 * @returns the first folder that was made; undefined where it was there
 * @throws the system's error of the step that failed
 */
export async function makeFolders(folder: string): Promise<string | undefined> {
  try {
    return await makeOne(folder)
  } catch (error) {
    const above = path.dirname(folder)
    if (systemCode(error) !== 'ENOENT' || above === folder) throw error
    const first = await makeFolders(above)
    const last = await makeOne(folder)
    return first ?? last
  }
}

async function makeOne(folder: string): Promise<string | undefined> {
  try {
    await mkdir(folder, { mode: 0o700 })
    return folder
  } catch (error) {
    // What is there in its place may be a file, or a link to nothing; some disks say other things of what is there.
    const found = await stat(folder).catch(() => undefined)
    if (found?.isDirectory() === true) return undefined
    throw error
  }
}
