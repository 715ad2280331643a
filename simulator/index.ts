import { setMaxListeners } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'

import {
  createAccount,
  type AccountPatch,
  type AccountSpec,
  patchAccount,
  type SimAccount,
} from './accounts/account.js'
import { createOAuthHandlers } from './accounts/oauth.js'
import { createPrng } from './prng.js'
import { createRuleBook, type ScenarioRule, scenarioSchema } from './scenario.js'
import type { RecordedRequest, Simulated } from './records.js'
import { answerRequest } from './server.js'
import {
  DEFAULT_SETTINGS,
  type Settings,
  type SettingsPatch,
  settingsPatchSchema,
} from './settings.js'
import { createOpenSockets, type OpenSockets } from './socket/open-sockets.js'
import { answerUpgrade } from './socket/upgrade.js'
import { createTokenRegistry, type TokenSet } from './accounts/tokens.js'
import { accountNamed, type World } from './world.js'

/** How a simulator is started. */
export interface SimulatorOptions {
  /** 0 for any free port. */
  readonly port?: number
  readonly accounts?: readonly (AccountSpec | string)[]
  /** The same seed, requests and order give the same answers. */
  readonly seed?: number
  readonly scenario?: ScenarioRule | readonly ScenarioRule[]
  readonly settings?: SettingsPatch
  /** Epoch ms; the machine's clock when absent. */
  readonly now?: () => number
  /** Serves HTTPS with this certificate for 127.0.0.1, as Codex CLI wants it; both in PEM. */
  readonly tls?: { readonly key: string; readonly cert: string }
}

/** A running simulator of the login server and the Codex backend. */
export interface Simulator extends OpenSockets {
  /** `http://127.0.0.1:<port>`, or `https:` with a certificate: the issuer. */
  readonly url: string
  /** The backend below it. */
  readonly backend: string
  /** The newest requests, oldest first. */
  readonly requests: readonly RecordedRequest[]
  readonly settings: Settings
  /** A finished login of an account, without the way there. */
  login(account: string, options?: { accessSeconds?: number }): TokenSet
  /** Adds rules; returns their ids. */
  addRules(rules: ScenarioRule | readonly ScenarioRule[]): string[]
  clearRules(id?: string): void
  changeSettings(patch: SettingsPatch): void
  patchAccount(account: string, patch: AccountPatch): void
  account(name: string): SimAccount
  /** Ends access tokens now; refresh tokens stay good. */
  expireAccess(account?: string): void
  revokeAccount(account: string): void
  approveDevice(userCode: string, account: string): boolean
  pendingDevices(): readonly string[]
  /** Moves the simulator's clock forward, ms. */
  advance(ms: number): void
  close(): Promise<void>
}

const DEFAULT_ACCOUNTS = ['personal', 'work'] as const

/** Starts a simulator on loopback. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const clock = options.now ?? Date.now
  let offsetMs = 0
  const now = (): number => clock() + offsetMs
  const random = createPrng(options.seed ?? 1)
  const settings: Settings = { ...DEFAULT_SETTINGS }
  const changeSettings = (patch: SettingsPatch): void =>
    void Object.assign(settings, settingsPatchSchema.parse(patch))
  changeSettings(options.settings ?? {})
  const accounts = (options.accounts ?? DEFAULT_ACCOUNTS).map((spec) =>
    createAccount(typeof spec === 'string' ? { name: spec } : spec, now()),
  )
  const recorded: RecordedRequest[] = []
  const sockets = new Set<Socket>()
  const closing = new AbortController()
  // Every connection and answer listens.
  setMaxListeners(0, closing.signal)
  const webSockets = createOpenSockets()
  const numbers = new WeakMap<Duplex, number>()
  let connections = 0
  const connectionOf = (socket: Duplex): number => {
    const number = numbers.get(socket) ?? (connections += 1)
    numbers.set(socket, number)
    return number
  }

  const onRequest = (request: http.IncomingMessage, response: http.ServerResponse): void =>
    void answerRequest(simulated, request, response)
  const server =
    options.tls === undefined
      ? http.createServer(onRequest)
      : https.createServer(options.tls, onRequest)
  server.on('upgrade', (request, socket: Socket, head) => {
    void answerUpgrade(simulated, request, socket, head).then((opened) => {
      if (opened !== undefined) webSockets.add(opened)
    })
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve),
  )
  const url = `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`

  const world: World = {
    issuer: url,
    settings,
    accounts,
    random,
    now,
    rules: createRuleBook(random),
    tokens: createTokenRegistry({
      now,
      random,
      issuer: url,
      settings,
      workspacesOf: (account) => accounts.filter(({ userId }) => userId === account.userId),
    }),
  }
  const oauth = createOAuthHandlers(world)
  const addRules = (rules: ScenarioRule | readonly ScenarioRule[]): string[] =>
    world.rules.add(scenarioSchema.parse(rules))
  if (options.scenario !== undefined) addRules(options.scenario)
  const advance = (ms: number): void => {
    offsetMs += ms
  }
  const control = {
    world,
    oauth,
    seen: () =>
      recorded.map(({ headers: _headers, body: _body, history: _history, ...seen }) => seen),
    advance,
    changeSettings,
  }
  const simulated: Simulated = { control, recorded, closing, connectionOf }

  const account = (name: string): SimAccount => {
    const found = accountNamed(world, name)
    if (found === undefined) throw new Error(`There is no simulated account ${name}.`)
    return found
  }

  return {
    url,
    backend: `${url}/backend-api`,
    requests: recorded,
    settings,
    login: (name, login) => world.tokens.issue(account(name), login),
    addRules,
    clearRules: (id) => world.rules.remove(id),
    changeSettings,
    patchAccount: (name, patch) => patchAccount(account(name), patch, now()),
    account,
    expireAccess: (name) =>
      world.tokens.expireAccess(name === undefined ? undefined : account(name)),
    revokeAccount: (name) => world.tokens.revokeAccount(account(name)),
    approveDevice: (userCode, name) => oauth.approveDevice(userCode, account(name)),
    pendingDevices: () => oauth.pendingDevices(),
    ...webSockets,
    advance,
    close: () =>
      new Promise((resolve) => {
        closing.abort()
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
