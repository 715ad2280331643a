import path from 'node:path'

import { makeFolders } from '../kernel/make-folders.js'
import { chosenEnvironment, type Ended, findProgram, runProgram } from '../kernel/start-program.js'
import type { Paths } from '../kernel/files/paths.js'

type Env = NodeJS.ProcessEnv

/** What OpenCode goes by: its own settings and ours, and the way to the network. */
const OF_THE_HOST =
  /^(?:OPENCODE_\w+|CODEX_\w+|OC_CODEX_\w+|ENABLE_PLUGIN_REQUEST_LOGGING|(?:HTTPS?|ALL|NO)_PROXY|NODE_EXTRA_CA_CERTS|SSL_CERT_(?:FILE|DIR))$/i

/** A run of OpenCode to its end; `output` is both sides. */
interface HostRun extends Ended {
  readonly output: string
}

/** The program, where its installer or a package manager has put it; undefined when it is not there. */
export function hostProgram(env: Env, { home }: Pick<Paths, 'home'>): string | undefined {
  // Inside OpenCode the running program is the host itself.
  if (path.basename(process.execPath).startsWith('opencode')) return process.execPath
  const here = process.cwd()
  // A terminal that was open when it was installed does not have its folder in the search path yet.
  const names = ['opencode', path.join(home, '.opencode', 'bin', 'opencode')]
  if (process.platform === 'win32' && env.APPDATA !== undefined)
    names.push(path.join(env.APPDATA, 'npm', 'opencode'))
  return names.map((name) => findProgram(name, env, here)).find((file) => file !== undefined)
}

/**
 * Runs OpenCode in an empty folder of ours, so that no project's files are read. Undefined when it cannot be
 * started.
 */
export async function runHost(
  { env, paths }: { readonly env: Env; readonly paths: Paths },
  args: readonly string[],
  { signal, timeout }: { readonly signal: AbortSignal; readonly timeout: number },
): Promise<HostRun | undefined> {
  const program = hostProgram(env, paths)
  if (program === undefined) return undefined
  const folder = path.join(paths.cacheDir, 'empty')
  await makeFolders(folder)
  try {
    const ended = await runProgram({
      program,
      args,
      env: chosenEnvironment(env, OF_THE_HOST),
      folder,
      signal,
      timeout,
    })
    return ended && { ...ended, output: `${ended.stdout}\n${ended.stderr}` }
  } catch {
    return undefined
  }
}

/** The version of OpenCode; undefined when it is not there or does not answer. */
export async function hostVersion(
  place: { readonly env: Env; readonly paths: Paths },
  signal: AbortSignal,
): Promise<string | undefined> {
  const answer = await runHost(place, ['--version'], { signal, timeout: VERSION_TIMEOUT_MS })
  return /\d+\.\d+\.\d+/.exec(answer?.output ?? '')?.[0]
}

const VERSION_TIMEOUT_MS = 10_000
