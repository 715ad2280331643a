import { createHash } from 'node:crypto'

import type { SimAccount } from './account.js'
import { forcedReply, refreshRefused } from '../forced.js'
import { escapeHtml } from '../../lib/kernel/text/html.js'
import { apiError, detail, html, json, redirect, type Reply } from '../reply.js'
import { DEFAULT_SCOPE } from './tokens.js'
import { accountNamed, fieldsOf, firing, type SimRequest, type World } from '../world.js'

/** An authorization code waits this long for its exchange, ms. */
const CODE_LIFE_MS = 60_000
/**
 * A device code waits this long for its owner, ms (docs/development/facts/oauth.md#device-code).
 */
const DEVICE_LIFE_MS = 15 * 60_000

interface Code {
  readonly account: SimAccount
  readonly challenge: string
  readonly redirectUri: string
  readonly scope: string
  readonly expiresAtMs: number
}

interface Device {
  readonly id: string
  readonly userCode: string
  readonly expiresAtMs: number
  polls: number
  state: 'pending' | 'denied' | { readonly account: SimAccount }
}

/** The login server: authorization code with PKCE, refresh, revocation, device code. */
export interface OAuthHandlers {
  authorize(request: SimRequest): Reply
  token(request: SimRequest): Reply
  revoke(request: SimRequest): Reply
  deviceCode(request: SimRequest): Reply
  deviceToken(request: SimRequest): Reply
  devicePage(request: SimRequest): Reply
  /** What a person does on the page; false for an unknown code. */
  approveDevice(userCode: string, account: SimAccount): boolean
  /** Device logins nobody has answered. */
  pendingDevices(): readonly string[]
}

/** What the login server of one simulator remembers. */
interface LoginServer {
  readonly world: World
  readonly codes: Map<string, Code>
  readonly devices: Map<string, Device>
}

/** Creates the handlers of one simulator. */
export function createOAuthHandlers(world: World): OAuthHandlers {
  const server: LoginServer = { world, codes: new Map(), devices: new Map() }
  return {
    authorize: (request) => authorize(server, request),
    token: (request) => token(server, request),
    revoke: (request) => revoke(server, request),
    deviceCode: () => deviceCode(server),
    deviceToken: (request) => deviceToken(server, request),
    devicePage: (request) => devicePage(server, request),
    approveDevice: (userCode, account) => approveDevice(server, userCode, account),
    pendingDevices: () =>
      [...server.devices.values()]
        .filter(({ state }) => state === 'pending')
        .map(({ userCode }) => userCode),
  }
}

function grantCode(
  { world, codes }: LoginServer,
  account: SimAccount,
  challenge: string,
  redirectUri: string,
  scope: string,
): string {
  const code = `ac_${world.random.hex(40)}`
  const expiresAtMs = world.now() + CODE_LIFE_MS
  codes.set(code, { account, challenge, redirectUri, scope, expiresAtMs })
  return code
}

function authorize(server: LoginServer, request: SimRequest): Reply {
  const { world } = server
  const { query } = request
  const redirectUri = query.get('redirect_uri') ?? ''
  const state = query.get('state') ?? ''
  const challenge = query.get('code_challenge') ?? ''
  const problem = authorizeProblem(query, world)
  if (problem !== undefined)
    return html(400, `<!doctype html><title>Error</title><p>${escapeHtml(problem)}</p>`)
  const actions = firing(world, 'authorize')
  const deny = actions.find((action) => action.type === 'deny')
  const back = (parameters: Record<string, string>): Reply => {
    const target = new URL(redirectUri)
    for (const [name, value] of Object.entries({ ...parameters, state }))
      target.searchParams.set(name, value)
    return redirect(target.href)
  }
  if (deny !== undefined) return back({ error: deny.error, error_description: deny.description })
  const forced = forcedReply(actions, { now: world.now(), account: undefined, familyIndex: 0 })
  if (forced !== undefined) return forced
  const approve = actions.find((action) => action.type === 'approve')
  const chosen = approve?.account ?? query.get('sim_account') ?? world.settings.autoApprove
  if (chosen === null) return accountPage(world, 'Sign in to the simulator', query)
  const account = accountNamed(world, chosen)
  if (account === undefined)
    return html(
      404,
      `<!doctype html><title>Error</title><p>There is no account ${escapeHtml(chosen)}.</p>`,
    )
  return back({
    code: grantCode(server, account, challenge, redirectUri, query.get('scope') ?? DEFAULT_SCOPE),
    scope: query.get('scope') ?? DEFAULT_SCOPE,
  })
}

function accountPage(world: World, title: string, query: URLSearchParams): Reply {
  // Links: a form would be subject to the page's form-action policy when it is redirected.
  const links = world.accounts.map(({ name, email, plan }) => {
    const target = new URLSearchParams([...query, ['sim_account', name]])
    return `<p><a href="?${escapeHtml(target.toString())}">${escapeHtml(name)} · ${escapeHtml(email)} · ${escapeHtml(plan)}</a></p>`
  })
  return html(
    200,
    `<!doctype html><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${links.join('')}`,
  )
}

function token(server: LoginServer, request: SimRequest): Reply {
  const { world, codes } = server
  const fields = fieldsOf(request)
  const grant = fields.grant_type
  const owner =
    grant === 'refresh_token'
      ? world.tokens.ownerOf(fields.refresh_token ?? '')
      : codes.get(fields.code ?? '')?.account
  const actions = firing(world, 'token', { grant, account: owner?.name })
  const forced = forcedReply(actions, { now: world.now(), account: owner, familyIndex: 0 })
  if (forced !== undefined) return { ...forced, actions }
  const omitted = new Set(
    actions.flatMap((action) => (action.type === 'omit' ? action.fields : [])),
  )
  const answer = (body: Readonly<Record<string, unknown>>): Reply => ({
    ...json(200, Object.fromEntries(Object.entries(body).filter(([name]) => !omitted.has(name))), {
      'cache-control': 'no-store',
    }),
    actions,
  })
  if (grant === 'refresh_token') {
    const result = world.tokens.refresh(fields.refresh_token ?? '')
    if ('tokens' in result) return answer({ ...result.tokens })
    return {
      ...(result.failure === 'unknown'
        ? json(400, { error: 'invalid_grant' })
        : refreshRefused(result.failure)),
      actions,
    }
  }
  if (grant !== 'authorization_code')
    return apiError(400, {
      message: `grant_type ${grant ?? ''} is not supported`,
      code: 'unsupported_grant_type',
    })
  const code = codes.get(fields.code ?? '')
  codes.delete(fields.code ?? '')
  const challenge = createHash('sha256')
    .update(fields.code_verifier ?? '')
    .digest('base64url')
  const isGood =
    code !== undefined &&
    code.expiresAtMs > world.now() &&
    code.redirectUri === fields.redirect_uri &&
    code.challenge === challenge
  if (!isGood)
    return apiError(400, {
      message: 'The authorization code is not valid',
      code: 'invalid_grant',
    })
  return answer({ ...world.tokens.issue(code.account, { scope: code.scope }) })
}

function revoke({ world }: LoginServer, request: SimRequest): Reply {
  const forced = forcedReply(firing(world, 'revoke'), {
    now: world.now(),
    account: undefined,
    familyIndex: 0,
  })
  if (forced !== undefined) return forced
  world.tokens.revoke(fieldsOf(request).token ?? '')
  return json(200, {})
}

function deviceCode({ world, devices }: LoginServer): Reply {
  const actions = firing(world, 'device_code')
  const forced = forcedReply(actions, { now: world.now(), account: undefined, familyIndex: 0 })
  if (forced !== undefined) return forced
  if (!world.settings.deviceEnabled) return detail(404, 'Not Found')
  const letters = world.random.hex(9).toUpperCase()
  const device: Device = {
    id: `deviceauth_${world.random.hex(24)}`,
    userCode: `${letters.slice(0, 4)}-${letters.slice(4)}`,
    expiresAtMs: world.now() + DEVICE_LIFE_MS,
    polls: 0,
    state: 'pending',
  }
  devices.set(device.id, device)
  return json(200, {
    device_auth_id: device.id,
    user_code: device.userCode,
    interval: String(world.settings.deviceIntervalSec),
  })
}

function deviceToken(server: LoginServer, request: SimRequest): Reply {
  const { world, devices } = server
  const fields = fieldsOf(request)
  const device = devices.get(fields.device_auth_id ?? '')
  const actions = firing(world, 'device_token')
  const forced = forcedReply(actions, { now: world.now(), account: undefined, familyIndex: 0 })
  if (forced !== undefined) return forced
  const [first] = world.accounts
  if (
    device === undefined ||
    device.userCode !== fields.user_code ||
    device.expiresAtMs <= world.now()
  )
    return apiError(400, { message: 'The device code is not valid', code: 'expired_token' })
  device.polls += 1
  const approve = actions.find((action) => action.type === 'approve')
  if (approve !== undefined) {
    const account = accountNamed(world, approve.account)
    if (account !== undefined) device.state = { account }
  }
  const { deviceApproveAfterPolls: after } = world.settings
  if (device.state === 'pending' && after !== null && device.polls > after && first !== undefined) {
    device.state = { account: accountNamed(world, world.settings.autoApprove ?? '') ?? first }
  }
  if (device.state === 'denied')
    return apiError(400, { message: 'The user refused the login', code: 'access_denied' })
  if (device.state === 'pending')
    return apiError(403, {
      message: 'The user has not finished',
      code: 'deviceauth_authorization_pending',
    })
  devices.delete(device.id)
  const verifier = world.random.hex(86)
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  const code = grantCode(
    server,
    device.state.account,
    challenge,
    `${world.issuer}/deviceauth/callback`,
    DEFAULT_SCOPE,
  )
  return json(200, {
    authorization_code: code,
    code_challenge: challenge,
    code_verifier: verifier,
  })
}

function approveDevice({ devices }: LoginServer, userCode: string, account: SimAccount): boolean {
  const device = [...devices.values()].find((candidate) => candidate.userCode === userCode)
  if (device === undefined) return false
  device.state = { account }
  return true
}

function devicePage(server: LoginServer, request: SimRequest): Reply {
  const { world } = server
  const userCode = request.query.get('user_code')
  const account = accountNamed(world, request.query.get('sim_account') ?? '')
  if (userCode !== null && account !== undefined) {
    const known = approveDevice(server, userCode, account)
    return html(
      known ? 200 : 404,
      `<!doctype html><title>Device</title><p>${known ? 'Signed in. Go back to the terminal.' : 'This code is not known.'}</p>`,
    )
  }
  const fields = world.accounts
    .map(
      ({ name }) =>
        `<p><button name="sim_account" value="${escapeHtml(name)}">${escapeHtml(name)}</button></p>`,
    )
    .join('')
  return html(
    200,
    `<!doctype html><meta charset="utf-8"><title>Device</title><h1>Enter the code</h1><form><p><input name="user_code" placeholder="XXXX-XXXXX"></p>${fields}</form>`,
  )
}

function authorizeProblem(query: URLSearchParams, world: World): string | undefined {
  const redirectUri = query.get('redirect_uri') ?? ''
  if (!URL.canParse(redirectUri)) return 'redirect_uri is not a URL'
  const target = new URL(redirectUri)
  if (!['localhost', '127.0.0.1'].includes(target.hostname))
    return 'redirect_uri does not name this machine'
  const { redirectPorts } = world.settings
  if (redirectPorts !== null && !redirectPorts.includes(Number(target.port)))
    return 'redirect_uri names a port that is not registered'
  if (query.get('response_type') !== 'code') return 'response_type must be code'
  if (
    query.get('code_challenge_method') !== 'S256' ||
    (query.get('code_challenge') ?? '').length < 43
  )
    return 'code_challenge is missing'
  return (query.get('state') ?? '') === '' ? 'state is missing' : undefined
}
