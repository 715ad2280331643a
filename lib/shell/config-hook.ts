import path from 'node:path'
import { isMainThread } from 'node:worker_threads'

import type { Hooks, PluginInput } from '@opencode-ai/plugin'

import {
  askBeforeTools,
  type HostPermissions,
  namesOurTools,
} from '../host-setup/tool-permissions.js'
import { MAX_CONFIG_BYTES, readBoundedFile } from '../kernel/files/bounded-file.js'
import { CONFIG_FILE, type Paths } from '../kernel/files/paths.js'
import type { Place } from '../kernel/text/command-words.js'
import { isTuiPluginHere } from './tui-plugin.js'

type HostConfig = Parameters<NonNullable<Hooks['config']>>[0]

/** What the host's configuration says that is needed later. Filled by the config hook, which the host calls first. */
export interface HostSettings {
  /** `provider.openai.options.baseURL`. */
  baseUrl?: string
  /** `provider.openai.options.headerTimeout`, ms. */
  headerTimeoutMs?: number
  /** Models the user has configured: left as they are. */
  readonly models: Set<string>
  /** Slash commands that are ours and not somebody else's of the same name. */
  readonly commands: Set<string>
  /** Where our sentences are read. */
  place?: Place
}

/** Reads what we need from the host's configuration, and adds our slash commands and permissions to it. */
export async function applyConfig(
  config: HostConfig,
  settings: HostSettings,
  input: PluginInput,
  paths: Paths,
): Promise<void> {
  const openai = config.provider?.openai
  const baseUrl: unknown = openai?.options?.baseURL
  const headerTimeout: unknown = openai?.options?.headerTimeout
  for (const id of Object.keys(openai?.models ?? {})) settings.models.add(id)
  if (typeof baseUrl === 'string') settings.baseUrl = baseUrl
  if (typeof headerTimeout === 'number') settings.headerTimeoutMs = headerTimeout
  await addCommands(config, settings, input, paths)
  const permissions = config as HostPermissions
  const allowance = namesOurTools(permissions)
    ? await (await import('../settings-entry.js')).userAllowance({ paths, env: process.env })
    : () => false
  askBeforeTools(permissions, allowance)
}

async function addCommands(
  config: HostConfig,
  settings: HostSettings,
  input: PluginInput,
  paths: Paths,
): Promise<void> {
  const { commands: own } = settings
  const wanted = await wantedCommands(input, paths)
  // On the screen of a TUI they are there, whoever runs them.
  settings.place = wanted.slashCommands && !isMainThread ? 'tui' : 'terminal'
  const isOffered =
    wanted.slashCommands &&
    !(await isTuiPluginHere({ directory: input.directory, paths, env: process.env }))
  // A TUI, which most starts are, loads neither.
  const commands = isOffered
    ? (await import('../slash-commands/commands.js')).slashCommands(paths.root)
    : {}
  const prompts = wanted.promptTemplates
    ? (await import('../slash-commands/prompt-templates.js')).promptCommands()
    : {}
  const ours = { ...commands, ...prompts }
  const isTaken = (name: string): boolean => config.command?.[name] !== undefined
  // Of two with one name the user's own wins, and a project's speaks for nobody.
  const theirs = Object.keys(ours).some(isTaken)
    ? await (await import('../settings-entry.js')).userCommands({ paths, env: process.env })
    : undefined
  const kept = Object.entries(ours).filter(([name]) => !isTaken(name) || theirs?.has(name) !== true)
  own.clear()
  for (const [name] of kept) if (name in commands) own.add(name)
  config.command = { ...config.command, ...Object.fromEntries(kept) }
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
    files.map((file) => readBoundedFile(file, MAX_CONFIG_BYTES).catch(() => '')),
  )
  const isSpokenOf =
    process.env.CODEX_AUTH_SLASH_COMMANDS !== undefined ||
    process.env.CODEX_AUTH_PROMPT_TEMPLATES !== undefined ||
    texts.some((text) => /slashCommands|promptTemplates/.test(text ?? ''))
  if (!isSpokenOf) return { slashCommands: true, promptTemplates: false }
  const { loadConfig } = await import('../settings-entry.js')
  return loadConfig(process.env, paths, directory).config
}
