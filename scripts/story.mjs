/** Bundles a script in TypeScript and loads it. Needs nothing but Node until it is called: what installs the packages may import it. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { root } from './steps.mjs'

/**
 * @template T
 * @param {string} name of the script in this folder, without `.ts`
 * @param {(story: any) => Promise<T>} play gets what it exports; its bundle is removed afterwards
 * @returns {Promise<T>}
 */
export async function playStory(name, play) {
  // Inside the repository, so that the bundle finds the packages and the sources.
  await mkdir(path.join(root, '.tmp'), { recursive: true })
  const folder = await mkdtemp(path.join(root, '.tmp', `${name}-`))
  try {
    const { build } = await import('esbuild')
    const bundle = path.join(folder, 'story.mjs')
    await build({
      entryPoints: [path.join(root, 'scripts', `${name}.ts`)],
      outfile: bundle,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      packages: 'external',
      define: { __PACKAGE_VERSION__: JSON.stringify(name) },
      logLevel: 'warning',
    })
    return await play(await import(pathToFileURL(bundle).href))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
