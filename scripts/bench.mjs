/**
 * `npm run bench`: builds the plugin and measures it in Bun (the host's runtime) and in Node, beside plain `fetch` in the
 * same run. Prints medians, ratios and targets; never fails on a number.
 */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'

import { build } from 'esbuild'

import { bunCommand } from './opencode-binary.mjs'
import { root } from './steps.mjs'

/** Packages in CommonJS ask for it. */
const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);"

/** In the order in which they run. */
const PARTS = {
  'cold-start': 'import, factory and loader in fresh processes',
  'first-request': 'fresh processes until the first request, past limits, with an expired token',
  disk: 'bytes and operations on files while answers carry quota (a minute for each runtime)',
  whole: 'OpenCode itself with its builtin login and with the plugin (Bun only; not with --quick)',
  'until-upstream': 'from the call of the host to `fetch`, by size of the body',
  requests: 'CPU, time on the loopback, many at once',
  streams: 'long answers, by the size of their chunks and events',
  failover: 'limited accounts before one that is not',
  load: 'many requests, an expired token, a thousand accounts',
  transports: 'ways to the backend (Bun only)',
}
const HELP = `Usage: npm run bench [-- options]

  --quick    fewer rounds and smaller streams
  --runtime  bun or node; both without it
  --only     parts, with commas between them
  --json     print one JSON document
  --help     this text

Parts:
${Object.entries(PARTS)
  .map(([name, what]) => `  ${name.padEnd(16)}${what}\n`)
  .join('')}`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    json: { type: 'boolean' },
    runtime: { type: 'string' },
    only: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
})
if (values.help) {
  process.stdout.write(HELP)
  process.exit(0)
}

const only =
  values.only?.split(',') ?? Object.keys(PARTS).filter((part) => !values.quick || part !== 'whole')
const unknown = only.find((part) => !(part in PARTS))
if (unknown !== undefined) {
  process.stderr.write(`There is no part ${unknown}.\n\n${HELP}`)
  process.exit(2)
}

const folder = await mkdtemp(path.join(os.tmpdir(), 'oc-codex-bench-'))
// Below the repository, where they find OpenCode; the homes are elsewhere, in no project.
await mkdir(path.join(root, '.tmp'), { recursive: true })
const programs = await mkdtemp(path.join(root, '.tmp', 'bench-'))
const children = new Set()
try {
  await run(process.execPath, ['scripts/build.mjs'], { cwd: root })
  await Promise.all(
    ['upstream', 'tool-upstream', 'measure', 'outside'].map((name) => bundled(name)),
  )
  // What a fresh process loads is measured: nothing but the program itself.
  await Promise.all(['start-child', 'spaced-child'].map((name) => bundled(name, {})))
  const bun = bunCommand()
  const runtimes = [
    { runtime: 'bun', command: bun.command, env: bun.env },
    { runtime: 'node', command: process.execPath, env: {} },
  ].filter(({ runtime }) => values.runtime === undefined || values.runtime === runtime)
  const shared = {
    dist: path.join(root, 'dist'),
    upstream: `http://127.0.0.1:${await started('upstream')}`,
    ports: JSON.parse(await started('tool-upstream')),
    isQuick: values.quick === true,
    only,
  }
  const results = {}
  for (const { runtime, command, env } of runtimes) {
    const home = path.join(folder, runtime)
    await mkdir(home)
    const rowsOf = async (program, name, more) => {
      const given = JSON.stringify({ ...shared, runtime, command, env, programs, folder, home })
      const text = await run(program, [path.join(programs, `${name}.mjs`), given], {
        env: {
          PATH: process.env.PATH,
          HOME: home,
          BENCH_SOURCES: path.join(root, 'lib'),
          BENCH_CAPTURE: path.join(root, 'test', 'fixtures', 'opencode', '02-first-turn.json'),
          ...more,
        },
      })
      return JSON.parse(text.trim().split('\n').at(-1))
    }
    results[runtime] = [
      ...(await rowsOf(process.execPath, 'outside', {})),
      ...(await rowsOf(command, 'measure', env)),
    ]
  }
  if (values.json) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`)
  else for (const [name, rows] of Object.entries(results)) print(name, rows)
} finally {
  for (const child of children) child.kill()
  for (const one of [folder, programs]) await rm(one, { recursive: true, force: true })
}

/** Bundles a program of test/bench. */
function bundled(name, banner = { js: REQUIRE }) {
  return build({
    entryPoints: [path.join(root, 'test', 'bench', `${name}.ts`)],
    outfile: path.join(programs, `${name}.mjs`),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner,
  })
}

/** Starts a server of ours in a process of its own. @returns the first line it prints */
function started(name) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(programs, `${name}.mjs`)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.add(child)
    child.once('error', reject)
    child.stdout.setEncoding('utf8').once('data', (line) => resolve(line.trim()))
  })
}

function run(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options })
    children.add(child)
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (part) => {
      text += part
    })
    child.once('error', reject)
    child.once('close', (code) => {
      children.delete(child)
      if (code === 0) resolve(text)
      else reject(new Error(`${command} ended with code ${code}`))
    })
  })
}

function print(name, rows) {
  const lines = rows.map((row) => {
    const { ours, best, p99, plain, unit } = row
    const ratio = plain >= 0.01 ? `${(ours / plain).toFixed(ours / plain < 0.1 ? 3 : 2)}×` : ''
    const [median, beside] = [ours, plain].map(
      (value) => value !== undefined && `${format(value)} ${unit}`,
    )
    const cells = [row.name, median, format(best), format(p99), beside || '', ratio]
    return `| ${[...cells, targetOf(row), verdictOf(row)].join(' | ')} |\n`
  })
  process.stdout.write(
    `\n${name}\n\n| Measurement | Ours | Best | p99 | Plain | Ratio | Target | |\n| --- | ---: | ---: | ---: | ---: | ---: | --- | --- |\n${lines.join('')}`,
  )
}

function targetOf({ target, of, unit, atLeast }) {
  if (target === undefined) return ''
  const bound = Number(target.toFixed(3))
  if (of === 'ratio') return `≤ ${bound}×`
  return `${atLeast ? '≥' : '≤'} ${of === 'added' ? 'plain + ' : ''}${bound} ${unit}`
}

function verdictOf({ target, of, ours, plain, atLeast }) {
  if (target === undefined) return ''
  const measured = of === 'ratio' ? ours / plain : of === 'added' ? ours - plain : ours
  return (atLeast ? measured >= target : measured <= target) ? 'pass' : 'miss'
}

function format(value) {
  if (value === undefined) return ''
  if (Number.isInteger(value)) return String(value)
  return Math.abs(value) >= 100
    ? value.toFixed(0)
    : Math.abs(value) >= 1
      ? value.toFixed(2)
      : value.toFixed(3)
}
