import { mkdir, mkdtemp, readdir, readFile, rm, writeFile, chmod } from 'node:fs/promises'
import { execFileSync } from 'node:child_process'
import os from 'node:os'
import path from 'node:path'

import { opencodeBinary, opencodeVersion } from '../../scripts/opencode-binary.mjs'
import { BACKEND_ENV, ISSUER_ENV, type Endpoints } from '../../lib/oauth/endpoints.js'
import { homeIn } from './home.js'
import { type Ended, endOf, type Running, startProcess } from './child-process.js'

/** A plugin entry as it stands in opencode.json. */
type PluginEntry = string | readonly [spec: string, options: Record<string, unknown>]

/** What the throw-away OpenCode is made of. */
export interface HostOptions {
  /** Empty: OpenCode as it comes. */
  readonly plugins: readonly PluginEntry[]
  /** Where npm packages come from; without it every download fails at once. */
  readonly registry?: string
  /** The simulated identity provider and backend. */
  readonly simulator?: Endpoints
  /** Members for opencode.json beside those of the harness. */
  readonly config?: Record<string, unknown>
  readonly env?: Readonly<Record<string, string>>
}

/** One command line of OpenCode. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
  readonly timeoutMs?: number
  readonly onOutput?: (text: string, stream: 'stdout' | 'stderr') => void
}

/** `opencode run`. */
interface PromptOptions extends RunOptions {
  readonly model?: string
  readonly variant?: string
  /** Goes on with the newest session. */
  readonly continueSession?: boolean
  /** Named sessions ask the backend for no title. */
  readonly title?: string
  readonly format?: 'default' | 'json'
}

/** For a run of the whole suite over another transport: `CODEX_AUTH_TRANSPORT=auto npx vitest run --project e2e`. */
const SETTINGS_OF_THE_RUN = Object.fromEntries(
  ['CODEX_AUTH_TRANSPORT', 'CODEX_AUTH_REQUEST_COMPRESSION'].flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value]]
  }),
)

/** A throw-away OpenCode: its own home, project and environment. */
export interface Host {
  readonly home: string
  readonly project: string
  /** The whole environment its processes get. */
  readonly env: Readonly<Record<string, string>>
  readonly binary: string
  /** OpenCode's own login file. */
  readonly authFile: string
  /** Starts a command and returns while it runs. */
  start(args: readonly string[], options?: RunOptions): Running
  /** Runs a command to its end, whatever the exit code. */
  run(args: readonly string[], options?: RunOptions): Promise<Ended>
  /** `opencode run <text>`. */
  prompt(text: string, options?: PromptOptions): Promise<Ended>
  startPrompt(text: string, options?: PromptOptions): Running
  /** `opencode auth login` with the method of this label, without a terminal. */
  login(method: string, options?: RunOptions): Promise<Ended>
  /** Addresses the browser was asked to open, oldest first. */
  openedInBrowser(): Promise<string[]>
  /** OpenCode's own log. */
  log(): Promise<string>
  /** Ends what is still running and removes every file. */
  cleanup(): Promise<void>
}

export const DEFAULT_MODEL = 'openai/gpt-5.5'

const RUN_TIMEOUT_MS = 90_000
const DEAD_REGISTRY = 'http://127.0.0.1:1/'
const SYSTEM_PATH = ['/usr/local/bin', '/usr/bin', '/bin']

/**
 * Switches that keep OpenCode from the network
 * (docs/development/facts/opencode-host.md#folders-and-switches).
 */
export const OFFLINE = {
  OPENCODE_DISABLE_MODELS_FETCH: '1',
  OPENCODE_DISABLE_AUTOUPDATE: '1',
  OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
}

/** Builds the home of a new host. */
export async function createHost(options: HostOptions): Promise<Host> {
  const root = await mkdtemp(path.join(os.tmpdir(), 'oc-codex-host-'))
  const home = path.join(root, 'home')
  const project = path.join(root, 'project')
  const tools = path.join(root, 'bin')
  const env: Record<string, string> = {
    ...homeIn(home),
    XDG_CONFIG_HOME: path.join(home, '.config'),
    XDG_DATA_HOME: path.join(home, '.local', 'share'),
    XDG_CACHE_HOME: path.join(home, '.cache'),
    XDG_STATE_HOME: path.join(home, '.local', 'state'),
    TMPDIR: path.join(root, 'tmp'),
    PATH: [tools, path.dirname(process.execPath), ...SYSTEM_PATH].join(path.delimiter),
    SHELL: '/bin/sh',
    LANG: 'C.UTF-8',
    // A desktop, so that a browser login opens the fake browser.
    DISPLAY: ':99',
    BROWSER: path.join(tools, 'xdg-open'),
    BROWSER_LOG: path.join(root, 'browser.log'),
    GIT_CONFIG_NOSYSTEM: '1',
    ...OFFLINE,
    // OpenCode before 1.14 installs with its Bun, which does not read .npmrc.
    BUN_CONFIG_REGISTRY: options.registry ?? DEAD_REGISTRY,
    ...(options.simulator && {
      [ISSUER_ENV]: options.simulator.issuer,
      [BACKEND_ENV]: options.simulator.backend,
    }),
    ...SETTINGS_OF_THE_RUN,
    ...options.env,
  }
  const authFile = path.join(home, '.local', 'share', 'opencode', 'auth.json')
  const binary = opencodeBinary()
  const processes = new Set<Running>()

  for (const dir of [home, project, tools, path.join(root, 'tmp')])
    await mkdir(dir, { recursive: true })
  await writeFile(
    path.join(home, '.npmrc'),
    `registry=${options.registry ?? DEAD_REGISTRY}\nfetch-retries=0\n`,
  )
  await seedConfig(path.join(home, '.config', 'opencode'), options)
  await writeFakeBrowser(tools)
  execFileSync('git', ['init', '-q', project], { env, stdio: 'ignore' })

  const start = (args: readonly string[], run: RunOptions = {}): Running => {
    const running = startProcess({
      file: binary,
      args,
      cwd: project,
      env: { ...env, ...run.env },
      ...(run.stdin !== undefined && { stdin: run.stdin }),
      ...(run.onOutput && { onOutput: run.onOutput }),
    })
    processes.add(running)
    const forget = (): void => void processes.delete(running)
    running.ended.then(forget, forget)
    return running
  }
  const run = (args: readonly string[], options: RunOptions = {}): Promise<Ended> =>
    endOf(start(args, options), options.timeoutMs ?? RUN_TIMEOUT_MS)

  return {
    home,
    project,
    env,
    binary,
    authFile,
    start,
    run,
    prompt: (text, prompt = {}) => run(promptArgs(text, prompt), prompt),
    startPrompt: (text, prompt = {}) => start(promptArgs(text, prompt), prompt),
    login: (method, login) =>
      run(['auth', 'login', '--provider', 'openai', '--method', method], login),
    openedInBrowser: async () =>
      (await readText(path.join(root, 'browser.log'))).split('\n').filter((line) => line !== ''),
    log: () => readLogs(path.join(home, '.local', 'share', 'opencode', 'log')),
    async cleanup() {
      const ends = [...processes].map(async (running) => {
        running.kill()
        await running.ended.catch(() => undefined)
      })
      await Promise.all(ends)
      await rm(root, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

function promptArgs(text: string, options: PromptOptions): string[] {
  return [
    'run',
    ...(options.continueSession === true ? ['--continue'] : []),
    ...['--model', options.model ?? DEFAULT_MODEL],
    ...(options.variant === undefined ? [] : ['--variant', options.variant]),
    ...(options.title === undefined ? [] : ['--title', options.title]),
    ...(options.format === undefined ? [] : ['--format', options.format]),
    text,
  ]
}

/**
 * OpenCode installs `@opencode-ai/plugin` into every config folder that lacks it and waits more
 * than a minute when there is no registry (docs/development/facts/opencode-host.md#package-cache).
 * A manifest of the right version is enough to be left alone.
 */
export async function seedDependencies(dir: string): Promise<void> {
  const name = '@opencode-ai/plugin'
  const version = opencodeVersion()
  const installed = path.join(dir, 'node_modules', name)
  const dependencies = { [name]: version }
  await mkdir(installed, { recursive: true })
  await writeJson(path.join(installed, 'package.json'), { name, version })
  await writeJson(path.join(dir, 'package.json'), { dependencies })
  await writeJson(path.join(dir, 'package-lock.json'), {
    lockfileVersion: 3,
    packages: { '': { dependencies } },
  })
}

async function seedConfig(dir: string, { plugins, config }: HostOptions): Promise<void> {
  await seedDependencies(dir)
  await writeJson(path.join(dir, 'opencode.json'), {
    $schema: 'https://opencode.ai/config.json',
    plugin: plugins,
    share: 'disabled',
    autoupdate: false,
    lsp: false,
    formatter: false,
    ...config,
  })
  await writeJson(path.join(dir, 'tui.json'), {
    $schema: 'https://opencode.ai/tui.json',
    plugin: plugins,
  })
}

/** Follows the redirects of a login page as a browser would whose user is signed in and agrees. */
const FAKE_BROWSER = `
import { appendFileSync } from 'node:fs'
const url = process.argv.at(-1)
appendFileSync(process.env.BROWSER_LOG, url + '\\n')
if (process.env.BROWSER_FOLLOWS !== '0') await fetch(url)
`

async function writeFakeBrowser(dir: string): Promise<void> {
  const script = path.join(dir, 'browser.mjs')
  await writeFile(script, FAKE_BROWSER)
  for (const name of ['xdg-open', 'open']) {
    const file = path.join(dir, name)
    await writeFile(file, `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`)
    await chmod(file, 0o755)
  }
}

async function writeJson(file: string, value: unknown): Promise<void> {
  await writeFile(file, `${JSON.stringify(value, null, 2)}\n`)
}

/** One file, or before 1.17 one for each start. */
async function readLogs(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => [])
  const texts = names.sort().map((name) => readText(path.join(folder, name)))
  return (await Promise.all(texts)).join('')
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    return ''
  }
}
