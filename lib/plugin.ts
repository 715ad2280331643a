import { createRequire } from 'node:module'

import type { Hooks, Plugin, PluginInput } from '@opencode-ai/plugin'

import { parseCatalogues } from './catalogue/catalogue-file.js'
import { mergeModels } from './catalogue/host-models.js'
import { hasAccounts, hasKey } from './hooks/accounts-file.js'
import { createAuthHook } from './hooks/auth.js'
import { applyToConfig, type HostConfig } from './hooks/config.js'
import { createHostPort } from './host-client.js'
import { MAX_FOREIGN_BYTES, readBoundedFile } from './kernel/files/bounded-file.js'
import { type Paths, resolvePaths } from './kernel/files/paths.js'
import { lazily } from './kernel/lazily.js'
import { MANAGED_AUTH } from './login/managed-entry.js'
import type { Runtime } from './runtime.js'
import { outputPrompt } from './slash-commands/commands.js'
import type { toolsNow as ToolsNow } from './tools-entry.js'

/**
 * What OpenCode loads first. It knows the host's hooks and nothing else: the core with its schemas, store and request path is
 * a second chunk, because the host waits for this one before it shows anything.
 */
export const server: Plugin = async (input) => {
  const paths = resolvePaths(process.env)
  const seen: HostConfig = { userModels: new Set(), ownCommands: new Set() }
  const core = lazily(async () => {
    const { createCore, ownProviderBaseUrl, providerEndpoint } = await import('./core.js')
    // What the host says is merged from the project's files too, and a key never follows a project.
    const { url, refused } = providerEndpoint(
      seen.baseUrl,
      seen.baseUrl === undefined
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
      providerHeaderTimeoutMs: () => seen.headerTimeoutMs,
      runMenu: async () =>
        (await import('./cli/menu-here.js')).runMenuHere(process.env, input.directory),
    })
  })
  await registerWithHost(input, paths)

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
    auth: createAuthHook({ client: input.client, paths, core }),
    provider: {
      id: 'openai',
      /** The host's models with what the backend said of them last time; the backend is not asked here. */
      async models(provider) {
        const catalogues = parseCatalogues(
          (await readBoundedFile(paths.catalogueFile, MAX_FOREIGN_BYTES).catch(() => '')) ?? '',
        )
        const lists = Object.values(catalogues).map(({ models }) => models)
        if (lists.length === 0) return provider.models
        return mergeModels(
          provider.models,
          lists,
          seen.userModels,
        ) as unknown as typeof provider.models
      },
    },
    get tool() {
      return tools(async () => (await core()).runtime)
    },
    config: (config) => applyToConfig(seen, config, input, paths),
    /** A slash command of ours runs here, in process: its line meets no shell, and no child inherits the project. */
    async 'command.execute.before'({ command, arguments: line }, output) {
      if (!seen.ownCommands.has(command)) return
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
