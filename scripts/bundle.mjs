/** What is bundled how: one ESM file per entry, and a chunk for what is behind a dynamic import. */
import { build } from 'esbuild'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'))

/** Some bundled CommonJS dependencies call `require` for Node builtins. */
const REQUIRE =
  "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);\n"

/** Tells Bun that a file is plain JavaScript: it runs as it is, in place of being parsed and printed first. */
const READY = '// @bun\n'

/** Imports that the host resolves at run time (TUI) and must stay bare and literal. */
const HOST_MODULES = ['@opentui/*', 'solid-js', 'solid-js/*']
/** The host rewrites `from "…"` as text: without the space, which minifying takes away, it finds nothing to rewrite. */
const HOST_IMPORTS = /\bfrom"(?=@opentui\/|solid-js[/"])/g

/**
 * Which files import which first, so that what they share comes out as few chunks: esbuild makes one for each set of
 * entries that reach a module, and each file costs the host about as long as 10 kB of code. What every start loads is
 * reached by all of them, what the first request needs by all but the start.
 */
const START = 'lib/plugin.ts'
const REQUESTS = 'lib/core.ts'
const LOADED_LATER =
  /^(?:scripts\/cli|lib\/(?:tools-entry|calls-entry|dialog-entry|core-late|settings-entry|slash-commands\/(?:commands|prompt-templates)|tui\/process-channel|host-setup\/older-screen|request\/late\/late|request\/trace\/snapshots|request\/(?:legacy\/legacy|transport\/ways)|tokens\/engine|kernel\/files\/(?:writing|patience)|catalogue\/(?:client-versions|catalogue|catalogue-text)|accounts\/(?:store\/transactions|project\/host-folder)|accounts\/keychain\/seal|accounts\/keychain\/keychain-(?:command|module|open|problem)|cli\/(?:menu.*|drill\/(?:drill|worker))|shell\/turn-parts))\.ts$/

const grouped = {
  name: 'grouped',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
      const name = path.relative(root, file).replaceAll('\\', '/')
      const first = name === REQUESTS ? START : LOADED_LATER.test(name) ? REQUESTS : undefined
      if (first === undefined) return undefined
      const text = await readFile(file, 'utf8')
      return {
        contents: `${text}\nimport ${JSON.stringify(path.join(root, first))}\n`,
        loader: 'ts',
      }
    })
  },
}

/**
 * The schema library in small has a copy of its own: esbuild shares whole files, and the core of both libraries is one file,
 * of which the small one uses a sixth.
 */
const small = {
  name: 'small',
  setup({ onResolve, onLoad, resolve: find }) {
    const within = async (name, resolveDir) => {
      const found = await find(name, { kind: 'import-statement', resolveDir, pluginData: 'small' })
      return { path: found.path, namespace: 'small', sideEffects: found.sideEffects }
    }
    onResolve({ filter: /^zod\/mini$/ }, ({ path: name, resolveDir, pluginData }) =>
      pluginData === 'small' ? undefined : within(name, resolveDir),
    )
    onResolve({ filter: /./, namespace: 'small' }, ({ path: name, resolveDir, pluginData }) =>
      pluginData === 'small' ? undefined : within(name, resolveDir),
    )
    onLoad({ filter: /./, namespace: 'small' }, async ({ path: file }) => ({
      contents: await readFile(file, 'utf8'),
      loader: 'js',
      resolveDir: path.dirname(file),
    }))
  },
}

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
      settings: 'lib/settings-entry.ts',
      dialog: 'lib/dialog-entry.ts',
      cli: 'scripts/cli.ts',
      'drill-worker': 'lib/cli/drill/worker.ts',
    },
    outdir,
    splitting: true,
    chunkNames: 'chunk-[name]-[hash]',
    plugins: [small, grouped],
    write: false,
  })
  await writeServer(server)
  const tui = await build({
    ...shared,
    write: false,
    entryPoints: { tui: 'tui.ts' },
    outdir,
    ...(hostModules === undefined ? { external: HOST_MODULES } : { alias: hostModules }),
    banner: { js: REQUIRE },
  })
  for (const { path: file, text } of tui.outputFiles) {
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, text.replace(HOST_IMPORTS, 'from "'))
  }
  return { server: server.metafile, tui: tui.metafile }
}

/**
 * Writes the bundles of the server. esbuild's own helpers are a chunk that every other one imports, used or not: only who
 * uses it keeps the import, and only this chunk makes a `require`, which costs a start in Bun 3 ms.
 */
async function writeServer({ outputFiles, metafile }) {
  const helpers = outputFiles.find(({ text }) => text.startsWith('var __create='))
  const name = path.basename(helpers?.path ?? '')
  const idle = `import"./${name}";`
  for (const [file, { imports }] of Object.entries(metafile.outputs)) {
    const { text } = outputFiles.find((one) => one.path === path.resolve(root, file))
    if (text.includes(idle))
      imports.splice(
        imports.findIndex((one) => path.basename(one.path) === name),
        1,
      )
  }
  for (const output of outputFiles) {
    const text = output.text.replace(idle, '')
    await mkdir(path.dirname(output.path), { recursive: true })
    // What begins with `#!` runs in Node.
    const head = text.startsWith('#!') ? '' : output === helpers ? READY + REQUIRE : READY
    await writeFile(output.path, head + text)
  }
}
