import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { build, type BuildOptions } from 'esbuild'
import { afterAll, beforeAll } from 'vitest'

import { repositoryRoot } from '../../support/repository.js'

/** The programs whose points are counted, as files for Node. */
export interface Bundles {
  readonly cli: string
  readonly window: string
  /** For `node --require`. */
  readonly shim: string
}

const BANNER =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);"

/** Builds the command line as it is published, one window and the shim, once per test file. */
export function faultBundles(): () => Bundles {
  let folder = ''
  const shared: BuildOptions = {
    absWorkingDir: repositoryRoot,
    bundle: true,
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    define: { __PACKAGE_VERSION__: '"7.0.0"' },
    alias: { 'signal-exit': path.join(repositoryRoot, 'scripts', 'exit-hook.cjs') },
  }
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'oc-codex-points-'))
    await Promise.all([
      build({
        ...shared,
        format: 'esm',
        splitting: true,
        minifySyntax: true,
        minifyWhitespace: true,
        banner: { js: BANNER },
        outExtension: { '.js': '.mjs' },
        outdir: folder,
        entryPoints: { cli: 'scripts/cli.ts', window: 'test/chaos/points/request-window.ts' },
      }),
      build({
        ...shared,
        format: 'cjs',
        outfile: path.join(folder, 'shim.cjs'),
        entryPoints: ['test/chaos/points/fault-shim.ts'],
      }),
    ])
  }, 120_000)
  afterAll(() => rm(folder, { recursive: true, force: true }))
  return () => ({
    cli: path.join(folder, 'cli.mjs'),
    window: path.join(folder, 'window.mjs'),
    shim: path.join(folder, 'shim.cjs'),
  })
}
