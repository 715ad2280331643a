import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'

import type { Account } from '../../accounts/account.js'
import { type AccountStore, createAccountStore } from '../../accounts/store/store.js'
import { systemClock } from '../../kernel/clock.js'
import { dropUndefined } from '../../kernel/drop-undefined.js'
import { makeFolders } from '../../kernel/make-folders.js'
import { isInside, plainPath } from '../../kernel/files/same-path.js'
import { CodexError } from '../../kernel/errors.js'
import { systemCode } from '../../kernel/system-code.js'
import { isProvablyDead, pidScope } from '../../kernel/lock/process-identity.js'
import { chosenEnvironment, startProgram } from '../../kernel/start-program.js'
import type { Simulator, startSimulator } from '../../../simulator/index.js'
import { type Helper, HelperFailed, helperOf } from './helper.js'
import type { Job } from './job.js'

/** `.oc-codex-drill-<pid>-<scope>-<random>`; 0 for a scope that the system does not tell. */
const FOLDER = /^\.oc-codex-drill-(\d{1,10})-([0-9a-f]{8}|0)-[0-9a-f]{12}$/
/** A folder of a drill elsewhere is left alone for this long, ms: none takes longer. */
const STALE_MS = 3_600_000

/** Most processes of a drill, each with an account of its own where it needs one. */
const MOST_PROCESSES = 16
const NAMES = Array.from({ length: MOST_PROCESSES }, (_, index) => `made-up-${index + 1}`)

/** Where a drill takes place: a folder of its own on the user's disk, a login server of its own, processes of its own. */
export interface Stage {
  readonly folder: string
  readonly simulator: Simulator
  readonly processes: number
  /** Time for what is repeated, ms; the steps take parts of it. */
  readonly timeMs: number
  readonly signal: AbortSignal
  /** A new home with so many made-up accounts, all with access tokens that ended. */
  newHome(accounts: number): Promise<Home>
  /** Starts a process and waits until it is ready. */
  start(job: Job): Promise<Helper>
  /** Starts as many as there are processes. */
  startAll(jobOf: (index: number) => Job): Promise<readonly Helper[]>
  pause(ms: number): Promise<void>
  /** Ends every process. */
  clear(): Promise<void>
}

export interface Home {
  readonly folder: string
  readonly file: string
  readonly store: AccountStore
  /** The names of the accounts in the file, in their order. */
  readonly uids: readonly string[]
  /** The account as it is on the disk. */
  account(uid: string): Promise<Account | undefined>
}

export interface StageDeps {
  /** Folder of the account file. */
  readonly beside: string
  readonly startSimulator: typeof startSimulator
  readonly env: NodeJS.ProcessEnv
  readonly processes: number
  readonly timeMs: number
  readonly signal: AbortSignal
  /** Program and first arguments of a process of the drill; its job comes behind them. */
  readonly worker: readonly string[]
}

/** Works on a stage, and leaves nothing of it behind whatever happens. @throws CodexError `store_not_written`, what `work` throws */
export async function onStage<T>(deps: StageDeps, work: (stage: Stage) => Promise<T>): Promise<T> {
  const made = await makeFolders(deps.beside).catch(notMade(deps.beside))
  await sweepDrills(deps.beside)
  const maker = `${process.pid}-${pidScope() ?? '0'}-${randomBytes(6).toString('hex')}`
  const folder = path.join(deps.beside, `.oc-codex-drill-${maker}`)
  await mkdir(folder, { mode: 0o700 }).catch(notMade(folder))
  const helpers = new Set<Helper>()
  const clear = async (): Promise<void> => {
    await Promise.all([...helpers].map((helper) => helper.kill()))
    helpers.clear()
  }
  let simulator: Simulator | undefined
  try {
    simulator = await deps.startSimulator({ accounts: NAMES })
    return await work(stageOf(deps, folder, simulator, helpers, clear))
  } finally {
    await clear()
    await simulator?.close()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined)
    // Only what is empty: the user may have begun to use it.
    // Windows answers in its long form, which compares with no other.
    if (made !== undefined) await removeMade(deps.beside, plainPath(made, process.platform))
  }
}

/** Removes folders upwards to the first that was made, as long as they are empty. Never throws. */
async function removeMade(folder: string, first: string): Promise<void> {
  const isGone = await rmdir(folder).then(
    () => true,
    () => false,
  )
  const above = path.dirname(folder)
  if (isGone && isInside(first, above)) await removeMade(above, first)
}

function notMade(folder: string): (error: unknown) => never {
  return (error) => {
    throw new CodexError(
      'store_not_written',
      `${folder} cannot be made (${systemCode(error) ?? 'unknown reason'}), so nothing was tried.`,
      { cause: error },
    )
  }
}

/** Removes what killed drills left beside the account file. Never throws. */
async function sweepDrills(beside: string): Promise<void> {
  for (const name of await readdir(beside).catch(() => [])) {
    const [, pid, scope] = FOLDER.exec(name) ?? []
    if (pid === undefined) continue
    const folder = path.join(beside, name)
    const isDead = isProvablyDead(
      dropUndefined({ pid: Number(pid), scope: scope === '0' ? undefined : scope }),
    )
    const found = await stat(folder).catch(() => undefined)
    const isOld = found !== undefined && Math.abs(Date.now() - found.mtimeMs) > STALE_MS
    if (isDead || isOld)
      await rm(folder, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined)
  }
}

function stageOf(
  deps: StageDeps,
  folder: string,
  simulator: Simulator,
  helpers: Set<Helper>,
  clear: () => Promise<void>,
): Stage {
  const { processes, timeMs, signal, worker, env } = deps
  const [program = process.execPath, ...args] = worker
  let homes = 0
  const start = async (job: Job): Promise<Helper> => {
    signal.throwIfAborted()
    const child = startProgram({
      program,
      args: [...args, JSON.stringify(job)],
      env: chosenEnvironment(env),
      stdio: 'pipe',
    })
    if (child === undefined) throw new HelperFailed(`${program} could not be started`)
    const helper = helperOf(child, job)
    helpers.add(helper)
    void helper.ended.then(() => helpers.delete(helper))
    await helper.waitFor('ready')
    return helper
  }
  return {
    folder,
    simulator,
    processes,
    timeMs,
    signal,
    start,
    startAll: (jobOf) =>
      Promise.all(Array.from({ length: processes }, (_, at) => start(jobOf(at)))),
    pause: (ms) => systemClock.sleep(ms, signal),
    clear,
    newHome(accounts) {
      homes += 1
      return homeAt(path.join(folder, `home-${homes}`), simulator, NAMES.slice(0, accounts))
    },
  }
}

async function homeAt(
  folder: string,
  simulator: Simulator,
  names: readonly string[],
): Promise<Home> {
  const file = path.join(folder, 'accounts.json')
  const accounts = names.map((name) => {
    const tokens = simulator.login(name)
    const { accountId } = simulator.account(name)
    return {
      refreshToken: tokens.refresh_token,
      accessToken: tokens.access_token,
      expiresAt: Date.now() - 1_000,
      accountId,
      accountUserId: name,
      accountNote: '0',
      uid: name,
      addedAt: 1,
      lastUsed: 0,
    }
  })
  await mkdir(folder, { mode: 0o700 })
  await writeFile(file, JSON.stringify({ version: 3, accounts, activeIndex: 0 }), { mode: 0o600 })
  const store = createAccountStore({
    path: file,
    backupsDir: path.join(folder, 'backups'),
    clock: systemClock,
  })
  return {
    folder,
    file,
    store,
    uids: names,
    async account(uid) {
      store.forget()
      return (await store.read()).accounts.find((account) => account.uid === uid)
    },
  }
}

/** True when the journal of a home holds tokens that are in no account file yet. */
export async function hasReceived(home: Home): Promise<boolean> {
  const folder = path.join(home.folder, 'refresh')
  const names = await readdir(folder).catch(() => [])
  const texts = await Promise.all(
    names
      .filter((name) => name.endsWith('.json'))
      .map((name) => readFile(path.join(folder, name), 'utf8').catch(() => '')),
  )
  return texts.some((text) => text.includes('"received"'))
}
