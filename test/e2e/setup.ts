import path from 'node:path'

import { afterAll, beforeAll, onTestFinished } from 'vitest'

import { type Simulator, type SimulatorOptions, startSimulator } from '../../simulator/index.js'
import { createHost, type Host, type HostOptions } from '../support/host.js'
import { type HostServer, startHostServer } from '../support/host-server.js'
import { packPackage } from '../support/pack.js'
import { startRegistry } from '../support/registry.js'

/** A throw-away OpenCode that installs the packed plugin from a loopback registry, and a simulator for it. */
export interface Stage {
  readonly host: Host
  readonly simulator: Simulator
  /** Path of the plugin's account file. */
  readonly accountsFile: string
  close(): Promise<void>
}

export interface StageOptions {
  readonly simulator?: SimulatorOptions
  readonly host?: Partial<HostOptions>
  /** Accounts that sign in first, by device code. */
  readonly signedIn?: readonly string[]
}

/** Labels of the login methods, as the host lists them. */
export const METHODS = {
  browser: 'ChatGPT account (browser)',
  device: 'ChatGPT account (device code, for SSH and containers)',
  paste: 'ChatGPT account (paste the address by hand)',
} as const

/** Sets a stage; close it afterwards. */
export async function setStage(options: StageOptions = {}): Promise<Stage> {
  const published = await packPackage()
  const registry = await startRegistry([published])
  const simulator = await startSimulator({
    ...options.simulator,
    settings: { deviceIntervalSec: 1, ...options.simulator?.settings },
  })
  const host = await createHost({
    plugins: [published.manifest.name],
    registry: registry.url,
    simulator: { issuer: simulator.url, backend: simulator.backend },
    ...options.host,
  })
  const stage: Stage = {
    host,
    simulator,
    accountsFile: path.join(host.home, '.opencode', 'oc-codex-multi-auth-accounts.json'),
    async close() {
      await host.cleanup()
      await Promise.all([simulator.close(), registry.close()])
    },
  }
  for (const account of options.signedIn ?? []) await signIn(stage, account)
  return stage
}

/** One stage for all tests of a file or block. */
export function useStage(options: StageOptions = {}): () => Stage {
  let stage: Stage | undefined
  beforeAll(async () => {
    stage = await setStage(options)
  })
  afterAll(() => stage?.close())
  return () => {
    if (stage === undefined) throw new Error('the stage is not set')
    return stage
  }
}

/** OpenCode's server for one test, ended with it. */
export async function servedFor(
  { host }: Stage,
  env: Readonly<Record<string, string>> = {},
): Promise<HostServer> {
  const server = await startHostServer(host, { env })
  onTestFinished(async () => {
    await server.stop()
  })
  return server
}

/** Signs an account in with a device code, as over SSH. */
export async function signIn({ host, simulator }: Stage, account: string): Promise<void> {
  simulator.changeSettings({ autoApprove: account, deviceApproveAfterPolls: 0 })
  const login = await host.login(METHODS.device)
  simulator.changeSettings({ autoApprove: null, deviceApproveAfterPolls: null })
  if (login.code !== 0 || !/success/i.test(login.stdout))
    throw new Error(`the login of ${account} did not work:\n${login.stdout}\n${login.stderr}`)
}

/** The requests for answers since `from`, with parsed bodies. */
export function turns(
  { simulator }: Stage,
  from = 0,
): {
  account: string | undefined
  status: number
  headers: Readonly<Record<string, string>>
  body: Record<string, unknown>
  raw: string
}[] {
  return simulator.requests
    .slice(from)
    .filter(
      ({ path: route, method }) => route === '/backend-api/codex/responses' && method !== 'GET',
    )
    .map((request) => {
      const { account, status, headers, body } = asByHttp(request)
      return { account, status, headers, body: JSON.parse(body) as Body, raw: body }
    })
}

type Body = Record<string, unknown>

/** What every POST has, of no interest here. */
const OF_HTTP = {
  accept: 'text/event-stream',
  'accept-encoding': 'identity',
  'content-length': '0',
}

/** A frame of a WebSocket as the request by HTTP that it stands for: with all that its connection held. */
function asByHttp(request: Simulator['requests'][number]): Simulator['requests'][number] {
  if (request.method !== 'FRAME') return request
  const {
    type: _type,
    previous_response_id: _previous,
    client_metadata: metadata = {},
    ...body
  } = JSON.parse(request.body) as Body
  const headers = Object.fromEntries(
    Object.entries({
      ...request.headers,
      ...OF_HTTP,
      ...(metadata as object),
    }).filter(([name]) => !/^(?:upgrade|openai-beta|sec-websocket-)/.test(name)),
  ) as Record<string, string>
  // The backend holds the items of its own answers, the host sends them without their names and states.
  const input = ((request.history ?? body.input) as Body[]).map(
    ({ id: _id, status: _status, ...item }) => item,
  )
  return { ...request, headers, body: JSON.stringify({ ...body, input, stream: true }) }
}
