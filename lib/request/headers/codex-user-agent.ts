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
 * What the CLI calls itself when it runs a single command (docs/development/facts/codex-backend.md#request-headers);
 * name and user agent always agree.
 */
export const ORIGINATOR = 'codex_exec'

const DISTRIBUTIONS: Readonly<Record<string, string>> = {
  alpine: 'Alpine Linux',
  arch: 'Arch Linux',
  debian: 'Debian',
  fedora: 'Fedora',
  nixos: 'NixOS',
  ubuntu: 'Ubuntu',
}

/** The user agent of the Codex CLI: `codex_exec/0.169.0 (Debian 12.0.0; x86_64) xterm (codex_exec; 0.169.0)`. Pure. */
export function codexUserAgent(version: string, system: SystemFacts): string {
  return `${ORIGINATOR}/${version} (${systemName(system)}; ${machine(system)}) ${terminal(system.env)} (${ORIGINATOR}; ${version})`
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

function terminal(env: SystemFacts['env']): string {
  const program = env.TERM_PROGRAM?.trim() ?? ''
  const version = env.TERM_PROGRAM_VERSION?.trim() ?? ''
  const name =
    program === '' ? (env.TERM?.trim() ?? '') : version === '' ? program : `${program}/${version}`
  return name === '' ? 'unknown' : name.replace(/[^0-9A-Za-z./_-]/g, '_').slice(0, 64)
}
