import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { build } from 'esbuild'
import { afterAll, beforeAll } from 'vitest'

import { repositoryRoot } from './repository.js'

/**
 * Bundles a TypeScript file for use as a process of its own, once per test file.
 * @param source path from the root of the repository
 * @returns a function that answers with the path of the bundle
 */
export function bundledWorker(source: string): () => string {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'oc-codex-worker-'))
    await bundleWorker(source, path.join(folder, 'worker.mjs'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  return () => path.join(folder, 'worker.mjs')
}

/** Bundles a TypeScript file of the repository for Node, with all it imports. */
export async function bundleWorker(source: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [path.join(repositoryRoot, source)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    mainFields: ['module', 'main'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  })
}
