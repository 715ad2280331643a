/**
 * Bundles the published files: one ESM file per entry, no runtime dependency, and the licences of what is inside.
 * What is behind a dynamic import becomes a chunk that is loaded when somebody asks for it.
 */
import { build } from 'esbuild'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile, copyFile, readdir, chmod } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import path from 'node:path'
import os from 'node:os'

const root = path.resolve(import.meta.dirname, '..')
const dist = path.join(root, 'dist')
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

await rm(dist, { recursive: true, force: true })
await mkdir(dist, { recursive: true })

const server = await build({
  ...shared,
  entryPoints: { index: 'index.ts', tools: 'lib/tools-entry.ts', limits: 'lib/limits-entry.ts' },
  outdir: dist,
  splitting: true,
  chunkNames: 'chunk-[name]-[hash]',
  banner: { js: REQUIRE_BANNER },
})
const cli = await build({
  ...shared,
  entryPoints: { cli: 'scripts/cli.ts' },
  outdir: dist,
  splitting: true,
  chunkNames: 'cli-[name]-[hash]',
  banner: { js: REQUIRE_BANNER },
})
// The host rewrites `from "…"` as text: without the space, which minifying takes away, it finds nothing to rewrite.
const tui = await build({
  ...shared,
  minifyWhitespace: false,
  entryPoints: { tui: 'tui.ts' },
  outdir: dist,
  external: HOST_MODULES,
  banner: { js: REQUIRE_BANNER },
})

await chmod(path.join(dist, 'cli.js'), 0o755)
await writeTypes()
await writeLicences([server, cli, tui])

async function writeTypes() {
  const out = await mkdtemp(path.join(os.tmpdir(), 'types-'))
  try {
    const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    execFileSync(
      process.execPath,
      [tsc, '-p', path.join(root, 'tsconfig.build.json'), '--outDir', out],
      { cwd: root, stdio: 'inherit' },
    )
    for (const name of ['index', 'tui'])
      await copyFile(path.join(out, `${name}.d.ts`), path.join(dist, `${name}.d.ts`))
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}

async function writeLicences(results) {
  const packages = new Set()
  for (const { metafile } of results) {
    for (const input of Object.keys(metafile.inputs)) {
      const match = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(
        input.slice(input.lastIndexOf('node_modules/')),
      )
      if (match) packages.add(match[1])
    }
  }
  const parts = []
  for (const name of [...packages].sort()) {
    const dir = path.join(root, 'node_modules', name)
    if (!existsSync(dir)) continue
    const manifest = JSON.parse(await readFile(path.join(dir, 'package.json'), 'utf8'))
    const file = (await readdir(dir)).find((entry) => /^licen[cs]e/i.test(entry))
    if (!file) throw new Error(`${name} is bundled but ships no licence file`)
    const text = await readFile(path.join(dir, file), 'utf8')
    parts.push(`${name} ${manifest.version} (${manifest.license})\n\n${text.trim()}\n`)
  }
  const rule = `\n${'-'.repeat(78)}\n\n`
  await writeFile(
    path.join(dist, 'THIRD_PARTY_LICENSES'),
    `Licences of the packages bundled in this distribution.\n${rule}${parts.join(rule)}`,
  )
}
