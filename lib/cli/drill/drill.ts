import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { CodexError, messageOf } from '../../kernel/errors.js'
import { type DiskKind, diskKindAt } from '../../kernel/files/disk-kind.js'
import { realPathOrSame } from '../../kernel/files/real-path.js'
import { HelperFailed } from './helper.js'
import { deadHolder, lock } from './rounds/locks.js'
import { dropped, killedAsking, killedStoring, refresh } from './rounds/refresh.js'
import { store } from './rounds/store.js'
import { clock, refusedWrites } from './rounds/trouble.js'
import { onStage, type Stage, type StageDeps } from './stage.js'
import { broken, type Round, type Verdict } from './verdict.js'

const ROUNDS: readonly Round[] = [
  lock,
  deadHolder,
  store,
  refresh,
  killedStoring,
  killedAsking,
  dropped,
  clock,
  refusedWrites,
]
/** A step that does not end in this time, beside its part of the whole, waits for something that never comes, ms. */
const LONGEST_STEP_MS = 90_000
/** Beside this file in the package. */
const WORKER = 'drill-worker.js'

export interface DrillOptions {
  /** Handed over, so that the command line has the simulator once. */
  readonly startSimulator: StageDeps['startSimulator']
  /** The account file of the user; nothing but the folder it lies in is touched, and only by a folder of our own. */
  readonly accountsFile: string
  readonly env: NodeJS.ProcessEnv
  readonly processes: number
  readonly seconds: number
  readonly signal: AbortSignal
  readonly progress: (line: string) => void
}

export interface DrillReport {
  readonly safe: boolean
  /** One sentence, and what to do where it is not safe. */
  readonly summary: string
  readonly action: string
  readonly folder: string
  readonly disk: DiskKind
  readonly processes: number
  readonly seconds: number
  readonly faults: readonly (Verdict & { readonly fault: string })[]
}

/**
 * Runs the faults of refresh and store against a simulated login server on the user's disk. Made-up accounts, processes of
 * its own, no network but loopback, no keychain; leaves nothing behind.
 * @throws CodexError `store_not_written` when there is no room for it; the signal's reason when aborted
 */
export async function runDrill(options: DrillOptions): Promise<DrillReport> {
  const { processes, seconds, signal, env, progress } = options
  const beside = path.dirname(realPathOrSame(options.accountsFile))
  const startedMs = performance.now()
  const worker = fileURLToPath(new URL(WORKER, import.meta.url))
  const deps = {
    beside,
    startSimulator: options.startSimulator,
    env,
    processes,
    timeMs: seconds * 1_000,
    signal,
    // What the program was started with holds for its processes too, as with `fork`.
    worker: [process.execPath, ...process.execArgv, worker],
  }
  const disk = await diskKindAt(beside)
  const faults = await onStage(deps, async (stage) => {
    const verdicts: (Verdict & { readonly fault: string })[] = []
    for (const [index, round] of ROUNDS.entries()) {
      progress(`Drill, step ${index + 1} of ${ROUNDS.length}: ${round.what(processes)}`)
      const verdict = await verdictOf(round, stage)
      // What was proven before the disk was full stands.
      if (verdict instanceof CodexError) {
        if (verdicts.some(({ outcome }) => outcome === 'broken')) break
        throw verdict
      }
      verdicts.push({ fault: round.fault, ...verdict })
    }
    return verdicts
  })
  return {
    ...overall(faults, disk),
    folder: beside,
    disk,
    processes,
    seconds: Math.round((performance.now() - startedMs) / 1_000),
    faults,
  }
}

/** What a round came to; why none can go on where the disk takes nothing more. */
async function verdictOf(round: Round, stage: Stage): Promise<Verdict | CodexError> {
  const over = new AbortController()
  const limitMs = LONGEST_STEP_MS + stage.timeMs
  const timer = setTimeout(() => over.abort(), limitMs)
  const ended = AbortSignal.any([stage.signal, over.signal])
  const tooLong = new Promise<never>((_resolve, reject) =>
    ended.addEventListener('abort', () => reject(ended.reason as Error), { once: true }),
  )
  tooLong.catch(() => undefined)
  try {
    return await Promise.race([round.run(stage), tooLong])
  } catch (error) {
    if (stage.signal.aborted) throw error
    const disk = /\b(?:ENOSPC|EDQUOT|EROFS)\b/.exec(messageOf(error))?.[0]
    if (disk !== undefined) return noRoom(stage.folder, disk)
    if (over.signal.aborted) return broken(`It did not end within ${limitMs / 1_000} s.`)
    const what =
      error instanceof HelperFailed ? 'A process could not go on' : 'It could not be done'
    return broken(`${what}: ${messageOf(error)}`)
  } finally {
    clearTimeout(timer)
    await stage.clear()
  }
}

/** A disk that takes nothing more does no harm, and says nothing of what it does with what it takes. */
function noRoom(folder: string, code: string): CodexError {
  const [what, todo] =
    code === 'EROFS' ? ['takes no writes', 'Let it take writes'] : ['is full', 'Make room there']
  return new CodexError(
    'store_not_written',
    `The disk of ${path.dirname(folder)} ${what} (${code}), so the drill could not go on and says nothing of its safety.`,
    { hint: `${todo}, then run it again: {doctor --drill}` },
  )
}

/** What the whole says. Pure. */
function overall(
  faults: readonly Pick<Verdict, 'outcome'>[],
  { kind }: DiskKind,
): Pick<DrillReport, 'safe' | 'summary' | 'action'> {
  const count = faults.filter(({ outcome }) => outcome === 'broken').length
  if (count > 0)
    return {
      safe: false,
      summary: `Not safe: ${count === 1 ? 'a fault' : `${count} faults`} of ${faults.length} did harm on this disk.`,
      action:
        'Move the folder to a disk of this machine and leave a link in its place; until then use one OpenCode window at a time.',
    }
  return {
    safe: true,
    summary: 'Safe: no fault lost or doubled anything on this disk.',
    action:
      kind === 'network' || kind === 'foreign'
        ? 'The drill speaks for this machine. Where another one uses the same folder at the same time, run it there too.'
        : '',
  }
}
