import { mkdir } from 'node:fs/promises'
import path from 'node:path'

import { systemCode } from './system-code.js'

/**
 * Makes a folder with those above it that are missing. Of a disk that takes no writes Node says that something is missing;
 * here the error is that of the step which fails.
 * @returns the first folder that was made; undefined where it was there
 * @throws the system's error
 */
export async function makeFolders(folder: string, mode = 0o700): Promise<string | undefined> {
  const make = () => mkdir(folder, { recursive: true, mode })
  return make().catch(async (error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error
    await makeStepwise(folder, mode)
    return make()
  })
}

async function makeStepwise(folder: string, mode: number): Promise<void> {
  const above = path.dirname(folder)
  const make = async (): Promise<void> => {
    await mkdir(folder, { mode }).catch((error: unknown) => {
      if (systemCode(error) !== 'EEXIST') throw error
    })
  }
  await make().catch(async (error: unknown) => {
    if (systemCode(error) !== 'ENOENT' || above === folder) throw error
    await makeStepwise(above, mode)
    await make()
  })
}
