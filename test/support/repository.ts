import { existsSync, readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import * as z from 'zod'

const PACKAGE_NAME = 'oc-codex-multi-auth'

const Manifest = z.looseObject({ name: z.string(), version: z.string() })

/** The parts of package.json that a registry serves; the rest is kept as it is. */
export type PackageManifest = z.infer<typeof Manifest>

/** Root of the repository; found by walking up, because the demo runs this file from a bundle. */
export const repositoryRoot = findRoot(import.meta.dirname)

/** Reads a manifest. */
export function readManifest(dir: string): PackageManifest {
  return Manifest.parse(JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8')))
}

/**
 * The TypeScript files of a folder with their text.
 * @param wanted gets each path from the root, with slashes
 */
export async function sourcesOf(
  folder: string,
  wanted: (file: string) => boolean = () => true,
): Promise<{ file: string; text: string }[]> {
  const names = await readdir(path.join(repositoryRoot, folder), { recursive: true })
  const files = names
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name.replaceAll(path.sep, '/')}`)
  return Promise.all(
    files.filter(wanted).map(async (file) => ({
      file,
      text: await readFile(path.join(repositoryRoot, file), 'utf8'),
    })),
  )
}

function findRoot(from: string): string {
  for (let dir = from; ; dir = path.dirname(dir)) {
    if (existsSync(path.join(dir, 'package.json')) && readManifest(dir).name === PACKAGE_NAME)
      return dir
    if (dir === path.dirname(dir))
      throw new Error(`no package.json of ${PACKAGE_NAME} above ${from}`)
  }
}
