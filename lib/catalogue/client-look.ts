import { realpath } from 'node:fs/promises'
import path from 'node:path'

import {
  MAX_CONFIG_BYTES,
  MAX_FOREIGN_BYTES,
  readBoundedFile,
} from '../kernel/files/bounded-file.js'
import { readBounded } from '../kernel/read-bounded.js'
import { chosenEnvironment, findProgram, runProgram } from '../kernel/start-program.js'
import { isRecord, parsedJson } from '../kernel/text/json.js'
import { isNewer, releaseIn } from '../models/client-version.js'

/** Whom to ask what is published. */
export interface RegistryDeps {
  /** The npm registry; undefined where it is not to be asked. */
  readonly registry: string | undefined
  readonly userAgent: string
  readonly fetch: typeof globalThis.fetch
}

/** Where to look for what is installed. */
export interface MachineDeps {
  readonly env: NodeJS.ProcessEnv
  readonly home: string
}

const PACKAGE = '@openai/codex'
const REGISTRY_TIMEOUT_MS = 10_000
const MAX_MANIFEST_BYTES = 1024 * 1024
const PROGRAM_TIMEOUT_MS = 5_000
const MAX_OUTPUT_CHARS = 4_096

/** The newest release in the registry; undefined when it gives none. Nothing of the user goes there. Never throws. */
export async function newestRelease(
  { registry, fetch, userAgent }: RegistryDeps,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (registry === undefined) return undefined
  try {
    const response = await fetch(`${registry}/${PACKAGE}/latest`, {
      headers: { accept: 'application/json', 'user-agent': userAgent },
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(REGISTRY_TIMEOUT_MS)]),
    })
    const text = await readBounded(response, MAX_MANIFEST_BYTES)
    return response.ok ? releaseOf(parsedJson(text ?? '')) : undefined
  } catch {
    return undefined
  }
}

/**
 * The release of the Codex CLI of this machine, as far as files tell: its package, the folder it was installed into, the
 * model list it keeps. Only a program that says nothing of itself is asked. Never throws.
 */
export async function installedRelease(
  { env, home }: MachineDeps,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const program = findProgram('codex', env, process.cwd())
    const releases = [
      program === undefined ? undefined : await releaseBeside(program),
      await releaseOfModelList(env, home),
    ].filter((release) => release !== undefined)
    const newest = releases.reduce<string | undefined>(
      (best, one) => (best === undefined || isNewer(one, best) ? one : best),
      undefined,
    )
    if (newest !== undefined || program === undefined) return newest
    return await releaseSaidBy(program, env, signal)
  } catch {
    return undefined
  }
}

async function releaseBeside(program: string): Promise<string | undefined> {
  const file = await realpath(program)
  const manifests = [
    path.join(path.dirname(file), '..', 'package.json'),
    path.join(path.dirname(file), 'node_modules', PACKAGE, 'package.json'),
  ]
  for (const manifest of manifests) {
    const release = releaseOf(
      parsedJson((await readBoundedFile(manifest, MAX_CONFIG_BYTES).catch(() => '')) ?? ''),
    )
    if (release !== undefined) return release
  }
  return releaseIn(/[\\/](?:Caskroom|Cellar)[\\/]codex[\\/]([^\\/]+)[\\/]/.exec(file)?.[1])
}

function releaseOf(manifest: unknown): string | undefined {
  return isRecord(manifest) && manifest.name === PACKAGE ? releaseIn(manifest.version) : undefined
}

/** The CLI notes which version asked for its model list. The file is long and its first members are not ours: found, not parsed. */
async function releaseOfModelList(
  env: NodeJS.ProcessEnv,
  home: string,
): Promise<string | undefined> {
  const own = env.CODEX_HOME?.trim() ?? ''
  const file = path.join(own === '' ? path.join(home, '.codex') : own, 'models_cache.json')
  const text = await readBoundedFile(file, MAX_FOREIGN_BYTES).catch(() => undefined)
  return releaseIn(/"client_version"\s*:\s*"([^"]{1,32})"/.exec(text ?? '')?.[1])
}

/** `codex --version` prints `codex-cli 0.169.0`. */
async function releaseSaidBy(
  program: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<string | undefined> {
  const ended = await runProgram(
    {
      program,
      args: ['--version'],
      env: chosenEnvironment(env),
      timeout: PROGRAM_TIMEOUT_MS,
      signal,
    },
    { mostOutput: MAX_OUTPUT_CHARS },
  )
  return releaseIn(/^codex(?:-cli)? (\S+)\s*$/m.exec(ended?.stdout ?? '')?.[1])
}
