/**
 * Everything that can be judged without running the host: lint, types, unused code, build, package shape, size.
 * `npm run check` runs it with the unit tests; `npm test` runs it too and goes on with the real host.
 */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { bin, npm, root, step } from './steps.mjs'

/** Published size: what OpenCode downloads on every user's machine. */
const MAX_TARBALL_BYTES = 510_000

export async function staticChecks() {
  const node = process.execPath
  await step('generated files are up to date', node, ['scripts/generate.mjs', '--check'])
  await step('format', node, [bin('prettier/bin/prettier.cjs'), '--check', '.'])
  await step('lint', node, [bin('eslint/bin/eslint.js'), '.', '--max-warnings', '0'])
  await step('types', node, [bin('typescript/bin/tsc'), '--noEmit'])
  await step('unused code and dependencies', node, [bin('knip/bin/knip.js'), '--no-progress'])
  await step('workflows of the hosted CI', node, ['scripts/workflows.mjs'])
  await step('areas of the mutation tests', node, ['scripts/mutation.mjs', '--check'])
  await step('build', node, ['scripts/build.mjs'])
  await packageChecks()
}

async function packageChecks() {
  const out = await mkdtemp(path.join(os.tmpdir(), 'pack-'))
  try {
    await step(
      'pack',
      ...npm(['pack', '--silent', '--ignore-scripts', '--pack-destination', out]),
      { quiet: true },
    )
    const tarball = path.join(
      out,
      (await readdir(out)).find((name) => name.endsWith('.tgz')),
    )
    const { size } = await stat(tarball)
    process.stdout.write(
      `  tarball ${(size / 1000).toFixed(0)} kB of ${MAX_TARBALL_BYTES / 1000} kB\n`,
    )
    if (size > MAX_TARBALL_BYTES) throw new Error('the packed tarball is too large')
    await step('publint', process.execPath, [bin('publint/src/cli.js'), tarball, '--strict'])
    await step('are the types wrong', process.execPath, [
      bin('@arethetypeswrong/cli/dist/index.js'),
      tarball,
      '--profile',
      'esm-only',
      '--no-color',
    ])
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await staticChecks()
    await step('unit tests', process.execPath, [
      bin('vitest/vitest.mjs'),
      'run',
      '--project',
      'unit',
    ])
  } catch (error) {
    process.stdout.write(`\n${error.message}\n`)
    process.exitCode = 1
  }
  process.stdout.write(`\nchecked in ${path.basename(root)}\n`)
}
