import * as fs from 'node:fs'

import type { Clock } from '../kernel/clock.js'
import { messageOf } from '../kernel/errors.js'
import { MAX_CONFIG_BYTES, readBoundedFileSync } from '../kernel/files/bounded-file.js'
import { writeFileAtomic } from '../kernel/files/writing.js'
import type { Logger } from '../kernel/logger.js'
import { isRecord, parsedJson } from '../kernel/text/json.js'
import {
  type ClientVersion,
  clientVersionOf,
  isNewer,
  LEARNED,
  type LearnedVersion,
  type LearnedVersions,
  releaseIn,
} from '../models/client-version.js'
import {
  installedRelease,
  type MachineDeps,
  newestRelease,
  type RegistryDeps,
} from './client-look.js'

/** The registry is asked once in this time, by all windows together and whatever it says, ms. */
export const LEARNED_FOR_MS = 24 * 3_600_000
/** After a look a window takes none for this long, ms. */
export const RETRY_AFTER_MS = 3_600_000
/** Other windows leave the registry to the one that asks for this long: it may end before the answer comes, ms. */
const ASKING_FOR_MS = 60_000

/** What is known of the version of the Codex CLI, and how more is learned. */
export type ClientVersions = ReturnType<typeof createClientVersions>

export interface ClientVersionDeps extends RegistryDeps, MachineDeps {
  /** Where what was learned is kept. */
  readonly file: string
  /** Value of `codexClientVersion`. */
  readonly setting: string
  readonly clock: Clock
  readonly log: Logger
}

/** Creates the book over its file. */
export function createClientVersions(deps: ClientVersionDeps) {
  const { file, setting, clock, log } = deps
  let learned: LearnedVersions | undefined
  let lookedAtMs = -Infinity

  /** Waits for no network: what was learned earlier is read when it is first asked for. */
  const inForce = (): ClientVersion =>
    clientVersionOf(setting, setting === LEARNED ? (learned ??= storedIn(file)) : {})

  /** @returns whether the version in force is another one now */
  async function learn(signal: AbortSignal): Promise<boolean> {
    const nowMs = clock.now()
    if (setting !== LEARNED || Math.abs(nowMs - lookedAtMs) < RETRY_AFTER_MS) return false
    const before = inForce().version
    lookedAtMs = nowMs
    try {
      const known = storedIn(file)
      const isDue = deps.registry !== undefined && mayAsk(known, nowMs)
      if (isDue) await keep({ ...known, nextAskMs: nowMs + ASKING_FOR_MS })
      const [installed, registry] = await Promise.all([
        installedRelease(deps, signal),
        isDue ? newestRelease(deps, signal) : undefined,
      ])
      if (signal.aborted) return false
      // Read again: another window may have learned more meanwhile.
      const stored = storedIn(file)
      const next: Stored = {
        installed: installed === undefined ? undefined : { version: installed, atMs: nowMs },
        registry: registry === undefined ? stored.registry : { version: registry, atMs: nowMs },
        nextAskMs: isDue ? nowMs + LEARNED_FOR_MS : stored.nextAskMs,
      }
      learned = next
      if (isDue || installed !== stored.installed?.version) await keep(next)
    } catch (error) {
      log.log('debug', 'The version of the Codex CLI could not be looked up.', {
        reason: messageOf(error),
      })
    }
    return inForce().version !== before
  }

  async function keep(stored: Stored): Promise<void> {
    await writeFileAtomic(file, JSON.stringify({ version: VERSION, ...stored }), {
      isLosable: true,
    })
  }

  /** Whether somebody may be shown more now than as that client. */
  function isPast(client: string): boolean {
    const { version } = inForce()
    const [now, before] = [releaseIn(version), releaseIn(client)]
    return now === undefined || before === undefined ? client !== version : isNewer(now, before)
  }

  return { inForce, isPast, learn }
}

const VERSION = 1

/** What the windows share. */
interface Stored extends LearnedVersions {
  /** The registry is left alone until then, epoch ms. */
  readonly nextAskMs?: number | undefined
}

/** A time that is further ahead than any that is written comes from a clock that was wrong. */
function mayAsk({ registry, nextAskMs }: Stored, nowMs: number): boolean {
  const until = nextAskMs ?? (registry === undefined ? nowMs : registry.atMs + LEARNED_FOR_MS)
  return nowMs >= until || until > nowMs + LEARNED_FOR_MS
}

/** What the file says; nothing where it is missing, damaged or of another form. Never throws. */
function storedIn(file: string): Stored {
  try {
    const content = parsedJson(readBoundedFileSync(fs, file, MAX_CONFIG_BYTES) ?? '')
    if (!isRecord(content) || content.version !== VERSION) return {}
    const { installed, registry, nextAskMs } = content
    return {
      installed: learnedIn(installed),
      registry: learnedIn(registry),
      nextAskMs: typeof nextAskMs === 'number' ? nextAskMs : undefined,
    }
  } catch {
    return {}
  }
}

function learnedIn(value: unknown): LearnedVersion | undefined {
  if (!isRecord(value)) return undefined
  const version = releaseIn(value.version)
  const { atMs } = value
  return version === undefined || typeof atMs !== 'number' || !Number.isFinite(atMs)
    ? undefined
    : { version, atMs }
}
