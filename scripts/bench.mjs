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

const HELP = `Usage: npm run bench [-- options]

  --quick    fewer rounds and smaller streams
  --runtime  bun or node; both without it
  --json     print one JSON document
  --help     this text
`

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, json: { type: 'boolean' }, runtime: { type: 'string' }, help: { type: 'boolean', short: 'h' } } })
if (values.help) {
  process.stdout.write(HELP)
  process.exit(0)
}

const folder = await mkdtemp(path.join(os.tmpdir(), 'oc-codex-bench-'))
const children = new Set()
try {
  await run(process.execPath, ['scripts/build.mjs'], { cwd: root })
  const bundle = (name) =>
    build({
      entryPoints: [path.join(root, 'test', 'bench', `${name}.ts`)],
      outfile: path.join(folder, `${name}.mjs`),
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    })
  await Promise.all([bundle('upstream'), bundle('measure')])
  const upstream = await startUpstream()
  const bun = bunCommand()
  const runtimes = [
    { name: 'bun', command: bun.command, env: bun.env },
    { name: 'node', command: process.execPath, env: {} },
  ].filter(({ name }) => values.runtime === undefined || values.runtime === name)
  const results = {}
  for (const { name, command, env } of runtimes) {
    const home = path.join(folder, name)
    await mkdir(home)
    const shared = { PATH: process.env.PATH, HOME: home, BENCH_ROOT: home, BENCH_CAPTURE: path.join(root, 'test', 'fixtures', 'opencode', '02-first-turn.json'), ...env }
    const starts = []
    for (let sample = 0; sample < (values.quick ? 5 : 15); sample += 1) {
      const dist = path.join(root, 'dist', 'index.js')
      starts.push(JSON.parse(await run(command, [await startScript(), dist], { env: shared })))
    }
    const text = await run(command, [path.join(folder, 'measure.mjs'), path.join(root, 'dist'), upstream, values.quick ? '0.25' : '1'], { env: shared })
    results[name] = [
      { name: 'cold start: import, factory, loader', ours: median(starts.map(({ ms }) => ms)), unit: 'ms', target: 10 },
      { name: 'cold start: memory', ours: median(starts.map(({ mb }) => mb)), unit: 'MB', target: 5 },
      ...JSON.parse(text.trim().split('\n').at(-1)),
    ]
  }
  if (values.json) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`)
  else for (const [name, rows] of Object.entries(results)) print(name, rows)
} finally {
  for (const child of children) child.kill()
  await rm(folder, { recursive: true, force: true })
}

/** A fresh process per sample: what the host pays before it shows anything. */
async function startScript() {
  const file = path.join(folder, 'start.mjs')
  const { writeFile } = await import('node:fs/promises')
  await writeFile(
    file,
    `const rss = process.memoryUsage().rss
const started = performance.now()
const { default: plugin } = await import(process.argv[2])
const client = { app: { log: async () => {} }, tui: { showToast: async () => {} }, auth: { set: async () => {} } }
const hooks = await plugin.server({ client, directory: process.env.HOME })
await hooks.auth.loader(async () => ({ type: 'oauth', refresh: 'managed-by-oc-codex-multi-auth', access: '', expires: 0 }), {})
console.log(JSON.stringify({ ms: performance.now() - started, mb: (process.memoryUsage().rss - rss) / 1e6 }))
process.exit(0)
`,
  )
  return file
}

function startUpstream() {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(folder, 'upstream.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] })
    children.add(child)
    child.once('error', reject)
    child.stdout.setEncoding('utf8').once('data', (port) => resolve(`http://127.0.0.1:${port.trim()}`))
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

function median(numbers) {
  return [...numbers].sort((left, right) => left - right)[Math.floor(numbers.length / 2)]
}

function print(name, rows) {
  process.stdout.write(`\n${name}\n\n| Measurement | Ours | Plain | Ratio | Target | |\n| --- | ---: | ---: | ---: | ---: | --- |\n`)
  for (const row of rows) {
    const ratio = row.plain === undefined || row.plain === 0 ? '' : `${(row.ours / row.plain).toFixed(2)}×`
    const measured = row.isRatio ? row.ours / row.plain : row.ours
    const verdict = row.target === undefined ? '' : measured <= row.target ? 'met' : 'missed'
    const target = row.target === undefined ? '' : row.isRatio ? `≤ ${row.target}×` : `≤ ${row.target} ${row.unit}`
    process.stdout.write(`| ${row.name} | ${format(row.ours)} ${row.unit} | ${row.plain === undefined ? '' : `${format(row.plain)} ${row.unit}`} | ${ratio} | ${target} | ${verdict} |\n`)
  }
}

function format(value) {
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 1 ? value.toFixed(2) : value.toFixed(3)
}
