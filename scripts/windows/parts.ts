import { readdir, readFile, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { repositoryRoot } from '../../test/support/repository.js'
import { whyLeftOut } from './left-out.js'
import { type Outcome, outcomeOf } from './outcome.js'
import type { WindowsStage } from './stage.js'
import { runCommand } from './started.js'
import { dosPath, endCommand, wineCommand } from './wine.js'

const VITEST = 'node_modules/vitest/vitest.mjs'
/** How often progress is looked at, ms. */
const LOOK_EVERY_MS = 10_000
/** A run of the unit tests that takes longer hangs, ms. */
const UNIT_LIMIT_MS = 45 * 60_000

interface Run {
  readonly stage: WindowsStage
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

/** The unit tests, in Node for Windows; those of `files`, or all. */
export async function runUnit(
  { stage, say, signal }: Run,
  files: readonly string[],
): Promise<Outcome> {
  const { prefix, tree, scratch, node } = stage
  const output = path.join(scratch, 'unit.txt')
  const report = path.join(scratch, 'unit.json')
  const total = files.length === 0 ? await countOfUnitFiles() : files.length
  const started = performance.now()
  let last = ''
  const look = setInterval(() => {
    void progressOf(output).then(({ done, failing }) => {
      const line = `unit: ${done} of ${total} files${failing > 0 ? `, ${failing} with failures` : ''}`
      if (line !== last) say((last = line))
    })
  }, LOOK_EVERY_MS)
  const limit = AbortSignal.any([signal, AbortSignal.timeout(UNIT_LIMIT_MS)])
  const code = await runCommand(
    wineCommand(prefix, tree, [
      dosPath(prefix, node),
      VITEST,
      'run',
      // Below Wine Node sees as many processors as the system says, or none.
      ...['--project', 'unit', '--no-color', `--maxWorkers=${os.availableParallelism()}`],
      ...['--reporter=default', '--reporter=json'],
      `--outputFile.json=${dosPath(prefix, report)}`,
      ...files,
    ]),
    { output, signal: limit },
  ).finally(() => clearInterval(look))
  if (limit.aborted) await endWindows(stage)
  const seconds = secondsSince(started)
  return outcomeOf({ part: 'unit', report, code, seconds, leftOut: whyLeftOut })
}

/** Tests that run on this side, beside Wine, and start Windows programs: those of test/windows with that name. */
export async function runBeside({ stage, signal }: Run, part: string): Promise<Outcome> {
  const report = path.join(stage.scratch, `${part}.json`)
  const description = path.join(stage.scratch, 'stage.json')
  await writeFile(description, JSON.stringify(stage))
  const started = performance.now()
  const code = await runCommand(
    [
      process.execPath,
      path.join(repositoryRoot, VITEST),
      'run',
      ...['--project', 'windows', '--reporter=default', '--reporter=json'],
      `--outputFile.json=${report}`,
      `test/windows/${part}.test.ts`,
    ],
    { cwd: repositoryRoot, env: { ...process.env, WINDOWS_STAGE: description }, signal },
  )
  if (signal.aborted) await endWindows(stage)
  const seconds = secondsSince(started)
  return outcomeOf({ part, report, code, seconds, leftOut: () => undefined })
}

/** Ends every Windows process of this working copy. */
export async function endWindows({ prefix, scratch }: WindowsStage): Promise<void> {
  const output = path.join(scratch, 'end.txt')
  await runCommand(endCommand(prefix), { output, signal: AbortSignal.timeout(30_000) })
}

async function progressOf(output: string): Promise<{ done: number; failing: number }> {
  const text = await readFile(output, 'utf8').catch(() => '')
  const done = text.match(/^ [✓❯×↓] \S*unit/gmu) ?? []
  return { done: done.length, failing: done.filter((line) => /[❯×]/u.test(line)).length }
}

async function countOfUnitFiles(): Promise<number> {
  const names = await readdir(path.join(repositoryRoot, 'test'), { recursive: true })
  return names.filter(
    (name) => name.endsWith('.test.ts') && !/^(?:e2e|chaos|bench|windows)\//.test(name),
  ).length
}

function secondsSince(started: number): number {
  return Math.round((performance.now() - started) / 100) / 10
}
