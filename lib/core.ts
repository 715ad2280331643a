import * as fs from 'node:fs'
import os from 'node:os'
import { isatty } from 'node:tty'

import type { Account, AccountPool } from './accounts/account.js'
import { adopt, noticeOf, ensureStorable } from './accounts/store/adopt.js'
import { withLogin } from './accounts/edits.js'
import { ensureHostManifest } from './accounts/project/host-folder.js'
import { accountName } from './accounts/labels.js'
import { MovedAside } from './accounts/store/pool-file.js'
import { accountFromLogin } from './login/account-from-login.js'
import { parseBaseUrl } from './oauth/base-url.js'
import { checkWorkspace } from './login/accounts-check.js'
import { DEFAULT_ENDPOINTS } from './oauth/endpoints.js'
import { manageAccounts } from './login/manage-method.js'
import { createLoginMethods, type LoginMethods } from './login/methods.js'
import { OAuthClient, type LoginTokens } from './oauth/oauth-client.js'
import type { CodexIdentity } from './request/headers/codex-identity.js'
import { codexUserAgent } from './request/headers/codex-user-agent.js'
import { deadlineFor } from './request/deadline.js'
import type { EndpointForKeys } from './request/endpoint.js'
import { type CodexFetch, createCodexFetch } from './request/fetch.js'
import { errorResponse, shownError } from './request/failures/host-error.js'
import { createLegacyPreparation } from './request/legacy/prepare.js'
import { createNotices, createSharedGate } from './request/notices.js'
import { paceWarning } from './account-view/forecast-words.js'
import { prepareRequest, type PreparedRequest } from './request/body/request.js'
import type { OpenWebSocket } from './request/transport/socket.js'
import { createTransport } from './request/transport/transport.js'
import type { Config } from './config/settings.js'
import { forecastOf } from './history/estimates.js'
import { MAX_CONFIG_BYTES, readBoundedFileSync } from './kernel/files/bounded-file.js'
import { isCodexError, messageOf } from './kernel/errors.js'
import type { HostPort } from './kernel/host-port.js'
import type { Paths } from './kernel/files/paths.js'
import { redactText } from './kernel/text/redact.js'
import { FALLBACK_INSTRUCTIONS } from './prompts/fallback-instructions.js'
import { createInstructionCache, type InstructionCache } from './prompts/instruction-cache.js'
import type { Alert } from './quota/alerts.js'
import { createRuntime, type Runtime } from './runtime.js'

// In this chunk because one more would have to be opened at every start.
export { commandSettings } from './command-settings.js'
export {
  providerEndpoint,
  userAllowance,
  userBaseUrl,
  userCommands,
} from './host-setup/user-config.js'

/** What the shell of the plugin needs once the host asks for more than hooks. */
export interface Core {
  readonly runtime: Runtime
  readonly fetch: CodexFetch
  readonly login: LoginMethods
  close(): Promise<void>
}

export interface CoreInput {
  readonly host: HostPort
  readonly paths: Paths
  readonly env: NodeJS.ProcessEnv
  readonly directory: string
  /** `provider.openai.options.baseURL` where it is the user's own. */
  readonly providerBaseUrl?: () => string | undefined
  /** Why keys that name no endpoint go nowhere, if they do not. */
  readonly keysRefused?: string | undefined
  /** `provider.openai.options.headerTimeout` of the host's configuration, as far as known. */
  readonly providerHeaderTimeoutMs?: () => number | undefined
  /** Shows the menu of the accounts on the host's own terminal, to its end. */
  readonly runMenu?: () => Promise<void>
  /** The process's own when absent. */
  readonly fetch?: typeof globalThis.fetch
  /** The runtime's own when absent. */
  readonly openWebSocket?: OpenWebSocket
}

/** Builds everything behind the hooks. Awaits local reads only. */
export async function createCore(input: CoreInput): Promise<Core> {
  const runtime: Runtime = createRuntime({
    ...input,
    watch: true,
    onAlert: (account, alert) => void sayAlert(account, alert),
    onMovedAside: (moved) => sayMovedAside(input.host, moved),
  })
  const { clock, host, config, store, ledger, sessions, tokens } = runtime
  const gate = createSharedGate({ file: input.paths.noticesFile, clock, log: host })
  const notices = createNotices({ host, config, clock, gate })
  // The request that brought the reading does not wait for this: the history is read behind it.
  const sayAlert = async (account: Account, alert: Alert): Promise<void> => {
    const entries = await runtime.history.readingsOf(account.uid)
    const forecast = forecastOf(entries, { uid: account.uid, ...alert }, clock.now())
    notices.alert(
      runtime.label(account),
      alert,
      alert.level === 0 ? '' : paceWarning(forecast, clock.now()),
    )
  }
  const instructions = instructionCache(runtime)
  const transport = createTransport(runtime, input.openWebSocket)
  await Promise.all([
    transport.load(),
    instructions?.load(),
    gate.load(),
    ledger.load(),
    runtime.catalogue.load(),
    sessions.load(),
    store.read().catch((error: unknown) => sayUnusable(host, error)),
  ])
  // What a killed window had received but not stored is brought home in the background.
  void tokens.recover().catch(() => undefined)
  const settled = ensureHostManifest(input.paths.root)
  // The list of models is for the next start. Idle accounts are asked when they serve.
  const { accounts = [], activeIndex = 0 } = store.peek() ?? {}
  const inUse = accounts[activeIndex]
  if (inUse !== undefined) runtime.catalogue.serves(inUse.uid)

  const fetch = createCodexFetch({
    runtime,
    transport,
    prepare: preparation(config, () => instructions?.current() ?? FALLBACK_INSTRUCTIONS),
    takesChat: config.requestTransformMode === 'legacy',
    deadlineMs: deadlineFor(input.providerHeaderTimeoutMs?.()),
    wire: {
      responsesLite: config.responsesLite,
      identity: config.codexIdentity ? codexIdentity(config, input.env) : undefined,
    },
    endpointForKeys: endpointForKeys(config.baseUrl, input),
    notices,
  })
  const login = createLoginMethods({
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

  return {
    runtime,
    fetch,
    login,
    async close() {
      await login.close()
      await Promise.all([
        transport.close(),
        runtime.close(),
        gate.close(),
        instructions?.close(),
        settled,
      ])
    },
  }
}

function sayMovedAside(host: HostPort, moved: MovedAside): void {
  host.toast({
    variant: 'warning',
    title: 'Codex accounts',
    message: noticeOf(moved),
    durationMs: 15_000,
  })
}

/** That the accounts cannot be used is said where the user looks, once a start. */
function sayUnusable(host: HostPort, error: unknown): void {
  if (error instanceof MovedAside) return
  host.log('error', 'The account file cannot be used.', { reason: messageOf(error) })
  host.toast({
    variant: 'error',
    title: 'Codex accounts',
    message: redactText(`${messageOf(error)}${isCodexError(error) ? ` ${error.hint}` : ''}`),
    durationMs: 15_000,
  })
}

function endpointForKeys(
  setting: string,
  { providerBaseUrl, keysRefused }: CoreInput,
): EndpointForKeys | undefined {
  if (setting !== '') return { url: setting, source: 'the setting baseUrl' }
  if (keysRefused !== undefined) return { refused: keysRefused }
  const ofHost = providerBaseUrl?.()
  return ofHost === undefined || ofHost === ''
    ? undefined
    : { url: ofHost, source: 'provider.openai.options.baseURL' }
}

/** The answer to the host for a request that failed before it reached the request path. */
export function errorAnswer(error: unknown): Response {
  return errorResponse(shownError(error))
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
  await ensureHostManifest(runtime.paths.root)
  return { label: labelIn(pool, uid, runtime), uid, added, ...said }
}

/** The name of an account in a pool that was just written; a store that nobody watches does not know it yet. */
export function labelIn(pool: AccountPool, uid: string, { config }: Runtime): string {
  const position = pool.accounts.findIndex((one) => one.uid === uid)
  const account = pool.accounts[position]
  return account === undefined ? 'The account' : accountName(account, position, config)
}

function preparation(
  config: Config,
  instructions: () => string,
): (text: string) => PreparedRequest {
  if (config.requestTransformMode === 'native') return prepareRequest
  const {
    codexMode,
    fastSession,
    fastSessionStrategy: strategy,
    fastSessionMaxInputItems: maxItems,
  } = config
  return createLegacyPreparation({
    codexMode,
    instructions,
    fastSession: fastSession ? { strategy, maxItems } : undefined,
  })
}

/** Of use in legacy mode only; beside the simulator nobody else is asked. */
function instructionCache({
  config,
  endpoints,
  paths,
  fetch,
  userAgent,
  clock,
  host,
}: Runtime): InstructionCache | undefined {
  if (config.requestTransformMode !== 'legacy' || endpoints.backend !== DEFAULT_ENDPOINTS.backend)
    return undefined
  return createInstructionCache({
    file: paths.instructionsFile,
    fetch,
    userAgent,
    clock,
    log: host,
  })
}

/** The Codex CLI on this machine. */
function codexIdentity(
  { codexClientVersion: version }: Config,
  env: NodeJS.ProcessEnv,
): CodexIdentity {
  return {
    version,
    userAgent: codexUserAgent(version, {
      platform: process.platform,
      release: os.release(),
      arch: process.arch,
      osRelease: osRelease(),
      env,
    }),
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
