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

/** What the registry said counts this long, ms. */
export const LEARNED_FOR_MS = 24 * 3_600_000
/** After a look that found nothing, none is taken for this long, ms. */
export const RETRY_AFTER_MS = 3_600_000

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
  let nextLookMs = 0

  /** Waits for no network: what was learned earlier is read when it is first asked for. */
  const inForce = (): ClientVersion =>
    clientVersionOf(setting, setting === LEARNED ? (learned ??= storedIn(file)) : {})

  /** @returns whether the version in force is another one now */
  async function learn(signal: AbortSignal): Promise<boolean> {
    const nowMs = clock.now()
    if (setting !== LEARNED || nowMs < nextLookMs) return false
    const before = inForce().version
    nextLookMs = nowMs + RETRY_AFTER_MS
    try {
      // Windows share the file: what another one has learned is not asked for again.
      const stored = storedIn(file)
      const isDue = Math.abs(nowMs - (stored.registry?.atMs ?? 0)) > LEARNED_FOR_MS
      const [installed, registry] = await Promise.all([
        installedRelease(deps, signal),
        isDue ? newestRelease(deps, signal) : undefined,
      ])
      if (signal.aborted) return false
      learned = {
        installed: installed === undefined ? undefined : { version: installed, atMs: nowMs },
        registry: registry === undefined ? stored.registry : { version: registry, atMs: nowMs },
      }
      const isSame = learned.registry === stored.registry && installed === stored.installed?.version
      if (!isSame) {
        await writeFileAtomic(file, JSON.stringify({ version: VERSION, ...learned }), {
          isLosable: true,
        })
      }
    } catch (error) {
      log.log('debug', 'The version of the Codex CLI could not be looked up.', {
        reason: messageOf(error),
      })
    }
    return inForce().version !== before
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

/** What the file says; nothing where it is missing, damaged or of another form. Never throws. */
function storedIn(file: string): LearnedVersions {
  try {
    const content = parsedJson(readBoundedFileSync(fs, file, MAX_CONFIG_BYTES) ?? '')
    if (!isRecord(content) || content.version !== VERSION) return {}
    return { installed: learnedIn(content.installed), registry: learnedIn(content.registry) }
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
