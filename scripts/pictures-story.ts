import { execFile, execFileSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

import { projectKeysOf } from '../lib/accounts/project/project.js'
import { type Simulator, startSimulator } from '../simulator/index.js'
import { createHost, type Host } from '../test/support/host.js'
import { packPackage } from '../test/support/pack.js'
import { startRegistry } from '../test/support/registry.js'
import { noTerminal, openTerminal, type Terminal } from '../test/support/tmux.js'
import { exampleDays } from './pictures/example-days.js'
import { reportPictures } from './pictures/report-pictures.js'
import { screenSvg } from './pictures/screen-svg.js'

interface PictureOptions {
  readonly only: 'tui' | 'report' | undefined
  readonly dialog: string
  readonly out: string
  readonly keep: boolean
}

const LOGIN = 'ChatGPT account (device code, for SSH and containers)'
const ACCOUNTS = [
  { name: 'anna', label: 'Personal', plan: 'plus', weeklyPerAnswer: 0.22, weekOffsetHours: 40 },
  { name: 'anna.work', label: 'Work', plan: 'pro', weeklyPerAnswer: 0.17, weekOffsetHours: 88 },
  {
    name: 'studio',
    label: 'Studio team',
    plan: 'team',
    weeklyPerAnswer: 0.2,
    weekOffsetHours: 130,
  },
] as const
const PROJECTS = ['webshop', 'billing-api', 'notes-app'] as const
const SIZE = { columns: 150, rows: 36 }
/** Colours of what the screen leaves to the terminal. */
const GROUNDS = {
  dark: { foreground: '#eeeeee', background: '#0a0a0a' },
  light: { foreground: '#1a1a1a', background: '#ffffff' },
} as const
type Scheme = keyof typeof GROUNDS

const QUESTION = 'Why is the cart total a cent off for some orders?'
const ANSWER =
  'Each line is rounded before the lines are added, so half cents add up. Sum the exact amounts in cart/total.ts and round once, in formatPrice(). The new test in cart/total.test.ts covers the three orders from the bug report.'
const TITLE = 'Cart total off by a cent'
/** The largest a picture may be, bytes. */
const MOST_BYTES = 80_000

/**
 * Makes the pictures.
 * @returns the exit code: 0 when all were made, 1 when a step did not do what it should
 */
export async function makePictures(options: PictureOptions): Promise<number> {
  const cleanUp: (() => Promise<unknown>)[] = []
  let step = 'start'
  const begin = (name: string): void => {
    step = name
    process.stdout.write(`${name}\n`)
  }
  try {
    await mkdir(options.out, { recursive: true })
    begin('Pack this plugin and serve it from a registry on this machine')
    const published = await packPackage()
    const registry = await startRegistry([published])
    cleanUp.push(() => registry.close())
    const simulator = await startSimulator({
      accounts: ACCOUNTS.map(({ name, plan }) => ({ name, plan })),
      settings: { deviceIntervalSec: 1, deltaMs: 5, says: { turn: ANSWER, title: TITLE } },
    })
    cleanUp.push(() => simulator.close())
    const host = await createHost({
      plugins: [published.manifest.name],
      registry: registry.url,
      simulator: { issuer: simulator.url, backend: simulator.backend },
    })
    if (options.keep) process.stdout.write(`The throw-away home is ${host.home}\n`)
    else cleanUp.push(() => host.cleanup())

    begin('Sign three accounts in')
    await signIn(host, simulator)
    begin('Give them names and two weeks of work')
    const projects = await makeProjects(host)
    await writeDays(host, simulator, projects)
    begin('Read what is left of each')
    const cli = await installedCli(host, published.tarball)
    await cli('limits')

    if (options.only !== 'report') {
      if (noTerminal !== undefined) throw new Error(noTerminal)
      for (const scheme of ['dark', 'light'] as const)
        await screenPictures(host, projects[0] ?? host.project, scheme, options, begin)
    }
    if (options.only !== 'tui') {
      begin('Write the report and show it in a browser')
      const page = path.join(host.home, 'report.html')
      await cli('dashboard', '--html', page)
      for (const file of await reportPictures(page, options.out)) written(file)
    }
    return 0
  } catch (error) {
    process.stderr.write(
      `\nNo picture from this step: ${step}\n${error instanceof Error ? error.message : String(error)}\n`,
    )
    return 1
  } finally {
    for (const undo of cleanUp.reverse()) await undo().catch(() => undefined)
  }
}

async function signIn(host: Host, simulator: Simulator): Promise<void> {
  for (const { name } of ACCOUNTS) {
    simulator.changeSettings({ autoApprove: name, deviceApproveAfterPolls: 0 })
    const login = await host.login(LOGIN)
    if (login.code !== 0)
      throw new Error(`${name} was not signed in:\n${login.stdout}${login.stderr}`)
  }
  simulator.changeSettings({ autoApprove: null, deviceApproveAfterPolls: null })
}

/** Folders in the home that look like work. */
async function makeProjects(host: Host): Promise<string[]> {
  const folders = PROJECTS.map((name) => path.join(host.home, name))
  for (const folder of folders) {
    await mkdir(folder, { recursive: true })
    execFileSync('git', ['init', '-q', '-b', 'main', folder], { env: host.env, stdio: 'ignore' })
  }
  return folders
}

/** Labels the accounts, writes the history, and fills the windows of the simulated backend as the history left them. */
async function writeDays(
  host: Host,
  simulator: Simulator,
  projects: readonly string[],
): Promise<void> {
  const file = path.join(host.home, '.opencode', 'oc-codex-multi-auth-accounts.json')
  const pool = JSON.parse(await readFile(file, 'utf8')) as {
    accounts: { uid?: string; email?: string; accountLabel?: string }[]
  }
  if (pool.accounts.length !== ACCOUNTS.length)
    throw new Error(`${String(pool.accounts.length)} accounts are in the pool`)
  const examples = pool.accounts.map((account, index) => {
    const example = ACCOUNTS[index] ?? ACCOUNTS[0]
    account.accountLabel = example.label
    if (account.uid === undefined) throw new Error(`account ${String(index + 1)} has no uid`)
    return { ...example, uid: account.uid }
  })
  await writeFile(file, JSON.stringify(pool, undefined, 2))

  const keys = projects.flatMap((folder) => projectKeysOf(folder, host.home)?.key ?? [])
  const days = exampleDays(examples, keys, Date.now())
  const state = path.join(host.home, '.local', 'state', 'opencode')
  await mkdir(state, { recursive: true })
  await writeFile(
    path.join(state, 'oc-codex-multi-auth-history.jsonl'),
    days.entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''),
    { mode: 0o600 },
  )
  for (const { name, uid } of examples) {
    const windows = days.windows.get(uid)
    if (windows === undefined) continue
    const minutes = { five_hour: 300, weekly: 10_080 }
    simulator.patchAccount(name, {
      windows: (['five_hour', 'weekly'] as const).map((kind) => ({
        minutes: minutes[kind],
        limit: 1000,
        used: Math.floor(windows[kind].used * 10),
        resetsInMs: windows[kind].resetsAtMs - Date.now(),
      })),
    })
  }
}

/** The command line of the packed plugin, run as a user would. */
async function installedCli(
  host: Host,
  tarball: string,
): Promise<(...args: string[]) => Promise<string>> {
  const folder = path.join(host.home, '.cache', 'pictures')
  await mkdir(folder, { recursive: true })
  execFileSync('tar', ['-xzf', tarball, '-C', folder])
  return async (...args) => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [path.join(folder, 'package', 'dist', 'cli.js'), ...args],
      { env: host.env, cwd: host.home },
    )
    return stdout
  }
}

/** A session with its status line and sidebar, and a dialog over it. */
async function screenPictures(
  host: Host,
  project: string,
  scheme: Scheme,
  { dialog, out }: PictureOptions,
  begin: (name: string) => void,
): Promise<void> {
  begin(`Open the ${scheme} TUI`)
  await writeFile(
    path.join(host.home, '.local', 'state', 'opencode', 'kv.json'),
    JSON.stringify({ theme_mode_lock: scheme }),
  )
  const terminal = await openTerminal({
    command: [host.binary, '--model', 'openai/gpt-5.5'],
    cwd: project,
    env: host.env,
    ...SIZE,
  })
  const save = async (name: string, title: string): Promise<void> => {
    const svg = screenSvg(withoutHome(await terminal.painted(), host.home), {
      title,
      columns: SIZE.columns,
      ...GROUNDS[scheme],
    })
    if (svg.length > MOST_BYTES)
      throw new Error(`${name} has ${String(svg.length)} bytes, more than ${String(MOST_BYTES)}`)
    const file = path.join(out, `${name}-${scheme}.svg`)
    await writeFile(file, svg)
    written(file)
  }
  try {
    await terminal.waitFor(/Ask anything/)
    await settled(terminal)
    begin('Ask a question and wait for the answer')
    await terminal.type(QUESTION)
    await terminal.press('Enter')
    await terminal.waitFor(/bug report/)
    begin('Wait for the status line and the title')
    await terminal.waitFor(/(?:5h|7d)\b.*\d+ ?%/)
    await terminal.waitFor(TITLE)
    await settled(terminal)
    await save('tui', 'OpenCode with the plugin: what is left stands beside the prompt')
    begin(`Open the dialog of ${dialog}`)
    await terminal.type(dialog)
    await settled(terminal)
    await terminal.press('Enter')
    await terminal.waitFor(/\besc\b/i)
    await terminal.waitFor(/Studio team/)
    await settled(terminal)
    await save('tui-dialog', 'The accounts in OpenCode: what is left of each, and what to do')
  } finally {
    await terminal.close()
  }
}

/** The throw-away home has a name of chance; the columns stay as they are. */
function withoutHome(painted: string, home: string): string {
  return painted.replace(
    new RegExp(`${home}(\\S*)`, 'g'),
    (_found, rest: string) => `~${rest}${' '.repeat(home.length - 1)}`,
  )
}

/** A screen that does not change any more. */
async function settled(terminal: Terminal): Promise<void> {
  let before = ''
  for (let quiet = 0, tries = 0; quiet < 3 && tries < 40; tries += 1) {
    await sleep(400)
    const now = await terminal.screen()
    quiet = now === before ? quiet + 1 : 0
    before = now
  }
}

function written(file: string): void {
  process.stdout.write(`   ${path.relative(process.cwd(), file)}\n`)
}
