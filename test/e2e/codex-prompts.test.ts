import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'

import { expect, it } from 'vitest'

import { textOf } from '../../lib/collaboration/texts.js'
import { CODEX_PROMPTS, PROMPT_RELEASE, type PromptName } from '../../lib/prompts/codex-prompts.js'
import { CODEX_CLI_OF_TESTS, codexCli } from '../support/codex-cli.js'

/** How each text begins; the program holds it as it is. */
const BEGINNINGS: Readonly<Record<PromptName, string>> = {
  plan: '# Plan Mode (Conversational)',
  compaction: 'You are performing a CONTEXT CHECKPOINT',
  summaryPrefix: 'Another language model started',
}

it('the pinned texts are those in the Codex CLI of that release, and call no tool by a name that OpenCode does not know', async ({
  skip,
}) => {
  expect(PROMPT_RELEASE).toBe(`rust-v${CODEX_CLI_OF_TESTS}`)
  const cli = await codexCli()
  if ('missing' in cli) return skip(cli.missing)
  const program = await programBeside(cli.file)
  if (program === undefined) return skip('the program of the Codex CLI was not found')
  const texts = Object.entries(CODEX_PROMPTS).map(([name, { bytes, sha256 }]) => {
    const start = program.indexOf(BEGINNINGS[name as PromptName])
    const text = program.subarray(start, start + bytes)
    expect(createHash('sha256').update(text).digest('hex'), name).toBe(sha256)
    return [name, text.toString('utf8')] as const
  })
  const { plan } = Object.fromEntries(texts)
  const named = textOf('plan', plan).match(/\b[a-z]+_[a-z_]+\b/g) ?? []
  expect(named.filter((name) => name !== 'proposed_plan')).toEqual([])
})

/** The native program: far larger than anything else in its packages. */
async function programBeside(script: string): Promise<Buffer | undefined> {
  const packages = path.resolve(path.dirname(script), '..', '..')
  const files = await readdir(packages, { recursive: true })
  for (const name of files.filter((file) => /[/\\]codex(?:\.exe)?$/.test(file))) {
    const file = path.join(packages, name)
    const { size } = await stat(file)
    if (size > 20_000_000) return readFile(file)
  }
  return undefined
}
