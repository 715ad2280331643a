import { readdir } from 'node:fs/promises'
import path from 'node:path'

import { parse as parseJsonc } from 'jsonc-parser'

import { isNestedTooDeep } from '../kernel/nesting.js'
import { ownConfigs, ownFolders, type Surroundings } from './own-config.js'

/**
 * Slash commands that the user defined, in a configuration or in a file of their own; a project's are not among them. Never
 * throws.
 */
export async function userCommands(around: Surroundings): Promise<ReadonlySet<string>> {
  const named = (await ownConfigs(around)).flatMap(({ text }) => commandsIn(text))
  const folders = ownFolders(around).flatMap((folder) =>
    ['command', 'commands'].map((name) => path.join(folder, name)),
  )
  const files = await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])))
  return new Set([
    ...named,
    ...files.flat().flatMap((name) => (name.endsWith('.md') ? [name.slice(0, -'.md'.length)] : [])),
  ])
}

function commandsIn(text: string): string[] {
  if (!text.includes('"command"') || isNestedTooDeep(text)) return []
  const config: unknown = parseJsonc(text, [], { allowTrailingComma: true })
  if (typeof config !== 'object' || config === null || !('command' in config)) return []
  return typeof config.command === 'object' && config.command !== null
    ? Object.keys(config.command)
    : []
}
