import { readFile } from 'node:fs/promises'

import * as z from 'zod'

/** How one part went. */
export interface Outcome {
  readonly part: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly seconds: number
  /** The tests that failed: file and title, and the first line of what they said. */
  readonly failures: readonly Failure[]
  /** Failed as they must below Wine; counted as skipped. */
  readonly leftOut: readonly string[]
}

interface Failure {
  readonly test: string
  readonly why: string
}

const Report = z.looseObject({
  testResults: z.array(
    z.looseObject({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.looseObject({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
})

interface Source {
  readonly part: string
  /** Vitest's JSON report. */
  readonly report: string
  /** Exit code of Vitest; undefined when it was ended. */
  readonly code: number | undefined
  readonly seconds: number
  /** Why a test cannot pass here, if so. */
  readonly leftOut: (file: string, title: string) => string | undefined
}

/** Reads what Vitest reported. A run without a report, or that failed without saying where, counts as one failure. */
export async function outcomeOf({
  part,
  report,
  code,
  seconds,
  leftOut,
}: Source): Promise<Outcome> {
  const parsed = Report.safeParse(await readFile(report, 'utf8').then(JSON.parse, () => undefined))
  const none = { part, passed: 0, failed: 1, skipped: 0, seconds, leftOut: [] }
  if (!parsed.success) return { ...none, failures: [{ test: part, why: 'there is no report' }] }
  const tests = parsed.data.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = /(?:^|[\\/])(test[\\/].*)$/.exec(name)?.[1]?.replaceAll('\\', '/') ?? name
    const each = assertionResults.map(({ fullName, status: was, failureMessages }) => ({
      file,
      title: fullName,
      status: was,
      why: failureMessages?.[0] ?? '',
    }))
    // A file that cannot even be loaded has no tests.
    const isBroken = status === 'failed' && !each.some((test) => test.status === 'failed')
    return isBroken
      ? [...each, { file, title: '(the file)', status: 'failed', why: message ?? '' }]
      : each
  })
  const failed = tests.filter(({ status }) => status === 'failed')
  const excused = failed.filter(({ file, title }) => leftOut(file, title) !== undefined)
  const failures = failed
    .filter((test) => !excused.includes(test))
    .map(({ file, title, why }) => ({ test: `${file} > ${title}`, why: why.split('\n')[0] ?? '' }))
  if (failures.length === 0 && excused.length === 0 && code !== 0)
    failures.push({ test: part, why: `Vitest ended with ${code ?? 'a signal'}` })
  const passed = tests.filter(({ status }) => status === 'passed').length
  return {
    part,
    passed,
    failed: failures.length,
    skipped: tests.length - passed - failed.length + excused.length,
    seconds,
    failures,
    leftOut: excused.map(({ file, title }) => `${file} > ${title}: ${leftOut(file, title) ?? ''}`),
  }
}
