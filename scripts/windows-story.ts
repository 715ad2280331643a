import type { Outcome } from './windows/outcome.js'
import { endWindows, runBeside, runUnit } from './windows/parts.js'
import { leaveFolder, setWindowsStage, takeFolder } from './windows/stage.js'
import { findWine } from './windows/wine.js'

interface WindowsOptions {
  readonly json: boolean
  readonly parts: readonly string[]
  /** Unit test files; all without any. */
  readonly files: readonly string[]
}

/**
 * Runs the parts below Wine and prints what came out.
 * @returns the exit code: 0 when nothing failed, or no Wine can be had; 1 when a test failed, 2 while another run goes on, 130
 * after Ctrl-C
 */
export async function testWindows({ json, parts, files }: WindowsOptions): Promise<number> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`)
  const found = await findWine(process.env, say)
  if ('missing' in found) {
    const sentence = `No Windows tests here: they need Wine 10 or newer, and ${found.missing}.`
    print(json, { missing: sentence, parts: [] }, [sentence], { skipped: parts.length })
    return 0
  }
  const { wine } = found
  const folder = await takeFolder(wine, process.env)
  if (folder === undefined) {
    say('Another run of these tests goes on for this working copy: wait for it, or stop it.')
    return 2
  }
  const abort = new AbortController()
  const stop = (): void => abort.abort()
  const isStopped = (): boolean => abort.signal.aborted
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  try {
    say(`${wine.version}${wine.root === '' ? '' : ` in ${wine.root}`}`)
    const stage = await setWindowsStage(wine, folder, say, abort.signal)
    const run = { stage, say, signal: abort.signal }
    const outcomes: Outcome[] = []
    try {
      for (const part of parts) {
        if (isStopped()) break
        say(`\n> ${part}`)
        const outcome = part === 'unit' ? await runUnit(run, files) : await runBeside(run, part)
        if (isStopped()) break
        say(`  ${countsOf(outcome)}, ${outcome.seconds} s`)
        outcomes.push(outcome)
      }
    } finally {
      await endWindows(stage)
    }
    if (isStopped()) {
      say('Stopped, and everything it had started with it.')
      return 130
    }
    const lines = outcomes.flatMap(linesOf)
    print(json, { wine: wine.version, parts: outcomes }, lines, totalOf(outcomes))
    return outcomes.every(({ failed }) => failed === 0) ? 0 : 1
  } catch (error) {
    if (isStopped()) return 130
    throw error
  } finally {
    await leaveFolder(folder)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, stop)
  }
}

type Counts = Partial<Pick<Outcome, 'passed' | 'failed' | 'skipped'>>

function print(json: boolean, summary: object, lines: readonly string[], counts: Counts): void {
  const whole = { passed: 0, failed: 0, skipped: 0, ...counts }
  process.stdout.write(
    json
      ? `${JSON.stringify({ ...summary, ...whole }, undefined, 2)}\n`
      : `${['', ...lines, countsOf(whole)].join('\n')}\n`,
  )
}

function countsOf({ passed = 0, failed = 0, skipped = 0 }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

function totalOf(outcomes: readonly Outcome[]): Counts {
  const sum = (of: (outcome: Outcome) => number): number =>
    outcomes.reduce((total, outcome) => total + of(outcome), 0)
  return {
    passed: sum(({ passed }) => passed),
    failed: sum(({ failed }) => failed),
    skipped: sum(({ skipped }) => skipped),
  }
}

function linesOf(outcome: Outcome): string[] {
  const { part, seconds, failures, leftOut } = outcome
  return [
    `${part}: ${countsOf(outcome)}, ${seconds} s`,
    ...failures.flatMap(({ test, why }) => [
      `  failed: ${test}`,
      ...(why === '' ? [] : [`    ${why}`]),
    ]),
    ...leftOut.map((line) => `  left out: ${line}`),
  ]
}
