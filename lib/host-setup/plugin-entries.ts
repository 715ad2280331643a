import path from 'node:path'

/** Name under which this package is published and configured. */
export const PACKAGE_NAME = 'oc-codex-multi-auth'

/**
 * Names this package had before. `opencode-openai-codex-auth` and its multi-account fork are not ours, but OpenCode
 * ignores every entry that contains the former (docs/development/facts/opencode-host.md#plugin-loading), so they are
 * left to `codex-doctor`.
 */
const FORMER_NAMES = ['oc-chatgpt-multi-auth']

/** What one entry of a `plugin` list is to us. */
export type EntryKind = 'current' | 'former' | 'checkout' | 'foreign'

/**
 * Tells what an entry of OpenCode's `plugin` list is: `"name"`, `"name@version"`, a path or `file://` URL, or any of
 * these as the first element of a `[name, options]` tuple. A path that ends in our name is a developer's checkout
 * unless it lies in a `node_modules` folder, and is left alone. Where the system makes no difference, case makes none here.
 */
export function entryKind(entry: unknown, platform: NodeJS.Platform = process.platform): EntryKind {
  const spec: unknown = Array.isArray(entry) ? entry[0] : entry
  if (typeof spec !== 'string') return 'foreign'
  const text = decode(spec).replaceAll('\\', '/').replace(/\/+$/, '')
  const isPath = /^(?:file:|\.{1,2}(?:\/|$)|\/|~\/|[A-Za-z]:\/)/.test(text)
  if (!isPath) return kindOfName(withoutVersion(text), 'foreign')
  const foldsCase = platform === 'win32' || platform === 'darwin'
  const place = path.posix.normalize(foldsCase ? text.toLowerCase() : text).replace(/\/$/, '')
  const folder = place.replace(/\/dist(?:\/index\.js)?$/, '')
  const name = folder.slice(folder.lastIndexOf('/') + 1)
  const installed = /\/node_modules\/[^/]+$/.test(folder)
  const kind = kindOfName(name, 'foreign')
  return kind === 'foreign' || installed ? kind : 'checkout'
}

function kindOfName(name: string, otherwise: EntryKind): EntryKind {
  if (name === PACKAGE_NAME) return 'current'
  return FORMER_NAMES.includes(name) ? 'former' : otherwise
}

function withoutVersion(spec: string): string {
  const at = spec.indexOf('@', 1)
  return at < 0 ? spec : spec.slice(0, at)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** How a `plugin` list has to change. Positions are those of the list as it is. */
export interface EntryPlan {
  /** Replace the entry at `index` by `value` (same place, options kept). */
  readonly replace: readonly { index: number; value: unknown }[]
  /** Remove these, highest position first. */
  readonly remove: readonly number[]
  /** Append this entry. */
  readonly append?: string
}

/**
 * Plans how our entry gets into a list: exactly one of ours stays, former names are renamed in place with their options,
 * duplicates go, a checkout counts as installed, and everything foreign keeps its place.
 */
export function planInstall(entries: readonly unknown[]): EntryPlan {
  const kinds = entries.map((entry) => entryKind(entry))
  const ours = kinds.flatMap((kind, index) => (kind === 'foreign' ? [] : [index]))
  const keep =
    ours.find((index) => kinds[index] === 'checkout') ??
    ours.find((index) => kinds[index] === 'current') ??
    ours[0]
  if (keep === undefined) return { replace: [], remove: [], append: PACKAGE_NAME }
  const remove = ours.filter((index) => index !== keep).reverse()
  if (kinds[keep] !== 'former') return { replace: [], remove }
  const entry = entries[keep]
  const value: unknown = Array.isArray(entry)
    ? [PACKAGE_NAME, ...(entry as unknown[]).slice(1)]
    : PACKAGE_NAME
  return { replace: [{ index: keep, value }], remove }
}

/** Plans how every entry of ours leaves a list; a developer's checkout stays. */
export function planUninstall(entries: readonly unknown[]): EntryPlan {
  const remove = entries
    .flatMap((entry, index) => (['current', 'former'].includes(entryKind(entry)) ? [index] : []))
    .reverse()
  return { replace: [], remove }
}
