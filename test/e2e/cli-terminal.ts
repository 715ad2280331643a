import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'

import { type Simulator, startSimulator } from '../../simulator/index.js'
import { aHome } from '../support/home.js'
import { packPackage } from '../support/pack.js'
import { signedIn } from '../support/records.js'
import { openTerminal, type Terminal } from '../support/tmux.js'

const WINDOWS = [
  { minutes: 300, limit: 100, used: 38 },
  { minutes: 10_080, limit: 100, used: 19 },
]
const NAMES = [
  'anna',
  'ben',
  'carla',
  'dora',
  'emil',
  'fred',
  'gina',
  'hugo',
  'ida',
  'jan',
  'kim',
  'lena',
]

let folder = ''
let cli = ''

/** Path of the packed command line. */
export const packedCli = (): string => cli

/** Packs and unpacks the package for the tests of a file. */
export function usePackedCli(): void {
  beforeAll(async () => {
    const { tarball } = await packPackage()
    folder = await mkdtemp(path.join(os.tmpdir(), 'oc-codex-menu-'))
    await promisify(execFile)('tar', ['-xzf', tarball, '-C', folder])
    cli = path.join(folder, 'package', 'dist', 'cli.js')
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
}

interface Pool {
  activeIndex: number
  accounts: { accountLabel: string; enabled?: boolean; email: string }[]
}

export interface CliStage {
  readonly home: string
  readonly simulator: Simulator
  readonly env: Record<string, string>
  pool(): Promise<Pool>
}

/** A home with the first few names signed in at a simulator that knows one more. */
export async function stageWith(count: number): Promise<CliStage> {
  const simulator = await startSimulator({
    accounts: NAMES.slice(0, count + 1).map((name) => ({ name, windows: WINDOWS })),
    settings: {
      deviceIntervalSec: 0.2,
      autoApprove: NAMES[count] ?? null,
      deviceApproveAfterPolls: 1,
    },
  })
  onTestFinished(() => simulator.close())
  const home = await aHome(
    NAMES.slice(0, count).map((name) => ({ ...signedIn(simulator, name), accountLabel: name })),
  )
  const env = {
    HOME: home,
    PATH: process.env.PATH ?? '',
    LANG: 'C.UTF-8',
    BROWSER: 'true',
    OC_CODEX_SIMULATOR_ISSUER: simulator.url,
    OC_CODEX_SIMULATOR_BACKEND: simulator.backend,
  }
  return {
    home,
    simulator,
    env,
    pool: async () =>
      JSON.parse(
        await readFile(path.join(home, '.opencode', 'oc-codex-multi-auth-accounts.json'), 'utf8'),
      ) as Pool,
  }
}

/** The command in a terminal; afterwards the exit code and the state of the terminal are shown. */
export async function open(
  { home, env }: CliStage,
  args: readonly string[],
  size: { columns?: number; rows?: number } = {},
): Promise<Terminal> {
  const script = '"$0" "$@"; echo "exit code $?"; stty -a | tr ";" "\\n" | tail -3; sleep 60'
  const terminal = await openTerminal({
    command: ['sh', '-c', script, process.execPath, cli, ...args],
    cwd: home,
    env,
    columns: 80,
    rows: 24,
    ...size,
  })
  onTestFinished(() => terminal.close())
  return terminal
}

export const underCursor = (screen: string): string =>
  screen.split('\n').findLast((line) => /[●>] /.test(line) && line.startsWith('│')) ?? ''

/** Moves to a line of the open list and presses Enter. */
export async function pick(terminal: Terminal, text: string): Promise<void> {
  await terminal.waitFor(text)
  for (let step = 0; step < 30 && !underCursor(await terminal.screen()).includes(text); step += 1) {
    await terminal.press('Down')
    await sleep(60)
  }
  expect(underCursor(await terminal.screen())).toContain(text)
  await terminal.press('Enter')
}

/** The terminal is as it was: echo, lines, cursor. */
export async function expectSane(terminal: Terminal, code: number): Promise<void> {
  const screen = await terminal.waitFor(/exit code \d+[\s\S]*echoctl/)
  expect(screen).toContain(`exit code ${code}`)
  expect(screen).toMatch(/(?<!-)icanon/)
  expect(screen).toMatch(/(?<!-)\becho\b/)
  expect(await terminal.hasCursor()).toBe(true)
}
