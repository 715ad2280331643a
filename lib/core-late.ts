import * as fs from 'node:fs'
import os from 'node:os'
import { isatty } from 'node:tty'

import { paceWarning } from './account-view/forecast-words.js'
import type { Account, AccountPool } from './accounts/account.js'
import { withLogin } from './accounts/edits.js'
import { accountName } from './accounts/labels.js'
import { ensureHostManifest } from './accounts/project/host-folder.js'
import { adopt, ensureStorable } from './accounts/store/adopt.js'
import { forecastOf } from './history/estimates.js'
import { MAX_CONFIG_BYTES, readBoundedFileSync } from './kernel/files/bounded-file.js'
import type { Paths } from './kernel/files/paths.js'
import type { Place } from './kernel/text/command-words.js'
import { accountFromLogin } from './login/account-from-login.js'
import { checkWorkspace } from './login/accounts-check.js'
import { manageAccounts } from './login/manage-method.js'
import { createLoginMethods, type LoginMethods } from './login/methods.js'
import { parseBaseUrl } from './oauth/base-url.js'
import { type LoginTokens, OAuthClient } from './oauth/oauth-client.js'
import type { Alert } from './quota/alerts.js'
import { errorResponse, shownError } from './request/failures/host-error.js'
import type { CodexIdentity } from './request/headers/codex-identity.js'
import { codexUserAgent, originatorAt } from './request/headers/codex-user-agent.js'
import { alertNotice } from './request/notice-words.js'
import type { Notices } from './request/notices.js'
import type { Runtime } from './runtime.js'

/** Says that little is left of a window of an account, and how long that lasts. */
export async function sayAlert(
  { runtime, notices }: { readonly runtime: Runtime; readonly notices: Notices },
  account: Account,
  alert: Alert,
): Promise<void> {
  const { clock, history } = runtime
  const entries = await history.readingsOf(account.uid)
  const forecast = forecastOf(entries, { uid: account.uid, ...alert }, clock.now())
  const pace = alert.level === 0 ? '' : paceWarning(forecast, clock.now())
  const said = { uid: account.uid, label: runtime.label(account), alert, pace }
  notices.tell(alertNotice(said, clock.now()))
}

/** The ways to sign in, for the host. */
export function createLogin(
  runtime: Runtime,
  input: {
    readonly env: NodeJS.ProcessEnv
    readonly paths: Paths
    readonly runMenu?: () => Promise<void>
  },
): LoginMethods {
  const { clock, host, store } = runtime
  return createLoginMethods({
    oauth: new OAuthClient(runtime),
    clock,
    host,
    env: input.env,
    manage: () =>
      manageAccounts({
        host,
        hostAuthFile: input.paths.hostAuthFile,
        hasAccounts: async () => (await store.read()).accounts.length > 0,
        argv: process.argv,
        // Asked of the descriptors: touching the streams would already take the host's input.
        isTerminal: isatty(0) && isatty(1),
        runMenu: input.runMenu ?? (async () => undefined),
      }),
    ready: () => readyForLogin(runtime),
    save: (tokensOfLogin) => saveLogin(runtime, tokensOfLogin),
  })
}

/** The answer to the host for a request that failed before it reached the request path. */
export function errorAnswer(error: unknown, place: Place): Response {
  return errorResponse(shownError(error, place))
}

/** What has to be known before a login starts. @returns what was moved aside, in whole sentences @throws what would keep a login from being stored */
export function readyForLogin({ store, vault }: Runtime): Promise<string | undefined> {
  return ensureStorable(store, vault)
}

/**
 * Puts an API key for an endpoint into the pool.
 * @param source where the endpoint was named, for the message
 * @throws CodexError `destination_refused` for an endpoint that may not get a key
 */
export async function saveApiKey(
  runtime: Runtime,
  given: { readonly apiKey: string; readonly baseUrl: string },
  source: string,
): Promise<{ label: string; notice?: string }> {
  const { store, ledger, clock, paths } = runtime
  parseBaseUrl(given.baseUrl, source)
  let uid = ''
  const { pool, ...said } = await adopt(store, clock, (before) => {
    const { pool: after, account } = withLogin(before, {
      kind: 'api-key',
      apiKey: given.apiKey.trim(),
      baseUrl: given.baseUrl.trim(),
      addedAt: clock.now(),
      lastUsed: 0,
    })
    uid = account.uid
    return after
  })
  ledger.clear(uid, clock.now(), '*')
  await ensureHostManifest(paths.root)
  return { label: labelIn(pool, uid, runtime), ...said }
}

/**
 * Puts a finished login into the pool, also where a damaged file has to be moved aside for it; what kept the account out
 * before is over.
 */
export async function saveLogin(
  runtime: Runtime,
  tokens: LoginTokens,
): Promise<{ label: string; uid: string; added: boolean; notice?: string }> {
  const { store, ledger, clock } = runtime
  const claimed = accountFromLogin(tokens, clock.now())
  const { accessToken } = tokens
  const deps = { ...runtime, backend: runtime.endpoints.backend }
  const facts = await checkWorkspace(deps, { accessToken, accountId: claimed.accountId })
  const login = { ...claimed, ...facts }
  let uid = ''
  let added = false
  const { pool, ...said } = await adopt(store, clock, (before) => {
    const upserted = withLogin(before, login)
    added = upserted.added
    uid = upserted.account.uid
    return upserted.pool
  })
  ledger.clear(uid, clock.now(), '*')
  // A model that only this account has is offered from the next start on.
  runtime.catalogue.serves(uid)
  await ensureHostManifest(runtime.paths.root)
  return { label: labelIn(pool, uid, runtime), uid, added, ...said }
}

/** The name of an account in a pool that was just written; a store that nobody watches does not know it yet. */
export function labelIn(pool: AccountPool, uid: string, { config }: Runtime): string {
  const position = pool.accounts.findIndex((one) => one.uid === uid)
  const account = pool.accounts[position]
  return account === undefined ? 'The account' : accountName(account, position, config)
}

/** The Codex CLI on this machine, as it would speak here and now. */
export async function codexIdentity(runtime: Runtime): Promise<() => CodexIdentity> {
  const { env, place } = runtime
  const client = await runtime.client()
  const system = {
    platform: process.platform,
    release: os.release(),
    arch: process.arch,
    osRelease: osRelease(),
    env,
  }
  // What was learned is read now, not by the first request.
  client.inForce()
  return () => {
    const originator = originatorAt(place())
    const { version } = client.inForce()
    return { originator, version, userAgent: codexUserAgent(originator, version, system) }
  }
}

function osRelease(): string | undefined {
  try {
    return process.platform === 'linux'
      ? readBoundedFileSync(fs, '/etc/os-release', MAX_CONFIG_BYTES)
      : undefined
  } catch {
    return undefined
  }
}
