import path from 'node:path'

import { backupsDirOf } from './accounts/store/pool-file.js'
import type { Account } from './accounts/account.js'
import { accountName } from './accounts/labels.js'
import { type PoolScope, resolvePoolScope } from './accounts/project/project.js'
import { createSessionAffinity } from './accounts/session-affinity.js'
import type { Keychain } from './accounts/keychain/keychain.js'
import {
  currentPlatform,
  memoryOfProgram,
  systemKeychain,
} from './accounts/keychain/keychain-system.js'
import type { MovedAside } from './accounts/store/moved-aside.js'
import { type AccountStore, createAccountStore } from './accounts/store/store.js'
import { createVault, type Vault } from './accounts/keychain/vault.js'
import { resolveEndpoints } from './oauth/endpoints.js'
import { refreshDir, Tokens } from './tokens/tokens.js'
import { Router } from './request/router.js'
import type { RequestRuntime } from './request/run.js'
import { createTrace } from './request/trace/trace.js'
import { createTraceFile } from './request/trace/trace-file.js'
import type { ClientVersionDeps, ClientVersions } from './catalogue/client-versions.js'
import { type ModelCatalogue, createModelCatalogue } from './catalogue/refresh.js'
import type { LoadedConfig } from './config/resolve.js'
import { entriesOfReading, entryOfAlert } from './history/entries.js'
import { createHistory, type History, noHistory } from './history/history.js'
import { type Clock, systemClock } from './kernel/clock.js'
import { dropUndefined } from './kernel/drop-undefined.js'
import type { HostPort } from './kernel/host-port.js'
import { type Lazy, lazily } from './kernel/lazy.js'
import { createMetrics } from './kernel/metrics.js'
import type { Place } from './kernel/text/command-words.js'
import type { Paths } from './kernel/files/paths.js'
import { packageVersion } from './kernel/version.js'
import type { Alert } from './quota/alerts.js'
import { createQuotaLedger, type QuotaLedger } from './quota/ledger.js'
import { createDecisionLog, type DecisionLog } from './routing/decision-log.js'
import { createHealthTracker, type HealthTracker } from './routing/health.js'

/** Everything that has an effect or a memory, once per plugin instance or command. */
export interface Runtime extends RequestRuntime {
  readonly env: NodeJS.ProcessEnv
  /** Folder the host works in. */
  readonly directory: string
  readonly paths: Paths
  readonly host: HostPort
  readonly loaded: LoadedConfig
  readonly scope: PoolScope
  /** Keys of sealed account files; asked only where one is sealed. */
  readonly vault: Vault
  readonly history: History
  readonly catalogue: ModelCatalogue
  /** As which Codex CLI the backend is asked. */
  readonly client: () => Promise<ClientVersions>
  readonly health: HealthTracker
  readonly decisions: DecisionLog
  /** Writes what is unwritten and leaves no timer, lock, socket or watch behind. */
  close(): Promise<void>
}

export interface RuntimeOptions {
  /** The configuration in force. */
  readonly loaded: LoadedConfig
  readonly env: NodeJS.ProcessEnv
  readonly directory: string
  readonly paths: Paths
  readonly host: HostPort
  /** Where the user reads what we say; a terminal when absent. */
  readonly place?: (() => Place) | undefined
  readonly clock?: Clock
  readonly random?: () => number
  readonly fetch?: typeof globalThis.fetch
  /** In place of the keychain of the system. */
  readonly keychain?: Keychain
  /** Hears what the OS asks the user while its keychain is waited for; shown on the screen of the host by default. */
  readonly onKeychainWait?: (question: string) => void
  /** Ends a wait for the keychain. */
  readonly signal?: AbortSignal
  /** Follow the changes of other processes; off for commands that end soon. */
  readonly watch: boolean
  /** Hears that a damaged account file was moved aside. */
  readonly onMovedAside?: (moved: MovedAside) => void
  /** Hears of windows that run out. */
  readonly onAlert?: (account: Account, alert: Alert) => void
}

/** Decisions kept for `codex-status --why`. */
const DECISIONS_KEPT = 50

/** `1` seals new account files and lets `codex-keychain` seal the present one. */
export const KEYCHAIN_ENV = 'CODEX_KEYCHAIN'

export const ACCOUNTS_LEGACY_FILE = 'openai-codex-accounts.json'

/** Builds the runtime. Reads nothing: the account file and the shared state are read by whoever needs them first. */
export function createRuntime(options: RuntimeOptions): Runtime {
  const { env, directory, paths, host, watch, loaded } = options
  const clock = options.clock ?? systemClock
  const random = options.random ?? Math.random
  const fetch = options.fetch ?? globalThis.fetch
  const endpoints = resolveEndpoints(env)
  const { config } = loaded
  const scope = resolvePoolScope(paths, directory, config.perProjectAccounts)
  const ended = new AbortController()
  const { vault, storeAt } = openStores(options, clock, ended.signal)
  const store = storeAt(scope.file, watch)
  const userAgent = `oc-codex-multi-auth/${packageVersion()}`

  const label = (account: Account): string => {
    const position = store.peek()?.accounts.findIndex(({ uid }) => uid === account.uid) ?? -1
    return accountName(account, position < 0 ? undefined : position, config)
  }
  const engine = () => import('./tokens/engine.js')
  const tokens = new Tokens({
    store,
    poolFiles: {
      list: async () => (await engine()).listPoolFiles(paths),
      store: (file) => storeAt(file, false),
    },
    spareDirs: paths.spareRefreshDirs,
    vault,
    clock,
    random,
    log: host,
    toast: (toast) => host.toast(toast),
    label,
    refreshGrant: async (...asked) =>
      new (await engine()).OAuthClient({ endpoints, fetch, clock, userAgent }).refresh(...asked),
    dir: refreshDir(paths.root),
    settings: { refreshSkewMs: config.tokenRefreshSkewMs },
  })
  const { history, ledger } = openUsage(options, clock, config.history, store)
  const sessions = createSessionAffinity({ file: paths.affinityFile, clock, log: host })
  const client = openClient(options, { registry: endpoints.registry, userAgent, fetch, clock })
  const catalogue = createModelCatalogue({
    file: paths.catalogueFile,
    backend: endpoints.backend,
    userAgent,
    fetch,
    store,
    clock,
    log: host,
    client,
  })
  const health = createHealthTracker()
  const decisions = createDecisionLog(DECISIONS_KEPT)
  const router = new Router({
    config,
    quota: ledger,
    sessions,
    health,
    decisions,
    processOffset: process.pid,
    labelOf: (account, position) => accountName(account, position, config),
    onServed: (uid) => catalogue.serves(uid),
    modelSupport: (uid, model) => (catalogue.lists(uid, model) ? 'known' : 'unknown'),
    ...dropUndefined({ project: scope.project }),
  })

  const traceFile =
    config.requestTrace !== 'off' ? createTraceFile({ dir: paths.logsDir, log: host }) : undefined

  return {
    env,
    directory,
    paths,
    endpoints,
    clock,
    random,
    fetch,
    host,
    loaded,
    config,
    scope,
    store,
    vault,
    tokens,
    ledger,
    history,
    sessions,
    catalogue,
    client,
    health,
    decisions,
    router,
    trace: createTrace((record) => traceFile?.write(record)),
    ahead: {},
    metrics: createMetrics(),
    userAgent,
    place: options.place ?? (() => 'terminal'),
    label,
    async close() {
      store.close()
      await Promise.allSettled([
        tokens.close(),
        ledger.close(),
        history.close(),
        sessions.close(),
        catalogue.close(),
        traceFile?.close(),
      ])
      // Who still waits for the keychain has nobody to tell.
      ended.abort()
    },
  }
}

/** The vault of the user, and the way to an account file: that of the pool in force and those of other projects. */
function openStores(
  options: RuntimeOptions,
  clock: Clock,
  ended: AbortSignal,
): { readonly vault: Vault; readonly storeAt: (file: string, watch: boolean) => AccountStore } {
  const { env, paths, host, onMovedAside } = options
  const signal = options.signal === undefined ? ended : AbortSignal.any([options.signal, ended])
  const place = currentPlatform(env)
  const heard = options.onKeychainWait && { onWait: options.onKeychainWait }
  const vault = createVault({
    keychain: options.keychain ?? systemKeychain(place, { host, signal, ...heard }),
    clock,
    optedIn: env[KEYCHAIN_ENV] === '1',
    log: host,
    memory: options.keychain === undefined ? memoryOfProgram(place) : undefined,
  })
  const legacyPath = path.join(paths.root, ACCOUNTS_LEGACY_FILE)
  const storeAt = (file: string, watch: boolean): AccountStore =>
    createAccountStore({
      path: file,
      backupsDir: backupsDirOf(file),
      clock,
      vault,
      watch,
      ...dropUndefined({
        onMovedAside,
        legacyPath: file === paths.accountsFile ? legacyPath : undefined,
      }),
    })
  return { vault, storeAt }
}

/** As which Codex CLI the backend is asked: loaded by who asks it, behind the requests. */
function openClient(
  { env, paths, host, loaded }: RuntimeOptions,
  deps: Pick<ClientVersionDeps, 'registry' | 'userAgent' | 'fetch' | 'clock'>,
): Lazy<ClientVersions> {
  return lazily(async () => {
    const { createClientVersions } = await import('./catalogue/client-versions.js')
    return createClientVersions({
      ...deps,
      file: paths.clientVersionFile,
      setting: loaded.config.codexClientVersion,
      env,
      home: paths.home,
      log: host,
    })
  })
}

/** What is read of quotas, and the history that follows it. */
function openUsage(
  { paths, host, watch, onAlert }: RuntimeOptions,
  clock: Clock,
  keepsHistory: boolean,
  store: AccountStore,
): { readonly history: History; readonly ledger: QuotaLedger } {
  const history = keepsHistory
    ? createHistory({ file: paths.historyFile, clock, log: host })
    : noHistory
  const ledger = createQuotaLedger({
    file: paths.quotaFile,
    clock,
    log: host,
    watch,
    onReading: (uid, reading, nowMs) =>
      entriesOfReading(uid, reading.limits, nowMs).forEach(history.note),
    onAlert: (uid, alert) => {
      history.note(entryOfAlert(uid, alert, clock.now()))
      const account = store.peek()?.accounts.find((one) => one.uid === uid)
      if (account !== undefined) onAlert?.(account, alert)
    },
  })
  return { history, ledger }
}
