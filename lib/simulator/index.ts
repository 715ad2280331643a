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
} from './account.js'
import { ACCOUNT_PAGES, answerAccountPage } from './account-pages.js'
import { answerClientPage } from './client-pages.js'
import { answerControl, type Seen } from './control.js'
import { unpacked } from './encoded-body.js'
import { unauthorized } from './forced.js'
import { createOAuthHandlers } from './oauth.js'
import { createPrng } from './prng.js'
import { detail, type Reply } from './reply.js'
import { answerResponses } from './responses.js'
import { createRuleBook, type ScenarioRule, scenarioSchema } from './scenario.js'
import { sendReply } from './send.js'
import {
  DEFAULT_SETTINGS,
  type Settings,
  type SettingsPatch,
  settingsPatchSchema,
} from './settings.js'
import { createTokenRegistry, type TokenSet } from './tokens.js'
import { accountNamed, type SimRequest, type World } from './world.js'

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

/** One answered request, with everything that was sent. */
export interface RecordedRequest extends Seen {
  /** How the answer ended: `gone` when the client left before its end; undefined while it runs. */
  end?: 'sent' | 'gone'
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A running simulator of the login server and the Codex backend. */
export interface Simulator {
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

/** Requests kept for tests and for the control plane. */
const MAX_RECORDED = 20_000
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

  const onRequest = (request: http.IncomingMessage, response: http.ServerResponse): void =>
    void handle(request, response)
  const server =
    options.tls === undefined
      ? http.createServer(onRequest)
      : https.createServer(options.tls, onRequest)
  server.on('upgrade', refuseUpgrade)
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
    seen: () => recorded.map(({ headers: _headers, body: _body, ...seen }) => seen),
    advance,
    changeSettings,
  }

  async function handle(
    incoming: http.IncomingMessage,
    response: http.ServerResponse,
  ): Promise<void> {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const parts: Buffer[] = []
    try {
      for await (const part of incoming) parts.push(part as Buffer)
    } catch {
      return
    }
    const body = await unpacked(Buffer.concat(parts), incoming.headers['content-encoding'] ?? '')
    const request = requestOf(incoming, body?.toString('utf8') ?? '')
    const { reply, account } =
      body === undefined
        ? { reply: detail(415, 'The encoding of the body is not supported'), account: undefined }
        : answer(request)
    const record = noted(request, reply.status, account)
    if (request.path === '/oauth/token' && settings.tokenLatencyMs > 0)
      await new Promise((resolve) => setTimeout(resolve, settings.tokenLatencyMs))
    response.once('close', () => {
      record.end = response.writableFinished ? 'sent' : 'gone'
    })
    await sendReply(response, reply, {
      gone: AbortSignal.any([gone.signal, closing.signal]),
      deltaMs: settings.deltaMs,
      random: () => random.next(),
    })
  }

  function requestOf(incoming: http.IncomingMessage, body: string): SimRequest {
    const target = new URL(incoming.url ?? '/', url)
    return {
      method: incoming.method ?? 'GET',
      path: target.pathname.replace(/(?<=.)\/+$/, ''),
      query: target.searchParams,
      headers: Object.fromEntries(
        Object.entries(incoming.headers).map(([name, value]) => [
          name,
          Array.isArray(value) ? value.join(', ') : (value ?? ''),
        ]),
      ),
      body,
    }
  }

  function noted(
    request: SimRequest,
    status: number,
    account: SimAccount | undefined,
  ): RecordedRequest {
    const record: RecordedRequest = {
      method: request.method,
      path: request.path,
      account: account?.name,
      status,
      atMs: now(),
      headers: request.headers,
      body: request.body,
    }
    if (request.path.startsWith('/__sim/')) return record
    recorded.push(record)
    if (recorded.length > MAX_RECORDED) recorded.shift()
    return record
  }

  /** There is no WebSocket here; 426 is what sends a client to HTTP at once and for good (wire facts, second study §3). */
  function refuseUpgrade(incoming: http.IncomingMessage, socket: Duplex): void {
    const request = requestOf(incoming, '')
    const status = request.path === '/backend-api/codex/responses' ? 426 : 404
    noted(request, status, undefined)
    const body = JSON.stringify({ detail: status === 426 ? 'Upgrade Required' : 'Not Found' })
    socket.on('error', () => undefined)
    socket.end(
      `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
    )
  }

  function answer(request: SimRequest): { reply: Reply; account?: SimAccount } {
    if (request.path.startsWith('/__sim/')) return { reply: answerControl(control, request) }
    switch (`${request.method} ${request.path}`) {
      case 'GET /oauth/authorize':
        return { reply: oauth.authorize(request) }
      case 'POST /oauth/token':
        return { reply: oauth.token(request) }
      case 'POST /oauth/revoke':
        return { reply: oauth.revoke(request) }
      case 'POST /api/accounts/deviceauth/usercode':
        return { reply: oauth.deviceCode(request) }
      case 'POST /api/accounts/deviceauth/token':
        return { reply: oauth.deviceToken(request) }
      case 'GET /codex/device':
        return { reply: oauth.devicePage(request) }
    }
    const besides = answerClientPage(request)
    if (besides !== undefined) return { reply: besides }
    const page = ACCOUNT_PAGES[`${request.method} ${request.path}`]
    const isResponses = request.method === 'POST' && request.path === '/backend-api/codex/responses'
    if (page === undefined && !isResponses) return { reply: detail(404, 'Not Found') }
    const access = world.tokens.access(
      (request.headers.authorization ?? '').replace(/^Bearer /, ''),
    )
    if (access === undefined) return { reply: unauthorized('invalid_token') }
    const { account, state } = access
    if (state !== 'live')
      return {
        account,
        reply: unauthorized(state === 'expired' ? 'token_expired' : 'token_revoked'),
      }
    const named = request.headers['chatgpt-account-id']
    if (named !== undefined && named !== account.accountId)
      return { account, reply: detail(403, 'The token is not for this workspace') }
    return {
      account,
      reply:
        page === undefined
          ? answerResponses(world, account, request)
          : answerAccountPage(world, account, request, page),
    }
  }

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
    advance,
    close: () =>
      new Promise((resolve) => {
        closing.abort()
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
