import path from 'node:path'

import type { Hooks, PluginInput } from '@opencode-ai/plugin'

import type { Config } from '../config/settings.js'
import {
  askBeforeTools,
  type HostPermissions,
  namesOurTools,
} from '../host-setup/tool-permissions.js'
import { MAX_CONFIG_BYTES, readBoundedFile } from '../kernel/files/bounded-file.js'
import { CONFIG_FILE, type Paths } from '../kernel/files/paths.js'
import { slashCommands } from '../slash-commands/commands.js'
import { promptCommands } from '../slash-commands/prompt-templates.js'

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
  /** Whether a setting is spoken of that adds to turns: without one, no hook of a turn loads or reads anything. */
  shapesTurns?: boolean
}

/** Settings for slash commands, and for what is added to turns, as they are called in a file and in the environment. */
const COMMAND_SETTINGS = /slashCommands|promptTemplates|personality/
const COMMAND_ENV = ['CODEX_AUTH_SLASH_COMMANDS', 'CODEX_AUTH_PROMPT_TEMPLATES']
const TURN_SETTINGS = /personality|collaboration|compactionPrompt/
const TURN_ENV = [
  'CODEX_AUTH_PERSONALITY',
  'CODEX_AUTH_COLLABORATION',
  'CODEX_AUTH_COMPACTION_PROMPT',
]

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
  const texts = await configTexts(input, paths)
  settings.shapesTurns = speaksOf(texts, TURN_SETTINGS, TURN_ENV)
  await addCommands(config, settings.commands, { input, paths, texts })
  const permissions = config as HostPermissions
  const allowance = namesOurTools(permissions)
    ? await (await import('../settings-entry.js')).userAllowance({ paths, env: process.env })
    : () => false
  askBeforeTools(permissions, allowance)
}

/** What our hooks of the start read. */
interface Read {
  readonly input: PluginInput
  readonly paths: Paths
  /** Of every configuration file of ours that counts here. */
  readonly texts: readonly string[]
}

async function addCommands(config: HostConfig, own: Set<string>, read: Read): Promise<void> {
  const wanted = await wantedCommands(read)
  const commands = wanted.slashCommands ? slashCommands() : {}
  const ours = {
    ...commands,
    ...(wanted.promptTemplates ? promptCommands() : {}),
    ...(wanted.personalityCommand
      ? (await import('../settings-entry.js')).personalityCommands()
      : {}),
  }
  const isTaken = (name: string): boolean => config.command?.[name] !== undefined
  // Of two with one name the user's own wins, and a project's speaks for nobody.
  const theirs = Object.keys(ours).some(isTaken)
    ? await (
        await import('../settings-entry.js')
      ).userCommands({ paths: read.paths, env: process.env })
    : undefined
  const kept = Object.entries(ours).filter(([name]) => !isTaken(name) || theirs?.has(name) !== true)
  own.clear()
  for (const [name] of kept) if (name in commands) own.add(name)
  config.command = { ...config.command, ...Object.fromEntries(kept) }
}

/** OpenCode waits for this at every start, so the configuration is only interpreted where it speaks of commands. */
async function wantedCommands({
  input,
  paths,
  texts,
}: Read): Promise<Pick<Config, 'slashCommands' | 'promptTemplates' | 'personalityCommand'>> {
  if (!speaksOf(texts, COMMAND_SETTINGS, COMMAND_ENV))
    return { slashCommands: true, promptTemplates: false, personalityCommand: false }
  const { loadConfig } = await import('../settings-entry.js')
  return loadConfig(process.env, paths, input.directory).config
}

async function configTexts({ directory, worktree }: PluginInput, paths: Paths): Promise<string[]> {
  const files = [
    paths.configFile,
    ...[directory, worktree]
      .filter((folder) => typeof folder === 'string')
      .map((folder) => path.join(folder, '.opencode', CONFIG_FILE)),
  ]
  const texts = files.map((file) => readBoundedFile(file, MAX_CONFIG_BYTES).catch(() => ''))
  return (await Promise.all(texts)).map((text) => text ?? '')
}

function speaksOf(texts: readonly string[], settings: RegExp, names: readonly string[]): boolean {
  return (
    names.some((name) => process.env[name] !== undefined) ||
    texts.some((text) => settings.test(text))
  )
}
