import { mkdir, readdir, rm } from 'node:fs/promises'
import path from 'node:path'

import { MAX_CONFIG_BYTES, readBoundedFile } from '../../kernel/files/bounded-file.js'
import { writeFileAtomic } from '../../kernel/files/replace-file.js'
import { closeFolder } from './own-folders.js'

/**
 * OpenCode takes `~/.opencode` for a configuration folder and installs its plugin package there when it is missing. A
 * start without a reachable registry then waits about 73 s each time (measured with OpenCode 1.18; 3 s with the files
 * below). Our account file alone makes the folder, so we also say that nothing is to be installed.
 */
const MANIFEST = 'package.json'
const LOCK = 'package-lock.json'
const MODULES = 'node_modules'

/** Tells our manifest from one of the user's. */
const MARK = 'oc-codex-multi-auth'

/** Folders whose files may import the plugin package: where one exists, OpenCode's own installation must be left to run. */
const IMPORTERS = [
  'tool',
  'tools',
  'plugin',
  'plugins',
  'command',
  'commands',
  'agent',
  'agents',
  'mode',
  'modes',
  'opencode.json',
  'opencode.jsonc',
]

/**
 * Keeps starts fast where the folder holds nothing but data, and steps back as soon as it holds more. Never throws and
 * never touches a manifest of somebody else.
 * @param root `~/.opencode`
 */
export async function ensureHostManifest(root: string): Promise<void> {
  try {
    await closeFolder(root)
    const names = await readdir(root)
    const isUsed = IMPORTERS.some((name) => names.includes(name))
    const hasManifest = names.includes(MANIFEST)
    if (isUsed && hasManifest && (await isOurs(root))) await removeHostManifest(root)
    else if (!isUsed && !hasManifest && !names.includes(LOCK) && !names.includes(MODULES))
      await settle(root)
  } catch {
    // Without the folder there is nothing to settle; a start that waits is better than one that fails.
  }
}

async function settle(root: string): Promise<void> {
  const dependencies = { '@opencode-ai/plugin': '*' }
  const note = 'Keeps OpenCode from installing a package into this data folder at every start.'
  await mkdir(path.join(root, MODULES), { mode: 0o700 })
  await writeFileAtomic(
    path.join(root, LOCK),
    json({ lockfileVersion: 3, packages: { '': { dependencies } } }),
  )
  await writeFileAtomic(
    path.join(root, MANIFEST),
    json({ private: true, [MARK]: note, dependencies }),
  )
}

async function removeHostManifest(root: string): Promise<void> {
  await rm(path.join(root, MANIFEST), { force: true })
  await rm(path.join(root, LOCK), { force: true })
  const modules = path.join(root, MODULES)
  if ((await readdir(modules).catch(() => ['?'])).length === 0)
    await rm(modules, { recursive: true, force: true })
}

async function isOurs(root: string): Promise<boolean> {
  return (
    (await readBoundedFile(path.join(root, MANIFEST), MAX_CONFIG_BYTES))?.includes(`"${MARK}"`) ===
    true
  )
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
