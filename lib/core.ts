import { MovedAside, noticeOf } from './accounts/store/moved-aside.js'
import { type LoadedConfig, mergeSettings } from './config/resolve.js'
import { isCodexError, messageOf } from './kernel/errors.js'
import type { Paths } from './kernel/files/paths.js'
import type { HostPort } from './kernel/host-port.js'
import { lazily } from './kernel/lazy.js'
import type { Place } from './kernel/text/command-words.js'
import { createTimers } from './kernel/timers.js'
import { redactText } from './kernel/text/redact.js'
import type { LoginMethods } from './login/methods.js'
import { prepareRequest } from './request/body/request.js'
import { deadlineFor } from './request/deadline.js'
import type { EndpointForKeys } from './request/endpoint.js'
import { type CodexFetch, createCodexFetch } from './request/fetch.js'
import { createNotices } from './request/notices.js'
import { createSharedGate } from './request/shared-gate.js'
import type { OpenWebSocket } from './request/transport/socket.js'
import { createTransport } from './request/transport/transport.js'
import { configFiles, isThere } from './runtime-config.js'
import { createRuntime, type Runtime } from './runtime.js'

// A start has nothing to say, and what makes texts safe to show is a quarter of it.
export { createHostPort } from './shell/host-client.js'

/** What the shell of the plugin needs once the host asks for more than hooks. */
export interface Core {
  readonly runtime: Runtime
  readonly fetch: CodexFetch
  readonly login: Pick<LoginMethods, 'authorize'>
  close(): Promise<void>
}

export interface CoreInput {
  readonly host: HostPort
  readonly paths: Paths
  readonly env: NodeJS.ProcessEnv
  readonly directory: string
  /** Where the user reads what we say; a terminal when absent. */
  readonly place?: () => Place
  /** `provider.openai.options.baseURL` where it is the user's own. */
  readonly providerBaseUrl?: () => string | undefined
  /** Why keys that name no endpoint go nowhere, if they do not. */
  readonly keysRefused?: string | undefined
  /** `provider.openai.options.headerTimeout` of the host's configuration, as far as known. */
  readonly providerHeaderTimeoutMs?: () => number | undefined
  /** Whether the host compacts this session at the moment, as far as known. */
  readonly isCompacting?: (session: string) => boolean
  /** Shows the menu of the accounts on the host's own terminal, to its end. */
  readonly runMenu?: () => Promise<void>
  /** The process's own when absent. */
  readonly fetch?: typeof globalThis.fetch
  /** The runtime's own when absent. */
  readonly openWebSocket?: OpenWebSocket
}

/** How long after the core what its requests need next is loaded, where none has asked for it, ms. */
const LOAD_AHEAD_DELAY_MS = 50
/** How long after the core a look is taken at what killed windows left, ms: the first request comes first. */
const RECOVERY_DELAY_MS = 2_000

/** A keychain that answers by itself has done so by then, ms. */
const START_READ_MS = 1_500

/** Builds everything behind the hooks. Awaits local reads only. */
export async function createCore(input: CoreInput): Promise<Core> {
  const { env, paths, directory } = input
  const loaded = await configOf(env, configFiles(paths, directory))
  const later = lazily(() => import('./core-late.js'))
  let alerting: Promise<void> | undefined
  const runtime: Runtime = createRuntime({
    ...input,
    loaded,
    watch: true,
    // The request that brought the reading does not wait for this: the history is read behind it.
    onAlert: (account, alert) => {
      alerting = Promise.all([later(), alerting])
        .then(([{ sayAlert }]) => sayAlert({ runtime, notices }, account, alert))
        .catch(() => undefined)
    },
    onMovedAside: (moved) => sayMovedAside(input.host, moved),
  })
  const { clock, host, config, store, ledger, sessions, tokens } = runtime
  const gate = createSharedGate({ file: input.paths.noticesFile, clock, log: host })
  const notices = createNotices({ host, config, gate })
  const legacy =
    config.requestTransformMode === 'legacy'
      ? (await import('./request/legacy/legacy.js')).createLegacy(runtime)
      : undefined
  const direct = createTransport(runtime, input.openWebSocket)
  const transport =
    config.requestTrace === 'snapshots'
      ? (await import('./request/trace/snapshots.js')).withSnapshots(direct, runtime)
      : direct
  await Promise.all([
    transport.load(),
    legacy?.load(),
    gate.load(),
    ledger.load(),
    runtime.catalogue.load(),
    sessions.load(),
    readOrGoOn(runtime),
  ])
  let settled: Promise<void> | undefined
  // The first requests come first.
  const timers = [
    setTimeout(() => {
      settled = prepareForLater(paths.root).catch(() => undefined)
    }, LOAD_AHEAD_DELAY_MS),
    // What a killed window had received but not stored is brought home; who needs it before looks for it himself.
    setTimeout(() => void tokens.recover().catch(() => undefined), RECOVERY_DELAY_MS),
  ]
  for (const timer of timers) timer.unref()
  // The list of models is for the next start. Idle accounts are asked when they serve.
  const { accounts = [], activeIndex = 0 } = store.peek() ?? {}
  const inUse = accounts[activeIndex]
  if (inUse !== undefined) runtime.catalogue.serves(inUse.uid)

  const requestTimers = createTimers()
  const fetch = createCodexFetch({
    runtime,
    timers: requestTimers,
    transport,
    prepare: legacy?.prepare ?? prepareRequest,
    takesChat: legacy !== undefined,
    deadlineMs: deadlineFor(input.providerHeaderTimeoutMs?.()),
    wire: {
      responsesLite: config.responsesLite,
      identity: config.codexIdentity ? await (await later()).codexIdentity(runtime) : undefined,
      marksSubAgents: config.collaboration === 'codex',
    },
    endpointForKeys: endpointForKeys(config.baseUrl, input),
    isCompacting: input.isCompacting,
    notices,
  })
  // Made when somebody signs in: no request needs it.
  const login = lazily(async () => (await later()).createLogin(runtime, input))
  return {
    runtime,
    fetch,
    login: { authorize: async (id) => (await login()).authorize(id) },
    async close() {
      timers.forEach(clearTimeout)
      requestTimers.close()
      // What is to be said needs the names of the accounts.
      await alerting
      await notices.close()
      await Promise.all([
        login.started()?.then(
          (started) => started.close(),
          () => undefined,
        ),
        transport.close(),
        runtime.close(),
        gate.close(),
        legacy?.close(),
        settled,
      ])
    },
  }
}

/** Reads the accounts. A keychain that asks its owner is not waited for: requests do that, each as long as it may. */
async function readOrGoOn({ store, host, clock }: Runtime): Promise<void> {
  const read = store.read().then(
    () => undefined,
    (error: unknown) => sayUnusable(host, error),
  )
  const over = new AbortController()
  const longEnough = clock.sleep(START_READ_MS, over.signal).catch(() => undefined)
  await Promise.race([read.finally(() => over.abort()), longEnough])
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

/** The configuration in force; what interprets its files is loaded where there are any. */
async function configOf(
  env: NodeJS.ProcessEnv,
  files: ReturnType<typeof configFiles>,
): Promise<LoadedConfig> {
  if (!Object.values(files).some(isThere)) return mergeSettings({ env })
  const { resolveConfig } = await import('./settings-entry.js')
  return resolveConfig({ env, ...files })
}

/**
 * What requests may need is in memory from here on: the package may be replaced while OpenCode runs. And the host is told
 * that nothing is to be installed in our folder, before it looks.
 * @param root `~/.opencode`
 */
async function prepareForLater(root: string): Promise<void> {
  const [{ ensureHostManifest }] = await Promise.all([
    import('./accounts/project/host-folder.js'),
    import('./request/late/late.js'),
    import('./accounts/store/transactions.js'),
    import('./catalogue/catalogue.js'),
    import('./kernel/files/writing.js'),
  ])
  await ensureHostManifest(root)
}
