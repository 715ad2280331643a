import type { Place } from '../../kernel/text/command-words.js'

/** What the Codex CLI tells of the machine. */
export interface SystemFacts {
  /** As Node names them. */
  readonly platform: string
  readonly release: string
  readonly arch: string
  /** Text of `/etc/os-release`, where there is one. */
  readonly osRelease?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * What the CLI calls itself on a screen, and when it runs a single command
 * (docs/development/facts/codex-backend.md#request-headers); name and user agent always agree.
 */
export type Originator = 'codex_cli_rs' | 'codex_exec'

/** The name under which requests from this place go out. Pure. */
export function originatorAt(place: Place): Originator {
  switch (place) {
    case 'tui':
      return 'codex_cli_rs'
    case 'terminal':
      return 'codex_exec'
  }
}

const DISTRIBUTIONS: Readonly<Record<string, string>> = {
  alpine: 'Alpine Linux',
  arch: 'Arch Linux',
  debian: 'Debian',
  fedora: 'Fedora',
  nixos: 'NixOS',
  ubuntu: 'Ubuntu',
}

/**
 * The user agent of the Codex CLI: `codex_exec/0.169.0 (Debian 12.0.0; x86_64) xterm (codex_exec; 0.169.0)`; only the single
 * command repeats its name at the end. Pure.
 */
export function codexUserAgent(
  originator: Originator,
  version: string,
  system: SystemFacts,
): string {
  const program = `${originator}/${version} (${systemName(system)}; ${machine(system)}) ${terminal(system.env)}`
  return originator === 'codex_exec' ? `${program} (${originator}; ${version})` : program
}

function systemName({ platform, release, osRelease = '' }: SystemFacts): string {
  if (platform === 'darwin') return `Mac OS ${macVersion(release)}`
  if (platform === 'win32') return `Windows ${threeParts(release)}`
  const id = /^ID="?([a-z0-9_-]+)"?$/m.exec(osRelease)?.[1] ?? ''
  const version = /^VERSION_ID="?([0-9.]+)"?$/m.exec(osRelease)?.[1]
  const name = Object.hasOwn(DISTRIBUTIONS, id) ? DISTRIBUTIONS[id] : undefined
  return `${name ?? 'Linux'} ${version === undefined ? 'Unknown' : threeParts(version)}`
}

/** The kernel's version tells that of the system: 24 is macOS 15, and from 25 on the years count. */
function macVersion(release: string): string {
  const [major = 0, minor = 0] = release.split('.').map(Number)
  return threeParts(`${major >= 25 ? major + 1 : major - 9}.${minor}`)
}

/** `12` → `12.0.0`, `22.04` → `22.4.0`. */
function threeParts(version: string): string {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10) || 0)
  return [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0].join('.')
}

function machine({ platform, arch }: SystemFacts): string {
  if (arch === 'x64') return 'x86_64'
  return arch === 'arm64' && platform !== 'darwin' ? 'aarch64' : arch
}

/** Terminals that say who they are by a variable of their own, in the CLI's order; the second name is that of their version. */
const TERMINALS: readonly (readonly [token: string, sign: string, version?: string])[] = [
  ['WezTerm', 'WEZTERM_VERSION', 'WEZTERM_VERSION'],
  ['iTerm.app', 'ITERM_SESSION_ID'],
  ['iTerm.app', 'ITERM_PROFILE'],
  ['Apple_Terminal', 'TERM_SESSION_ID'],
  ['kitty', 'KITTY_WINDOW_ID'],
  ['Alacritty', 'ALACRITTY_SOCKET'],
  ['Konsole', 'KONSOLE_VERSION', 'KONSOLE_VERSION'],
  ['gnome-terminal', 'GNOME_TERMINAL_SCREEN'],
  ['VTE', 'VTE_VERSION', 'VTE_VERSION'],
  ['WindowsTerminal', 'WT_SESSION'],
]

/** `vscode/1.99.0`, `WindowsTerminal`, `xterm-256color`: the program's own word first, then its traces, then the kind. */
function terminal(env: SystemFacts['env']): string {
  const valueOf = (name: string): string => env[name]?.trim() ?? ''
  const program = valueOf('TERM_PROGRAM')
  if (program !== '') return token(program, valueOf('TERM_PROGRAM_VERSION'))
  for (const [name, sign, version] of TERMINALS)
    if (valueOf(sign) !== '') return token(name, version === undefined ? '' : valueOf(version))
  return token(valueOf('TERM') === '' ? 'unknown' : valueOf('TERM'), '')
}

function token(name: string, version: string): string {
  const whole = version === '' ? name : `${name}/${version}`
  return whole.replace(/[^0-9A-Za-z./_-]/g, '_').slice(0, 64)
}
