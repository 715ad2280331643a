import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

import type { PublishedPackage } from './registry.js'
import { readManifest, repositoryRoot } from './repository.js'

/** Everything the tarball is made from. */
const SOURCES = [
  'index.ts',
  'tui.ts',
  'lib',
  'simulator',
  'config',
  'scripts',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'README.md',
  'LICENSE',
]

/**
 * Builds and packs this package as it would be published, once per state of the sources.
 * The build runs in a copy, so that tests, the demo and a developer's own build never meet in `dist`.
 * @returns the tarball below `.tmp/pack` and its manifest
 */
export async function packPackage(): Promise<PublishedPackage> {
  const manifest = readManifest(repositoryRoot)
  const packs = path.join(repositoryRoot, '.tmp', 'pack')
  const folder = path.join(packs, await hashOfSources())
  const tarball = path.join(folder, `${manifest.name}-${manifest.version}.tgz`)
  if (existsSync(tarball)) return { manifest, tarball }

  await mkdir(packs, { recursive: true })
  const work = await mkdtemp(path.join(packs, 'work-'))
  try {
    const copy = path.join(work, 'repository')
    await mkdir(copy)
    for (const source of existing())
      await cp(path.join(repositoryRoot, source), path.join(copy, source), { recursive: true })
    await symlink(
      path.join(repositoryRoot, 'node_modules'),
      path.join(copy, 'node_modules'),
      'junction',
    )
    const run = promisify(execFile)
    await run(process.execPath, ['scripts/build.mjs'], { cwd: copy })
    await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', work], {
      cwd: copy,
    })
    await rm(copy, { recursive: true, force: true })
    await removeOldPacks(packs, path.basename(work))
    await rename(work, folder).catch(async (error: unknown) => {
      // Another process packed the same sources meanwhile.
      if (!existsSync(tarball)) throw error
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return { manifest, tarball }
}

function existing(): string[] {
  return SOURCES.filter((source) => existsSync(path.join(repositoryRoot, source)))
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256')
  for (const source of existing()) {
    for (const file of await filesBelow(path.join(repositoryRoot, source))) {
      hash
        .update(path.relative(repositoryRoot, file))
        .update('\0')
        .update(await readFile(file))
        .update('\0')
    }
  }
  return hash.digest('hex').slice(0, 16)
}

async function filesBelow(place: string): Promise<string[]> {
  const entries = await readdir(place, { recursive: true, withFileTypes: true }).catch(
    () => undefined,
  )
  if (entries === undefined) return [place]
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
}

/** One pack of the newest sources is enough; a running test has its tarball in the registry's memory. */
async function removeOldPacks(packs: string, keep: string): Promise<void> {
  const old = (await readdir(packs)).filter((name) => name !== keep && !name.startsWith('work-'))
  for (const name of old) await rm(path.join(packs, name), { recursive: true, force: true })
}
