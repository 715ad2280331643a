import { realpath } from 'node:fs/promises'
import path from 'node:path'

import type { Hooks, PluginInput } from '@opencode-ai/plugin'

import type { Config } from '../config/settings.js'
import {
  askBeforeTools,
  type HostPermissions,
  namesOurTools,
} from '../host-setup/tool-permissions.js'
import { MAX_CONFIG_BYTES, readBoundedFile } from '../kernel/files/bounded-file.js'
import { foldersAbove } from '../kernel/files/folders-above.js'
import { CONFIG_FILE, type Paths } from '../kernel/files/paths.js'
import { isMainThread } from '../kernel/main-thread.js'
import type { HostSettings } from './host-settings.js'
import { isTuiPluginHere } from './tui-plugin.js'

type HostConfig = Parameters<NonNullable<Hooks['config']>>[0]

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
  settings.shapesTurns = speaksOf(texts, 'personality', 'collaboration', 'compactionPrompt')
  if (settings.shapesTurns) {
    const { prepareTurns } = await import('./turn-parts.js')
    prepareTurns(config, settings, input, paths)
  }
  await addCommands(config, settings, { input, paths, texts })
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

async function addCommands(config: HostConfig, settings: HostSettings, read: Read): Promise<void> {
  const { commands: own } = settings
  const wanted = await wantedCommands(read)
  const { paths, input } = read
  // On the screen of a TUI they are there, whoever runs them.
  settings.place = wanted.slashCommands && !isMainThread() ? 'tui' : 'terminal'
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
  const personality = wanted.personalityCommand
    ? (await import('../settings-entry.js')).personalityCommands()
    : {}
  const ours = { ...commands, ...prompts, ...personality }
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
  if (!speaksOf(texts, 'slashCommands', 'promptTemplates', 'personalityCommand'))
    return { slashCommands: true, promptTemplates: false, personalityCommand: false }
  const { loadConfig } = await import('../settings-entry.js')
  return loadConfig(process.env, paths, input.directory).config
}

/** The texts of every file that may count here: which one of them is the project's is found out where one says something. */
async function configTexts({ directory }: PluginInput, paths: Paths): Promise<string[]> {
  const real = await realpath(directory).catch(() => directory)
  const projects = [...foldersAbove(directory), ...foldersAbove(real)]
  const files = new Set([
    paths.configFile,
    ...projects.map((folder) => path.join(folder, '.opencode', CONFIG_FILE)),
  ])
  const texts = [...files].map((file) => readBoundedFile(file, MAX_CONFIG_BYTES).catch(() => ''))
  return (await Promise.all(texts)).map((text) => text ?? '')
}

/** Whether a file or the environment names one of these settings; its value is not looked at. */
function speaksOf(texts: readonly string[], ...settings: readonly string[]): boolean {
  return settings.some((name) => {
    const variable = `CODEX_AUTH_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`
    return process.env[variable] !== undefined || texts.some((text) => text.includes(name))
  })
}
