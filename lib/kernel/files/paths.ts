import os from 'node:os'
import path from 'node:path'

/** Where our files live. Same names and places as the earlier plugin of this name, so its files open in place. */
export interface Paths {
  readonly home: string
  /** `~/.opencode`: our data root. OpenCode also treats it as a config folder (see accounts/host-folder.ts). */
  readonly root: string
  readonly accountsFile: string
  readonly flaggedFile: string
  readonly projectsDir: string
  readonly backupsDir: string
  readonly configFile: string
  readonly cacheDir: string
  readonly catalogueFile: string
  /** Texts of the Codex CLI. */
  readonly promptsFile: string
  /** What was learned of the version of the Codex CLI. */
  readonly clientVersionFile: string
  /** Instructions for legacy mode. */
  readonly instructionsFile: string
  readonly logsDir: string
  /** Files shared between processes and with the TUI that may be lost without harm (quota cache, affinity). */
  readonly stateDir: string
  readonly quotaFile: string
  readonly historyFile: string
  readonly affinityFile: string
  readonly noticesFile: string
  /** In which OpenCode the TUI plugin had its commands last. */
  readonly tuiFile: string
  /** What accounts were refused: the WebSocket, compression. */
  readonly refusalsFile: string
  /** Folders of this user that take new tokens when the disk of the data root does not: often another disk, or memory. */
  readonly spareRefreshDirs: readonly string[]
  /** OpenCode's own configuration folder. */
  readonly hostConfigDir: string
  /** OpenCode's own login file. */
  readonly hostAuthFile: string
  /** OpenCode's package cache. */
  readonly hostCacheDir: string
}

export const ACCOUNTS_FILE = 'oc-codex-multi-auth-accounts.json'
export const FLAGGED_FILE = 'oc-codex-multi-auth-flagged-accounts.json'
const SPARE_REFRESH_DIR = 'oc-codex-multi-auth-refresh'
export const CONFIG_FILE = 'openai-codex-auth-config.json'

/**
 * Resolves every path from the environment; reads no disk.
 * OpenCode uses XDG folders on every system (docs/development/facts/opencode-host.md#folders-and-switches).
 */
export function resolvePaths(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): Paths {
  const home = homeOf(env, platform)
  const root = path.join(home, '.opencode')
  const xdg = (name: string, ...fallback: string[]): string =>
    nonEmpty(env[name]) ?? path.join(home, ...fallback)
  const stateDir =
    nonEmpty(env.OPENCODE_STATE_DIR) ??
    path.join(xdg('XDG_STATE_HOME', '.local', 'state'), 'opencode')
  return {
    home,
    root,
    accountsFile: path.join(root, ACCOUNTS_FILE),
    flaggedFile: path.join(root, FLAGGED_FILE),
    projectsDir: path.join(root, 'projects'),
    backupsDir: path.join(root, 'backups'),
    configFile: path.join(root, CONFIG_FILE),
    cacheDir: path.join(root, 'cache'),
    instructionsFile: path.join(root, 'cache', 'instructions.json'),
    promptsFile: path.join(root, 'cache', 'prompts.json'),
    catalogueFile: path.join(root, 'cache', 'catalogue.json'),
    clientVersionFile: path.join(root, 'cache', 'client-version.json'),
    logsDir: path.join(root, 'logs', 'codex-plugin'),
    stateDir,
    quotaFile: path.join(stateDir, 'oc-codex-multi-auth-quota.json'),
    historyFile: path.join(stateDir, 'oc-codex-multi-auth-history.jsonl'),
    affinityFile: path.join(stateDir, 'oc-codex-multi-auth-affinity.json'),
    noticesFile: path.join(stateDir, 'oc-codex-multi-auth-notices.json'),
    tuiFile: path.join(stateDir, 'oc-codex-multi-auth-tui.json'),
    refusalsFile: path.join(stateDir, 'oc-codex-multi-auth-refusals.json'),
    spareRefreshDirs: [
      stateDir,
      ...(path.isAbsolute(env.XDG_RUNTIME_DIR ?? '') ? [env.XDG_RUNTIME_DIR ?? ''] : []),
    ].map((dir) => path.join(dir, SPARE_REFRESH_DIR)),
    hostConfigDir: path.join(xdg('XDG_CONFIG_HOME', '.config'), 'opencode'),
    hostAuthFile: path.join(xdg('XDG_DATA_HOME', '.local', 'share'), 'opencode', 'auth.json'),
    hostCacheDir: path.join(xdg('XDG_CACHE_HOME', '.cache'), 'opencode'),
  }
}

/**
 * The home that OpenCode takes. On Windows never HOME: Git Bash and others set one of their own there, and OpenCode would
 * not read what was written to it.
 */
function homeOf(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  return nonEmpty(platform === 'win32' ? env.USERPROFILE : env.HOME) ?? os.homedir()
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value
}
