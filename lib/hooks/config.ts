import path from 'node:path'

import type { Config, PluginInput } from '@opencode-ai/plugin'

import {
  askBeforeTools,
  type HostPermissions,
  namesOurTools,
} from '../host-setup/tool-permissions.js'
import { MAX_CONFIG_BYTES, readBoundedFile } from '../kernel/files/bounded-file.js'
import { CONFIG_FILE, type Paths } from '../kernel/files/paths.js'
import { slashCommands } from '../slash-commands/commands.js'
import { promptCommands } from '../slash-commands/prompt-templates.js'

/** What the host's configuration said, and what of ours was put into it. */
export interface HostConfig {
  baseUrl?: string
  /** ms */
  headerTimeoutMs?: number
  /** Models the user has configured: left as they are. */
  readonly userModels: Set<string>
  /** Slash commands that are ours and not another's of the same name. */
  readonly ownCommands: Set<string>
}

/** Reads the provider's options from the host's configuration; adds our commands and permissions to it. */
export async function applyToConfig(
  seen: HostConfig,
  config: Config,
  input: Pick<PluginInput, 'directory' | 'worktree'>,
  paths: Paths,
): Promise<void> {
  const { options, models } = config.provider?.openai ?? {}
  for (const id of Object.keys(models ?? {})) seen.userModels.add(id)
  const configured: unknown = options?.baseURL
  if (typeof configured === 'string') seen.baseUrl = configured
  const headerTimeout: unknown = options?.headerTimeout
  if (typeof headerTimeout === 'number') seen.headerTimeoutMs = headerTimeout
  await addCommands(seen, config, input, paths)
  const permissions = config as HostPermissions
  const allowance = namesOurTools(permissions)
    ? await (await import('../core.js')).userAllowance({ paths, env: process.env })
    : () => false
  askBeforeTools(permissions, allowance)
}

async function addCommands(
  { ownCommands }: HostConfig,
  config: Config,
  input: Pick<PluginInput, 'directory' | 'worktree'>,
  paths: Paths,
): Promise<void> {
  const wanted = await wantedCommands(input, paths)
  const commands = wanted.slashCommands ? slashCommands() : {}
  const ours = { ...commands, ...(wanted.promptTemplates ? promptCommands() : {}) }
  // Of two with one name the user's own wins, and a project's speaks for nobody.
  const isTaken = Object.keys(ours).some((name) => config.command?.[name] !== undefined)
  const theirs = isTaken
    ? await (await import('../core.js')).userCommands({ paths, env: process.env })
    : undefined
  const kept = Object.fromEntries(
    Object.entries(ours).filter(
      ([name]) => theirs?.has(name) !== true || config.command?.[name] === undefined,
    ),
  )
  ownCommands.clear()
  for (const name of Object.keys(commands)) if (name in kept) ownCommands.add(name)
  config.command = { ...config.command, ...kept }
}

/** OpenCode waits for this at every start, so the configuration is only interpreted where it speaks of commands. */
async function wantedCommands(
  { directory, worktree }: Pick<PluginInput, 'directory' | 'worktree'>,
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
  const { commandSettings } = await import('../core.js')
  return commandSettings(process.env, paths, directory)
}
