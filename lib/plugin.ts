import type NodeFs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

import type { AuthHook, Hooks, Plugin, PluginInput } from '@opencode-ai/plugin'

import { problemOfBaseUrl } from './auth/base-url-rules.js'
import {
  ENDPOINT_LABEL,
  type LoginMethodInfo,
  loginMethods,
  MANAGE_LABEL,
} from './auth/method-list.js'
import type { Core } from './core.js'
import { parseCatalogues } from './catalog/catalogue-file.js'
import { mergeModels } from './catalog/host-models.js'
import { MANAGED_AUTH, MANAGED_MARKER } from './auth/managed-entry.js'
import { createHostPort } from './host-client.js'
import {
  MAX_CONFIG_BYTES,
  MAX_FOREIGN_BYTES,
  readBoundedFile,
  readBoundedFileSync,
} from './kernel/bounded-file.js'
import {
  askBeforeTools,
  type HostPermissions,
  namesOurTools,
} from './host-setup/tool-permissions.js'
import { CONFIG_FILE, type Paths, resolvePaths } from './kernel/paths.js'
import { packageVersion } from './kernel/version.js'
import type { Runtime } from './runtime.js'
import type { toolsNow as ToolsNow } from './tools-entry.js'
import { outputPrompt, slashCommands } from './slash-commands/commands.js'
import { promptCommands } from './slash-commands/prompt-templates.js'

/** Shown to the SDK, which insists on a key; the bridge puts the account's own token in its place. */
const PLACEHOLDER_KEY = 'oc-codex-multi-auth'

/** How long after the loader the core is fetched when no request has asked for it yet. */
const PREFETCH_DELAY_MS = 50

/**
 * What OpenCode loads first. It knows the host's hooks and nothing else: the core with its schemas, store and bridge is
 * a second chunk, because the host waits for this one before it shows anything.
 */
export const server: Plugin = async (input) => {
  const paths = resolvePaths(process.env)
  let providerBaseUrl: string | undefined
  let providerHeaderTimeoutMs: number | undefined
  /** Models the user has configured: left as they are. */
  const userModels = new Set<string>()
  /** Slash commands that are ours and not somebody's of the same name. */
  const ownCommands = new Set<string>()
  const core = lazily(async () => {
    const { createCore, ownProviderBaseUrl, providerEndpoint } = await import('./core.js')
    // What the host says is merged from the project's files too, and a key never follows a project.
    const { url, refused } = providerEndpoint(
      providerBaseUrl,
      providerBaseUrl === undefined
        ? undefined
        : await ownProviderBaseUrl({ paths, env: process.env }),
    )
    return createCore({
      host: createHostPort(input.client),
      paths,
      env: process.env,
      directory: input.directory,
      providerBaseUrl: () => url,
      keysRefused: refused,
      providerHeaderTimeoutMs: () => providerHeaderTimeoutMs,
      runMenu: async () =>
        (await import('./cli/menu-here.js')).runMenuHere(process.env, input.directory),
    })
  })
  await registerWithHost(input, paths)

  const auth: AuthHook = {
    provider: 'openai',
    /** Asked for when the host lists them: a start with no login costs no look at the accounts. */
    get methods() {
      const manage = hasAccountsNow(paths.accountsFile)
        ? [methodHook({ id: 'manage', label: MANAGE_LABEL }, core)]
        : []
      return [
        ...loginMethods(process.env).map((info) => methodHook(info, core)),
        endpointMethod,
        ...manage,
      ]
    },
    async loader(getAuth) {
      const stored = await getAuth().catch(() => undefined)
      if (stored?.type === 'api') return takeOverKey(stored)
      const isManaged = stored?.type === 'oauth' && stored.refresh === MANAGED_MARKER
      // A login of the host's own stays in charge until there is an account of ours (host facts §2, conflict rules).
      if (!isManaged && !(await hasAccounts(paths.accountsFile))) return {}
      core.prefetch(PREFETCH_DELAY_MS)
      if (process.env.OC_CODEX_SELF_TEST === '1')
        createHostPort(input.client).log(
          'info',
          `oc-codex-multi-auth ${packageVersion()} serves openai`,
        )
      return throughBridge
    },
  }
  const throughBridge = {
    apiKey: PLACEHOLDER_KEY,
    /** The host's time runs from its call on, also while the core is loaded. */
    fetch: async (url: RequestInfo | URL, init?: RequestInit) => {
      const arrivedAt = performance.now()
      return (core.ready() ?? (await core())).fetch(url, init, arrivedAt)
    },
  }
  /**
   * A key that was entered with an endpoint moves into our pool, and the mark takes its place, so that it lies in one file.
   * Any other key is the host's own affair: it goes to the public API without us.
   */
  async function takeOverKey(stored: {
    readonly key: string
    readonly metadata?: Readonly<Record<string, string>>
  }): Promise<Record<string, unknown>> {
    const baseUrl = stored.metadata?.[ENDPOINT_INPUT]
    if (baseUrl === undefined || baseUrl === '') return {}
    const take = async (): Promise<void> => {
      const [{ saveApiKey }, { runtime }] = await Promise.all([import('./core.js'), core()])
      await saveApiKey(runtime, { apiKey: stored.key, baseUrl }, 'the login')
      await input.client.auth
        .set({ path: { id: 'openai' }, body: MANAGED_AUTH })
        .catch(() => undefined)
    }
    let isTaken = await take().then(
      () => true,
      () => false,
    )
    if (isTaken) return throughBridge
    // A loader that throws takes every provider from the host, and without us the key would go to the public API: tried again
    // by each request, which says why it does not work.
    const fetch: typeof throughBridge.fetch = async (url, init) => {
      try {
        if (!isTaken) await take()
        isTaken = true
      } catch (error) {
        return (await import('./core.js')).errorAnswer(error)
      }
      return throughBridge.fetch(url, init)
    }
    return { ...throughBridge, fetch }
  }
  /** The host asks for the tools with its first prompt and does not wait: they are loaded then, not at every start. */
  const tools = (runtime: () => Promise<Runtime>): NonNullable<Hooks['tool']> => {
    try {
      const { toolsNow } = createRequire(import.meta.url)('./tools.js') as {
        readonly toolsNow: typeof ToolsNow
      }
      return toolsNow({ env: process.env, paths, directory: input.directory, runtime })
    } catch {
      // Outside Bun a module cannot be loaded at once; OpenCode is Bun.
      return {}
    }
  }
  const hooks: Hooks = {
    auth,
    provider: {
      id: 'openai',
      /** The host's models with what the backend said of them last time; the backend is not asked here. */
      async models(provider) {
        const catalogues = parseCatalogues(
          (await readBoundedFile(paths.catalogueFile, MAX_FOREIGN_BYTES).catch(() => '')) ?? '',
        )
        const lists = Object.values(catalogues).map(({ models }) => models)
        if (lists.length === 0) return provider.models
        return mergeModels(provider.models, lists, userModels) as unknown as typeof provider.models
      },
    },
    get tool() {
      return tools(async () => (await core()).runtime)
    },
    async config(config) {
      const configured: unknown = config.provider?.openai?.options?.baseURL
      for (const id of Object.keys(config.provider?.openai?.models ?? {})) userModels.add(id)
      if (typeof configured === 'string') providerBaseUrl = configured
      const headerTimeout: unknown = config.provider?.openai?.options?.headerTimeout
      if (typeof headerTimeout === 'number') providerHeaderTimeoutMs = headerTimeout
      const wanted = await wantedCommands(input, paths)
      const commands = wanted.slashCommands ? slashCommands() : {}
      const ours = { ...commands, ...(wanted.promptTemplates ? promptCommands() : {}) }
      // Of two with one name the user's own wins, and a project's speaks for nobody.
      const isTaken = Object.keys(ours).some((name) => config.command?.[name] !== undefined)
      const theirs = isTaken
        ? await (await import('./core.js')).userCommands({ paths, env: process.env })
        : undefined
      const kept = Object.fromEntries(
        Object.entries(ours).filter(
          ([name]) => theirs?.has(name) !== true || config.command?.[name] === undefined,
        ),
      )
      ownCommands.clear()
      for (const name of Object.keys(commands)) if (name in kept) ownCommands.add(name)
      config.command = { ...config.command, ...kept }
      const permissions = config as HostPermissions
      const allowance = namesOurTools(permissions)
        ? await (await import('./core.js')).userAllowance({ paths, env: process.env })
        : () => false
      askBeforeTools(permissions, allowance)
    },
    /** A slash command of ours runs here, in process: its line meets no shell, and no child inherits the project. */
    async 'command.execute.before'({ command, arguments: line }, output) {
      if (!ownCommands.has(command)) return
      const { runSlashCommand } = await import('./tools-entry.js')
      const text = await runSlashCommand(async () => (await core()).runtime, {
        command,
        line,
        directory: input.directory,
      })
      const others = output.parts.filter(({ type }) => type !== 'text')
      // The host goes on with this very list; a part of a prompt has no ids yet.
      output.parts.splice(
        0,
        Infinity,
        { type: 'text', text: outputPrompt(text) } as (typeof output.parts)[number],
        ...others,
      )
    },
    async dispose() {
      await core.started()?.then((running) => running.close())
    },
  }
  return hooks
}

/**
 * OpenCode asks a provider's plugin only when its login file names the provider (host facts §0.1). When accounts exist
 * but the entry does not (another plugin's pool, a host logout), the entry is put back; the usual start reads one file.
 */
async function registerWithHost({ client }: PluginInput, paths: Paths): Promise<void> {
  try {
    const text =
      process.env.OPENCODE_AUTH_CONTENT ??
      (await readBoundedFile(paths.hostAuthFile, MAX_FOREIGN_BYTES)) ??
      '{}'
    if (hasKey(JSON.parse(text), 'openai') || !(await hasAccounts(paths.accountsFile))) return
    await client.auth.set({ path: { id: 'openai' }, body: MANAGED_AUTH })
  } catch {
    // An unreadable login file is the host's own affair; a start never fails here.
  }
}

/** OpenCode waits for this at every start, so the configuration is only interpreted where it speaks of commands. */
async function wantedCommands(
  { directory, worktree }: PluginInput,
  paths: Paths,
): Promise<{ readonly slashCommands: boolean; readonly promptTemplates: boolean }> {
  const files = [
    paths.configFile,
    ...[directory, worktree]
      .filter((folder) => typeof folder === 'string')
      .map((folder) => path.join(folder, '.opencode', CONFIG_FILE)),
  ]
  const texts = await Promise.all(
    files.map(
      async (file) => (await readBoundedFile(file, MAX_CONFIG_BYTES).catch(() => '')) ?? '',
    ),
  )
  const isSpokenOf =
    process.env.CODEX_AUTH_SLASH_COMMANDS !== undefined ||
    process.env.CODEX_AUTH_PROMPT_TEMPLATES !== undefined ||
    texts.some((text) => /slashCommands|promptTemplates/.test(text))
  if (!isSpokenOf) return { slashCommands: true, promptTemplates: false }
  const { commandSettings } = await import('./core.js')
  return commandSettings(process.env, paths, directory)
}

/** Whether the account file holds anybody; a file that cannot be read counts, so that the core can say what is wrong. */
async function hasAccounts(file: string): Promise<boolean> {
  try {
    const text = await readBoundedFile(file, MAX_FOREIGN_BYTES)
    return text !== undefined && holdsAnybody(text)
  } catch {
    return true
  }
}

function hasAccountsNow(file: string): boolean {
  try {
    // Loading it costs Bun 5 ms, which no start needs to pay.
    const text = readBoundedFileSync(
      createRequire(import.meta.url)('node:fs') as typeof NodeFs,
      file,
      MAX_FOREIGN_BYTES,
    )
    return text !== undefined && holdsAnybody(text)
  } catch {
    return false
  }
}

/** @throws SyntaxError when the text is not JSON */
function holdsAnybody(text: string): boolean {
  const pool: unknown = JSON.parse(text)
  return hasKey(pool, 'accounts') && Array.isArray(pool.accounts) && pool.accounts.length > 0
}

function hasKey<Key extends string>(value: unknown, key: Key): value is Record<Key, unknown> {
  return typeof value === 'object' && value !== null && key in value
}

function methodHook(
  info: { readonly id: LoginMethodInfo['id'] | 'manage'; readonly label: string },
  core: Lazy<Core>,
): AuthHook['methods'][number] {
  return {
    type: 'oauth',
    label: info.label,
    authorize: async () => (await core()).login.authorize(info.id),
  }
}

/** Name of the prompt for the endpoint; the host stores its answer beside the key (host facts §3). */
const ENDPOINT_INPUT = 'codexBaseUrl'

const endpointMethod: AuthHook['methods'][number] = {
  type: 'api',
  label: ENDPOINT_LABEL,
  prompts: [
    {
      type: 'text',
      key: ENDPOINT_INPUT,
      message: 'Base URL of the endpoint',
      placeholder: 'https://codex.example.com',
      validate(value) {
        const why = problemOfBaseUrl(value)
        return why === undefined ? undefined : `The address ${why}`
      },
    },
  ],
}

/** A value made on first use, once. */
interface Lazy<T> {
  (): Promise<T>
  /** The value, when it is already there. */
  ready(): T | undefined
  /** The running or finished start, if anybody has asked yet. */
  started(): Promise<T> | undefined
  /** Starts it in the background soon, unless somebody asks earlier. */
  prefetch(delayMs: number): void
}

function lazily<T>(make: () => Promise<T>): Lazy<T> {
  let promise: Promise<T> | undefined
  let value: T | undefined
  const get = (): Promise<T> => {
    promise ??= make().then(
      (made) => (value = made),
      (error: unknown) => {
        // Tried again on the next request: a failure must not last until the next start.
        promise = undefined
        throw error
      },
    )
    return promise
  }
  return Object.assign(get, {
    ready: () => value,
    started: () => promise,
    prefetch: (delayMs: number) => {
      setTimeout(() => void get().catch(() => undefined), delayMs).unref()
    },
  })
}
