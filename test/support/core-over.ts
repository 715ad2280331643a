import { mkdir } from 'node:fs/promises'
import path from 'node:path'

import { onTestFinished } from 'vitest'

import { type Core, createCore } from '../../lib/core.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import type { Place } from '../../lib/kernel/text/command-words.js'
import type { OpenWebSocket } from '../../lib/request/transport/socket.js'
import type { AccountSpec } from '../../simulator/accounts/account.js'
import { type Simulator, startSimulator } from '../../simulator/index.js'
import { loadCapture } from './captured-request.js'
import { aHome, homeIn } from './home.js'
import { signedIn } from './records.js'

export const FULL = [{ minutes: 300, limit: 100, used: 100 }]
export const ROOMY = [{ minutes: 300, limit: 100_000 }]
export const RESPONSES = '/backend-api/codex/responses'
const MODELS = '/backend-api/codex/models'

export interface Stage {
  readonly core: Core
  readonly simulator: Simulator
  readonly home: string
  /** Messages of the host's toasts and log, in order. */
  readonly said: readonly string[]
}

/** The plugin's core over a simulator in which the named accounts are signed in. */
export async function coreOver(
  specs: readonly (AccountSpec | string)[],
  options: {
    expiresInMs?: number
    env?: NodeJS.ProcessEnv
    change?: (account: Record<string, unknown>, index: number) => Record<string, unknown>
    openWebSocket?: OpenWebSocket
    /** Name of a project in the home in which the core works; the home itself when absent. */
    project?: string
    place?: () => Place
    isCompacting?: (session: string) => boolean
  } = {},
): Promise<Stage> {
  const simulator = await startSimulator({
    accounts: specs.map((spec) =>
      typeof spec === 'string' ? { name: spec, windows: ROOMY } : spec,
    ),
  })
  onTestFinished(() => simulator.close())
  const accounts = specs.map((spec, index) => {
    const account = signedIn(
      simulator,
      typeof spec === 'string' ? spec : spec.name,
      options.expiresInMs,
    )
    return options.change?.(account, index) ?? account
  })
  const home = await aHome(accounts)
  const said: string[] = []
  const env = {
    ...homeIn(home),
    OC_CODEX_SIMULATOR_ISSUER: simulator.url,
    OC_CODEX_SIMULATOR_BACKEND: simulator.backend,
    CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS: '0',
    ...options.env,
  }
  const host = {
    log: (level: string, text: string) => void said.push(`${level}: ${text}`),
    toast: ({ message }: { message: string }) => void said.push(message),
  }
  const { openWebSocket, place, project, isCompacting } = options
  const directory = path.join(home, project ?? '')
  if (project !== undefined) await mkdir(path.join(directory, '.git'), { recursive: true })
  const core = await createCore({
    host,
    paths: resolvePaths(env),
    env,
    directory,
    ...(openWebSocket && { openWebSocket }),
    ...(place && { place }),
    ...(isCompacting && { isCompacting }),
  })
  onTestFinished(() => core.close())
  return { core, simulator, home, said }
}

/** The first turn of a session as the host sends it. */
export async function firstTurn(): Promise<string> {
  return JSON.stringify((await loadCapture('02-first-turn')).body)
}

/** Sends a request through the plugin and reads the answer to its end. */
export async function ask(
  core: Core,
  body: string,
  session = 'ses_1',
): Promise<{ status: number; text: string }> {
  const response = await core.fetch('https://api.openai.com/v1/responses', {
    method: 'POST',
    headers: { 'session-id': session },
    body,
  })
  return { status: response.status, text: await response.text() }
}

/**
 * Paths the simulator was asked for, oldest first, but for the list of models: the core looks after that by itself a
 * second after its start, which on a slow day falls among the requests of a test.
 */
export function pathsOf(simulator: Simulator, from = 0): string[] {
  return simulator.requests
    .slice(from)
    .map((request) => request.path)
    .filter((asked) => asked !== MODELS)
}

/** The requests for answers since `from`, oldest first. */
export function answersAsked(simulator: Simulator, from = 0): Simulator['requests'] {
  return simulator.requests.slice(from).filter(({ path: asked }) => asked === RESPONSES)
}

/** Accounts that were asked for an answer, oldest first. */
export function served(simulator: Simulator, from = 0): (string | undefined)[] {
  return answersAsked(simulator, from).map(({ account }) => account)
}
