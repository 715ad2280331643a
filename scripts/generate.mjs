/** Writes the files that come from code; with `--check` only says which are stale. */
import { build } from 'esbuild'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { format, resolveConfig } from 'prettier'

const root = path.resolve(import.meta.dirname, '..')
const check = process.argv.includes('--check')
await mkdir(path.join(root, '.tmp'), { recursive: true })
const out = await mkdtemp(path.join(root, '.tmp', 'generate-'))
const stale = []
try {
  const bundle = path.join(out, 'files.mjs')
  await build({
    absWorkingDir: root,
    entryPoints: ['scripts/generated-files.ts'],
    outfile: bundle,
    bundle: true,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
  })
  const { generatedFiles } = await import(pathToFileURL(bundle).href)
  for (const { path: name, text, marker } of generatedFiles()) {
    const file = path.join(root, name)
    const before = await readFile(file, 'utf8').catch(() => '')
    const after =
      marker === undefined ? await formatted(file, text) : withPart(before, marker, text, name)
    if (before === after) continue
    stale.push(name)
    if (!check) await writeFile(file, after)
  }
} finally {
  await rm(out, { recursive: true, force: true })
}
for (const name of stale) process.stdout.write(`${check ? 'stale' : 'written'}: ${name}\n`)
if (check && stale.length > 0) {
  process.stdout.write('Run: npm run generate\n')
  process.exitCode = 1
}

/** Code that is made is held to the same form as code that is written. */
async function formatted(file, text) {
  if (!file.endsWith('.ts')) return text
  return format(text, { ...(await resolveConfig(file)), filepath: file })
}

function withPart(whole, marker, text, name) {
  const open = `<!-- generated:${marker} -->`
  const close = `<!-- /generated:${marker} -->`
  const start = whole.indexOf(open)
  const end = whole.indexOf(close)
  if (start < 0 || end < start) throw new Error(`${name} lacks the markers ${open} … ${close}`)
  return `${whole.slice(0, start + open.length)}\n${text}\n${whole.slice(end)}`
}
