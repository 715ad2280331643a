import { createRequire } from 'node:module'

import type { Hooks, Plugin, PluginInput } from '@opencode-ai/plugin'

import { parseCatalogues } from './catalogue/catalogue-file.js'
import { mergeModels } from './catalogue/host-models.js'
import type { Core } from './core.js'
import { OLDEST_HOST, UPGRADE_HOST } from './host-setup/oldest-host.js'
import { MAX_FOREIGN_BYTES, readBoundedFile } from './kernel/files/bounded-file.js'
import { type Paths, resolvePaths } from './kernel/files/paths.js'
import { loadPart } from './kernel/load-part.js'
import { lazily } from './kernel/lazy.js'
import { isMainThread } from './kernel/main-thread.js'
import type { Runtime } from './runtime.js'
import { authHook } from './shell/auth-hook.js'
import { applyConfig } from './shell/config-hook.js'
import type { HostSettings } from './shell/host-settings.js'
import { registerWithHost } from './shell/login-state.js'
import { turnHooks } from './shell/turn-hooks.js'
import type { toolsNow as ToolsNow } from './tools-entry.js'

/**
 * What OpenCode loads first. It knows the host's hooks and nothing else: the core with its schemas, store and request path
 * is a second chunk, because the host waits for this one before it shows anything.
 */
export const server: Plugin = async (input) => {
  const paths = resolvePaths(process.env)
  const settings: HostSettings = { models: new Set(), commands: new Set(), compacting: new Set() }
  const turns = turnHooks(input, paths, settings)
  let questions: Promise<{ close(): void } | undefined> | undefined
  const core = lazily(async () => {
    const started = await startCore(input, paths, settings)
    // Where there is no channel, the TUI shows what the files say.
    if (!isMainThread()) questions = answerTui(started, input.directory).catch(() => undefined)
    return started
  })
  const runtime = async (): Promise<Runtime> => (await core()).runtime
  await registerWithHost(input.client, paths)
  return {
    auth: authHook(input, paths, core),
    provider: {
      id: 'openai',
      models: ({ models }) => withCatalogue(models, paths, settings.models, input.directory),
    },
    get tool() {
      return tools(input, paths, runtime)
    },
    config: (config) => applyConfig(config, settings, input, paths),
    ...turns.hooks,
    /** A slash command of ours runs here, in process: its line meets no shell, and no child inherits the project. */
    async 'command.execute.before'({ command, arguments: line }, output) {
      if (!settings.commands.has(command)) return
      const { outputPrompt, runSlashCommand } = await loadPart(import('./calls-entry.js'))
      const text = await runSlashCommand(runtime, { command, line, directory: input.directory })
      // A part of a prompt has no ids yet, and the host reads this very list afterwards.
      const answer = { type: 'text', text: outputPrompt(text) } as (typeof output.parts)[number]
      const others = output.parts.filter(({ type }) => type !== 'text')
      output.parts.splice(0, Infinity, answer, ...others)
    },
    async dispose() {
      ;(await questions)?.close()
      await Promise.all([turns.close(), core.started()?.then((running) => running.close())])
    },
  }
}

/** The TUI in this process shows what only we know: counters, the last requests and decisions. */
async function answerTui({ runtime }: Core, directory: string): Promise<{ close(): void }> {
  const { answerQuestions } = await import('./tui/process-channel.js')
  return answerQuestions(directory, async (asked) =>
    (await import('./calls-entry.js')).dataForTui(runtime, asked),
  )
}

async function startCore(input: PluginInput, paths: Paths, settings: HostSettings): Promise<Core> {
  const [{ createCore, createHostPort }, { url, refused }] = await Promise.all([
    import('./core.js'),
    endpointOfHost(settings.baseUrl, paths),
  ])
  return createCore({
    host: createHostPort(input.client),
    paths,
    env: process.env,
    directory: input.directory,
    place: () => settings.place ?? 'terminal',
    providerBaseUrl: () => url,
    keysRefused: refused,
    providerHeaderTimeoutMs: () => settings.headerTimeoutMs,
    isCompacting: (session) => settings.compacting.has(session),
    runMenu: async () =>
      (await import('./cli/menu-here.js')).runMenuHere(process.env, input.directory),
  })
}

/** What the host says is merged from the project's files too, and a key never follows a project. */
async function endpointOfHost(
  baseUrl: string | undefined,
  paths: Paths,
): Promise<{ readonly url?: string | undefined; readonly refused?: string | undefined }> {
  if (baseUrl === undefined) return {}
  const { providerEndpoint, userBaseUrl } = await import('./settings-entry.js')
  return providerEndpoint(baseUrl, await userBaseUrl({ paths, env: process.env }))
}

type HostModels = Parameters<NonNullable<NonNullable<Hooks['provider']>['models']>>[0]['models']

/** The host's models with what the backend said of them last time; the backend is not asked here. */
async function withCatalogue(
  models: HostModels,
  paths: Paths,
  userModels: ReadonlySet<string>,
  directory: string,
): Promise<HostModels> {
  const text = await readBoundedFile(paths.catalogueFile, MAX_FOREIGN_BYTES).catch(() => '')
  const catalogues = parseCatalogues(text ?? '')
  // Most accounts share their list.
  const lists = new Set(Object.values(catalogues).map((one) => one.models))
  if (lists.size === 0) return models
  const merged = mergeModels(models, [...lists], userModels)
  if (lists.size === 1) return merged as unknown as HostModels
  const { countedModels } = await import('./settings-entry.js')
  const place = { env: process.env, paths, directory }
  return (await countedModels(merged, catalogues, userModels, place)) as unknown as HostModels
}

/** The host asks for the tools with its first prompt and does not wait: they are loaded then, not at every start. */
function tools(
  { directory }: PluginInput,
  paths: Paths,
  runtime: () => Promise<Runtime>,
): NonNullable<Hooks['tool']> {
  try {
    const { toolsNow } = createRequire(import.meta.url)('./tools.js') as {
      readonly toolsNow: typeof ToolsNow
    }
    return toolsNow({ env: process.env, paths, directory, runtime })
  } catch {
    // Outside Bun a module cannot be loaded at once; OpenCode is Bun.
    return {}
  }
}

/**
 * An OpenCode before 1.14 does not know the plugin's default export: it calls every export, in the order of their names, and
 * this one comes first. What is thrown goes to its log, and it starts without us; the screen is told separately.
 */
export function AnOlderHost(input?: Pick<PluginInput, 'client'>): never {
  const sentence = `this OpenCode is too old for it, which needs ${OLDEST_HOST} or newer. Run: ${UPGRADE_HOST}`
  void import('./host-setup/older-screen.js').then(
    (it) => it.tell(input, sentence),
    () => undefined,
  )
  throw new Error(sentence)
}
