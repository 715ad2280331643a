/** What is bundled how: one ESM file per entry, and a chunk for what is behind a dynamic import. */
import { build } from 'esbuild'
import { readFile } from 'node:fs/promises'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'))

/** Some bundled CommonJS dependencies call `require` for Node builtins. */
const REQUIRE_BANNER =
  "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);"

/** Imports that the host resolves at run time (TUI) and must stay bare and literal. */
const HOST_MODULES = ['@opentui/*', 'solid-js', 'solid-js/*']

const shared = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  mainFields: ['module', 'main'],
  legalComments: 'none',
  minifySyntax: true,
  minifyWhitespace: true,
  metafile: true,
  define: { __PACKAGE_VERSION__: JSON.stringify(version) },
  logLevel: 'warning',
}

/**
 * Writes the bundles to a folder.
 * @param {string} outdir
 * @param {Record<string, string>} [hostModules] modules to put in place of those the host supplies
 */
export async function bundle(outdir, hostModules) {
  const server = await build({
    ...shared,
    entryPoints: {
      index: 'index.ts',
      tools: 'lib/tools-entry.ts',
      dialog: 'lib/dialog-entry.ts',
      cli: 'scripts/cli.ts',
    },
    outdir,
    splitting: true,
    chunkNames: 'chunk-[name]-[hash]',
    banner: { js: REQUIRE_BANNER },
  })
  // The host rewrites `from "…"` as text: without the space, which minifying takes away, it finds nothing to rewrite.
  const tui = await build({
    ...shared,
    minifyWhitespace: false,
    entryPoints: { tui: 'tui.ts' },
    outdir,
    ...(hostModules === undefined ? { external: HOST_MODULES } : { alias: hostModules }),
    banner: { js: REQUIRE_BANNER },
  })
  return { server: server.metafile, tui: tui.metafile }
}
