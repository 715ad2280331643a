import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { onTestFinished } from 'vitest'

import { runMenu } from '../../lib/cli/menu/menu.js'
import type { Choice, Prompts } from '../../lib/cli/menu/prompts.js'
import { projectKeysOf } from '../../lib/accounts/project/project.js'
import { type Core, createCore } from '../../lib/core.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { parseLedger } from '../../lib/quota/ledger-state.js'
import type { Block, QuotaWindow } from '../../lib/routing/limits.js'
import { callForModel } from '../../lib/tools/model-call.js'
import { TOOLS } from '../../lib/tools/index.js'
import { openAccountsDialog } from '../../lib/dialog-entry.js'
import { type PoolView, poolView } from '../../lib/tui/pool-view.js'
import { type Simulator, startSimulator } from '../../simulator/index.js'
import { ROOMY } from '../support/core-over.js'
import { aHome, homeIn } from '../support/home.js'
import { signedIn } from '../support/records.js'
import { runCli } from '../support/run-cli.js'
import { tuiHost } from '../support/tui-host.js'

/** What is on the disk before anything is done. `PROJECT` in a rule stands for the key of the project's folder. */
export interface Given {
  readonly rules?: Readonly<Record<string, unknown>>
  /** Changes to the records, in their order. */
  readonly accounts?: readonly Readonly<Record<string, unknown>>[]
  readonly activeIndex?: number
  readonly blocks?: readonly Pick<Block, 'scope' | 'reason' | 'untilMs'>[]
  readonly windows?: readonly Pick<QuotaWindow, 'kind' | 'usedPercent' | 'resetsAtMs'>[]
}

/** Three accounts in a project, `uid-a` (Ann), `uid-b` (Ben) and `uid-c` (Cat); blocks and windows are those of Ben. */
export interface Stage {
  readonly core: Core
  readonly home: string
  readonly project: string
  readonly simulator: Simulator
  /** Accounts, rules and the active one, as they are on the disk. */
  pool(): Promise<Record<string, unknown>>
  asModel(tool: string, args: Record<string, unknown>): Promise<string>
  cli(...argv: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }>
  /** Walks through the menu; what it said, and the title and the choices of each step. */
  menu(picks: readonly string[], typed?: string): Promise<{ said: string[]; seen: string[][] }>
  /** Opens the dialog of the TUI and types what is to be chosen at each step; the toasts, and the lines of each step. */
  tui(picks: readonly string[]): Promise<{ said: readonly string[]; seen: string[][] }>
  view(): Promise<PoolView>
}

/** What is typed to find an action in the dialog. */
const TITLES: Readonly<Record<string, string>> = {
  'uid-b': 'Ben',
  switch: 'Switch to it',
  pin: 'Pin it',
  'pin-hard': 'Pin it alone',
  unpin: 'Lift the pin',
  toggle: 'able it',
}

const NAMES = ['Ann', 'Ben', 'Cat']

export async function stageOf(given: Given = {}): Promise<Stage> {
  const simulator = await startSimulator({
    accounts: NAMES.map((name) => ({ name, windows: ROOMY })),
  })
  onTestFinished(() => simulator.close())
  const home = await aHome(
    NAMES.map((name, index) => ({
      ...signedIn(simulator, name),
      uid: `uid-${name[0]?.toLowerCase() ?? ''}`,
      accountLabel: name,
      ...given.accounts?.[index],
    })),
  )
  const project = path.join(home, 'project')
  await mkdir(path.join(project, '.git'), { recursive: true })
  const env = {
    ...homeIn(home),
    OC_CODEX_SIMULATOR_ISSUER: simulator.url,
    OC_CODEX_SIMULATOR_BACKEND: simulator.backend,
    CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS: '0',
  }
  const paths = resolvePaths(env)
  const key = projectKeysOf(project, home)?.key ?? ''
  const stored = JSON.parse(await readFile(paths.accountsFile, 'utf8')) as Record<string, unknown>
  const rules = JSON.parse(JSON.stringify(given.rules ?? {}).replaceAll('PROJECT', key)) as unknown
  await writeFile(
    paths.accountsFile,
    JSON.stringify({ ...stored, activeIndex: given.activeIndex ?? 0, rules }),
  )
  const host = { log: () => undefined, toast: () => undefined }
  const core = await createCore({ host, paths, env, directory: project })
  onTestFinished(() => core.close())
  const { runtime } = core
  const nowMs = runtime.clock.now()
  if (given.windows !== undefined) {
    const windows = given.windows.map((window) => ({
      ...window,
      windowMinutes: 300,
      observedAtMs: nowMs,
      source: 'usage' as const,
    }))
    runtime.ledger.observe('uid-b', { limits: [{ limitId: 'codex', windows }] }, nowMs)
  }
  for (const block of given.blocks ?? [])
    runtime.ledger.block('uid-b', { ...block, source: 'body', sinceMs: nowMs })
  await runtime.ledger.flush()

  const view = async (): Promise<PoolView> =>
    poolView({
      pool: await runtime.store.read(),
      ledger: parseLedger(await readFile(paths.quotaFile, 'utf8').catch(() => '{"version":1}')),
      holds: new Map(),
      nowMs: runtime.clock.now(),
      config: runtime.config,
      project: runtime.scope.project,
    })

  return {
    core,
    home,
    project,
    simulator,
    view,
    async pool() {
      const text = await readFile(paths.accountsFile, 'utf8')
      const { accounts, rules: left, activeIndex } = JSON.parse(text) as Record<string, unknown>
      return { accounts, rules: left ?? {}, activeIndex }
    },
    async asModel(name, args) {
      const tool = TOOLS.find((one) => one.name === name)
      if (tool === undefined) throw new Error(`there is no tool ${name}`)
      return callForModel(tool, runtime, args, {
        abort: new AbortController().signal,
        directory: project,
        ask: async () => undefined,
        metadata: () => undefined,
      })
    },
    cli: (...argv) => runCli(home, argv, { env, directory: project }),
    async menu(picks, typed = '') {
      const said: string[] = []
      const seen: string[][] = []
      const left = [...picks, 'quit']
      const prompts: Prompts = {
        choose: async <Value extends string>(title: string, choices: readonly Choice<Value>[]) => {
          seen.push([title, ...choices.map(({ label }) => label(200))])
          const wanted = left.shift()
          return choices.find(({ value }) => value === wanted)?.value
        },
        confirm: async () => true,
        line: async () => typed,
        secret: async () => undefined,
        say: (_kind, text) => void said.push(text),
        plain: () => undefined,
        waitFor: (_text, work) => work(new AbortController().signal, () => undefined),
        hasLeft: () => false,
        close: () => undefined,
      }
      const io = {
        signal: new AbortController().signal,
        progress: () => undefined,
        env,
        directory: project,
      }
      await runMenu({ runtime, io: io as never, prompts })
      return { said, seen }
    },
    async tui(picks) {
      const seen: string[][] = []
      const shown = await view()
      const { ui, toasts, screen, type, press, waitFor } = tuiHost()
      openAccountsDialog({
        ui,
        view: () => shown,
        where: { env, directory: project },
        now: () => runtime.clock.now(),
      })
      seen.push(screen().split('\n'))
      for (const [step, pick] of picks.entries()) {
        type(TITLES[pick] ?? pick)
        if (/Nothing fits/.test(screen())) return { said: toasts, seen }
        press('return')
        if (step < picks.length - 1 || picks.length === 1)
          seen.push((await waitFor('Details')).split('\n'))
      }
      while (picks.length > 1 && toasts.length === 0)
        await new Promise((resolve) => setImmediate(resolve))
      return { said: toasts, seen }
    },
  }
}
