/**
 * `npm run bench`: builds the plugin and measures it in Bun (the host's runtime) and in Node, beside plain `fetch` in the
 * same run. Prints medians, ratios and targets; never fails on a number.
 */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'

import { build } from 'esbuild'

import { bunCommand } from './opencode-binary.mjs'
import { root } from './steps.mjs'

const HELP = `Usage: npm run bench [-- options]

  --quick    fewer rounds and smaller streams
  --runtime  bun or node; both without it
  --only     one part: until-upstream, streams, failover, load or transports
  --json     print one JSON document
  --help     this text
`

/**
 * One start, by the second argument: of the plugin as the host starts it; of nothing; or of an import and a read that
 * any plugin needs. Everything is imported after the first look at the memory. Ends before the core is fetched ahead.
 */
const START_SCRIPT = `const [, , dist, kind] = process.argv
const rss = process.memoryUsage().rss
const started = performance.now()
if (kind === 'read') {
  const { readFile } = await import('node:fs/promises')
  await readFile(process.env.BENCH_CAPTURE, 'utf8')
} else if (kind === 'plugin') {
  const { default: plugin } = await import(dist)
  const client = { app: { log: async () => {} }, tui: { showToast: async () => {} }, auth: { set: async () => {} } }
  const hooks = await plugin.server({ client, directory: process.env.HOME })
  await hooks.auth.loader(async () => ({ type: 'oauth', refresh: 'managed-by-oc-codex-multi-auth', access: '', expires: 0 }), {})
}
console.log(JSON.stringify({ ms: performance.now() - started, mb: (process.memoryUsage().rss - rss) / 1e6 }))
process.exit(0)
`

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
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      },
    })
  await Promise.all(['upstream', 'tool-upstream', 'measure'].map(bundle))
  const upstream = `http://127.0.0.1:${await started('upstream')}`
  const ports = await started('tool-upstream')
  const bun = bunCommand()
  const runtimes = [
    { name: 'bun', command: bun.command, env: bun.env },
    { name: 'node', command: process.execPath, env: {} },
  ].filter(({ name }) => values.runtime === undefined || values.runtime === name)
  const results = {}
  for (const { name, command, env } of runtimes) {
    const home = path.join(folder, name)
    await mkdir(home)
    const shared = {
      PATH: process.env.PATH,
      HOME: home,
      BENCH_ROOT: home,
      BENCH_SOURCES: path.join(root, 'lib'),
      BENCH_CAPTURE: path.join(root, 'test', 'fixtures', 'opencode', '02-first-turn.json'),
      ...env,
    }
    const starts = values.only === undefined ? await coldStarts(command, shared) : []
    const text = await run(
      command,
      [
        path.join(folder, 'measure.mjs'),
        path.join(root, 'dist'),
        upstream,
        values.quick ? 'quick' : 'full',
        ports,
        values.only ?? '',
      ],
      { env: shared },
    )
    results[name] = [...starts, ...JSON.parse(text.trim().split('\n').at(-1))]
  }
  if (values.json) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`)
  else for (const [name, rows] of Object.entries(results)) print(name, rows)
} finally {
  for (const child of children) child.kill()
  await rm(folder, { recursive: true, force: true })
}

/** A fresh process per sample: what the host pays before it shows anything, beside a process that starts nothing. */
async function coldStarts(command, env) {
  const script = path.join(folder, 'start.mjs')
  await writeFile(script, START_SCRIPT)
  await signIn(env.HOME)
  const args = (kind) => [script, path.join(root, 'dist', 'index.js'), kind]
  const samples = { plugin: [], nothing: [], read: [] }
  for (let sample = 0; sample < (values.quick ? 5 : 25); sample += 1) {
    for (const [kind, list] of Object.entries(samples))
      list.push(JSON.parse(await run(command, args(kind), { env })))
  }
  const of = (kind, key) => median(samples[kind].map((one) => one[key]))
  const rows = [
    {
      name: 'cold start: import, factory, loader',
      ours: of('plugin', 'ms'),
      plain: of('nothing', 'ms'),
      unit: 'ms',
      target: 10,
    },
    {
      name: 'cold start: memory',
      ours: of('plugin', 'mb'),
      plain: of('nothing', 'mb'),
      unit: 'MB',
      target: 5,
      of: 'added',
    },
    {
      name: 'for comparison: memory of one import and one read, nothing of ours',
      ours: of('read', 'mb'),
      unit: 'MB',
    },
  ]
  const opened = {
    ours: await filesOpened(command, args('plugin'), env),
    plain: await filesOpened(command, args('nothing'), env),
  }
  if (opened.ours !== undefined && opened.plain !== undefined)
    rows.push({
      name: 'cold start: files opened',
      ...opened,
      unit: 'files',
      target: 5,
      of: 'added',
    })
  return rows
}

/** The files of a user who has signed in. */
async function signIn(home) {
  const hostData = path.join(home, '.local', 'share', 'opencode')
  await mkdir(hostData, { recursive: true })
  await mkdir(path.join(home, '.opencode'), { recursive: true })
  await writeFile(
    path.join(hostData, 'auth.json'),
    JSON.stringify({
      openai: { type: 'oauth', refresh: 'managed-by-oc-codex-multi-auth', access: '', expires: 0 },
    }),
  )
  const account = {
    refreshToken: 'rt',
    accessToken: 'at',
    expiresAt: Date.now() + 86_400_000,
    accountId: 'w',
    accountUserId: 'u',
    addedAt: 1,
    lastUsed: 0,
  }
  await writeFile(
    path.join(home, '.opencode', 'oc-codex-multi-auth-accounts.json'),
    JSON.stringify({ version: 3, accounts: [account], activeIndex: 0 }),
    { mode: 0o600 },
  )
}

/** Files opened by a process with success, or undefined where there is no strace to count them. */
async function filesOpened(command, args, env) {
  const logs = await mkdtemp(path.join(folder, 'strace-'))
  try {
    // One log per thread: in a common one the lines of two threads are torn apart.
    await run(
      'strace',
      ['-ff', '-qq', '-e', 'trace=open,openat', '-o', path.join(logs, 'log'), command, ...args],
      { env },
    )
  } catch {
    return undefined
  }
  const texts = await Promise.all(
    (await readdir(logs)).map((name) => readFile(path.join(logs, name), 'utf8')),
  )
  const opened = texts
    .join('')
    .split('\n')
    .flatMap((line) => (/= \d+$/.test(line) ? (/"([^"]*)"/.exec(line)?.[1] ?? []) : []))
  const kinds = await Promise.all(
    opened.map(
      async (name) =>
        !/^\/(?:proc|sys|dev)\//.test(name) &&
        (await stat(path.resolve(root, name)).catch(() => undefined))?.isDirectory() !== true,
    ),
  )
  return kinds.filter(Boolean).length
}

/** Starts a server of ours in a process of its own. @returns the first line it prints */
function started(name) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(folder, `${name}.mjs`)], {
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

function median(numbers) {
  return [...numbers].sort((left, right) => left - right)[Math.floor(numbers.length / 2)]
}

function print(name, rows) {
  process.stdout.write(
    `\n${name}\n\n| Measurement | Ours | p99 | Plain | Ratio | Target | |\n| --- | ---: | ---: | ---: | ---: | --- | --- |\n`,
  )
  for (const row of rows) {
    const { ours, plain, p99, unit } = row
    const ratio = plain >= 0.01 ? `${(ours / plain).toFixed(ours / plain < 0.1 ? 3 : 2)}×` : ''
    process.stdout.write(
      `| ${row.name} | ${format(ours)} ${unit} | ${p99 === undefined ? '' : format(p99)} | ${plain === undefined ? '' : `${format(plain)} ${unit}`} | ${ratio} | ${targetOf(row)} | ${verdictOf(row)} |\n`,
    )
  }
}

function targetOf({ target, of, unit, atLeast }) {
  if (target === undefined) return ''
  if (of === 'ratio') return `≤ ${Number(target.toFixed(3))}×`
  return `${atLeast ? '≥' : '≤'} ${of === 'added' ? 'plain + ' : ''}${target} ${unit}`
}

function verdictOf({ target, of, ours, plain, atLeast }) {
  if (target === undefined) return ''
  const measured = of === 'ratio' ? ours / plain : of === 'added' ? ours - plain : ours
  return (atLeast ? measured >= target : measured <= target) ? 'pass' : 'miss'
}

function format(value) {
  if (Number.isInteger(value)) return String(value)
  return Math.abs(value) >= 100
    ? value.toFixed(0)
    : Math.abs(value) >= 1
      ? value.toFixed(2)
      : value.toFixed(3)
}
