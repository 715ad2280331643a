/**
 * Bundles the published files: one ESM file per entry, no runtime dependency, and the licences of what is inside.
 * What is behind a dynamic import becomes a chunk that is loaded when somebody asks for it.
 */
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile, copyFile, readdir, chmod } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import path from 'node:path'
import os from 'node:os'

import { bundle } from './bundle.mjs'

const root = path.resolve(import.meta.dirname, '..')
const dist = path.join(root, 'dist')

await rm(dist, { recursive: true, force: true })
await mkdir(dist, { recursive: true })

const metafiles = await bundle(dist)

await chmod(path.join(dist, 'cli.js'), 0o755)
await writeTypes()
await writeLicences(Object.values(metafiles))

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
  for (const { inputs } of results) {
    for (const input of Object.keys(inputs)) {
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
