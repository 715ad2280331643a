/**
 * `npm run mutation`: changes the code of a area in one place at a time and runs the unit tests of that area. A change
 * that no test notices ("survived") is behaviour that nothing protects. Slow by nature, so a seeded sample is the rule.
 */
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'

import { Stryker } from '@stryker-mutator/core'

import { OUTSIDE_SAMPLE } from './mutation-sample.mjs'
import { leftOut, areas } from './mutation-areas.mjs'
import { root } from './steps.mjs'

const HELP = `Usage: npm run mutation [-- options]

  --areas a,b        areas to test (${Object.keys(areas).join(', ')}); all without it
  --sample N         mutants per area (default 120); "all" for every one
  --seed S           another sample (default 1); the same seed gives the same mutants
  --files pattern    only files that match, like "lib/request/**/stream-*.ts"
  --concurrency N    test runners at the same time (default 1)
  --floor N          exit code 1 when an area kills less than N percent
  --json             print one JSON document
  --check            only check that the files named in mutation-areas.mjs exist
  --help             this text

Score: killed and timed out, of all mutants in the sample; those that no test reaches count against it.
`

const { values } = parseArgs({
  options: {
    areas: { type: 'string' },
    sample: { type: 'string', default: '120' },
    seed: { type: 'string', default: '1' },
    files: { type: 'string' },
    concurrency: { type: 'string', default: '1' },
    floor: { type: 'string' },
    json: { type: 'boolean' },
    check: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
})

if (values.help) process.stdout.write(HELP)
else process.exitCode = await main()

async function main() {
  process.chdir(root)
  const missing = await missingPaths()
  if (missing.length > 0) {
    process.stderr.write(
      `scripts/mutation-areas.mjs names paths without TypeScript files: ${missing.join(', ')}\n`,
    )
    return 1
  }
  if (values.check) return 0
  const names = values.areas?.split(',') ?? Object.keys(areas)
  const unknown = names.filter((name) => !(name in areas))
  if (unknown.length > 0) {
    process.stderr.write(
      `There is no area "${unknown.join('", "')}". Areas: ${Object.keys(areas).join(', ')}\n`,
    )
    return 1
  }
  const reports = []
  for (const name of names) {
    const report = await mutate(name)
    if (report.files > 0) reports.push(report)
  }
  process.stdout.write(values.json ? `${JSON.stringify(reports, undefined, 2)}\n` : asText(reports))
  const floor = Number(values.floor ?? 0)
  return reports.length > 0 && reports.every(({ score }) => score >= floor) ? 0 : 1
}

/** @returns {Promise<string[]>} the paths of the areas below which there is no TypeScript file */
async function missingPaths() {
  const paths = Object.values(areas)
    .flatMap(({ code, tests }) => [...code, ...tests])
    .concat(leftOut)
  const found = await Promise.all(paths.map((each) => typescriptBelow(each)))
  return paths.filter((_, index) => found[index].length === 0)
}

/** @returns {Promise<string[]>} the file itself, or the TypeScript files below the folder; none when it is gone */
async function typescriptBelow(place) {
  const found = await stat(path.join(root, place)).catch(() => undefined)
  if (found === undefined) return []
  if (found.isFile()) return [place]
  const names = await readdir(path.join(root, place), { recursive: true })
  return names
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => path.posix.join(place, name.replaceAll(path.sep, '/')))
    .sort()
}

async function mutate(name) {
  const wanted = values.files === undefined ? /./ : asExpression(values.files)
  const code = (await Promise.all(areas[name].code.map(typescriptBelow))).flat()
  const files = code.filter((file) => wanted.test(file))
  if (files.length === 0) return { area: name, files: 0, score: 100 }
  const tests = (await Promise.all(areas[name].tests.map(typescriptBelow))).flat()
  process.env.MUTATION_TESTS = tests
    .filter((file) => file.endsWith('.test.ts') && !leftOut.includes(file))
    .join('\n')
  const results = await new Stryker({
    mutate: files,
    testRunner: 'vitest',
    vitest: { configFile: 'vitest.mutation.config.ts', related: false },
    plugins: ['@stryker-mutator/vitest-runner', './scripts/mutation-sample.mjs'],
    checkers: ['sample'],
    sample: {
      seed: values.seed,
      size: values.sample === 'all' ? Number.MAX_SAFE_INTEGER : Number(values.sample),
    },
    warnings: { unknownOptions: false },
    coverageAnalysis: 'perTest',
    ignoreStatic: true,
    disableTypeChecks: true,
    concurrency: Number(values.concurrency),
    timeoutMS: 10_000,
    tempDirName: '.tmp/mutation',
    reporters: values.json ? [] : ['progress-append-only'],
    logLevel: 'warn',
    ignorePatterns: ['dist', 'coverage', '.git'],
  }).runMutationTest()
  return reportOf(name, files, results)
}

function reportOf(name, files, results) {
  const sample = results.filter(
    ({ status, statusReason }) => status !== 'Ignored' && statusReason !== OUTSIDE_SAMPLE,
  )
  const having = (status) => sample.filter((mutant) => mutant.status === status)
  const noticed = having('Killed').length + having('Timeout').length
  return {
    area: name,
    files: files.length,
    mutants: sample.length,
    killed: having('Killed').length,
    timedOut: having('Timeout').length,
    survived: having('Survived').length,
    uncovered: having('NoCoverage').length,
    score: sample.length === 0 ? 100 : Math.round((1000 * noticed) / sample.length) / 10,
    alive: [...having('Survived'), ...having('NoCoverage')].map(asAlive).sort(byPlace),
  }
}

function asAlive({ status, fileName, location, mutatorName, replacement }) {
  return {
    file: path.relative(root, fileName),
    line: location.start.line,
    column: location.start.column,
    mutator: mutatorName,
    replacement: replacement.replace(/\s+/g, ' '),
    covered: status === 'Survived',
  }
}

function byPlace(a, b) {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1
  return a.line - b.line || a.column - b.column
}

function asText(reports) {
  const lines = ['area       files  mutants  killed  timed out  survived  uncovered  score']
  for (const { area, files, mutants, killed, timedOut, survived, uncovered, score } of reports) {
    const cells = [files, mutants, killed, timedOut, survived, uncovered, `${score} %`]
    const widths = [5, 7, 6, 9, 8, 9, 6]
    lines.push(
      `${area.padEnd(9)}  ${cells.map((cell, index) => String(cell).padStart(widths[index])).join('  ')}`,
    )
  }
  for (const { area, alive } of reports) {
    if (alive.length > 0) lines.push('', `${area}: alive`)
    for (const { file, line, mutator, replacement, covered } of alive) {
      const text = replacement.length > 60 ? `${replacement.slice(0, 59)}…` : replacement
      lines.push(`  ${file}:${line} ${mutator} → ${text}${covered ? '' : ' (no test reaches it)'}`)
    }
  }
  return `${lines.join('\n')}\n`
}

/** `**` stands for any folders, `*` for any part of a name. */
function asExpression(pattern) {
  const source = pattern
    .replace(/[.+^${}()|[\]\\?]/g, '\\$&')
    .replace(/\*\*\/|\*\*|\*/g, (stars) =>
      stars === '*' ? '[^/]*' : stars === '**' ? '.*' : '(?:.*/)?',
    )
  return new RegExp(`^${source}$`)
}
