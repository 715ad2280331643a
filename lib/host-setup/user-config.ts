import { readdir } from 'node:fs/promises'
import path from 'node:path'

import { parse as parseJsonc } from 'jsonc-parser'

import { MAX_CONFIG_BYTES, readBoundedFile } from '../kernel/files/bounded-file.js'
import type { Paths } from '../kernel/files/paths.js'
import { isRecord, type JsonRecord } from '../kernel/text/json.js'
import { isNestedTooDeep } from '../kernel/text/nesting.js'
import { allowsByName, type UserAllowance } from './tool-permissions.js'

/**
 * What the user, the environment or the machine's administrator say in OpenCode's configuration. A project's files are
 * never asked, and the host's merged configuration does not tell who said what; so their files are read again here. What
 * cannot be read says nothing. Nothing here throws.
 */

/** Where OpenCode looks for the settings of the machine's administrator; they stand above those of its users. */
const MANAGED_FOLDERS: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  darwin: '/Library/Application Support/opencode',
  win32: 'C:\\ProgramData\\opencode',
}
const MANAGED_FOLDER = '/etc/opencode'
/** A file named by `{file:…}` in place of an address is short, bytes. */
const MAX_NAMED_BYTES = 4 * 1024

export interface SearchContext {
  readonly paths: Pick<Paths, 'home' | 'root' | 'hostConfigDir'>
  readonly env: Readonly<Record<string, string | undefined>>
}

interface UserConfig {
  readonly content: JsonRecord
  /** What relative names in it start from. */
  readonly folder: string
}

/** The slash commands that the user defined, in a configuration or in files of their own. */
export async function userCommands(context: SearchContext): Promise<ReadonlySet<string>> {
  const configs = await userConfigs(context, '"command"')
  const folders = userFolders(context).flatMap((folder) =>
    ['command', 'commands'].map((name) => path.join(folder, name)),
  )
  const files = await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])))
  return new Set([
    ...configs.flatMap(({ content }) => Object.keys(recordIn(content, 'command'))),
    ...files.flat().flatMap((name) => (name.endsWith('.md') ? [name.slice(0, -'.md'.length)] : [])),
  ])
}

/** What the user's permissions let through by the name of a tool of ours. */
export async function userAllowance(context: SearchContext): Promise<UserAllowance> {
  const configs = await userConfigs(context, 'codex')
  const permissions = configs.map(({ content }) => content.permission)
  return (tool, risk) => allowsByName(permissions, tool, risk)
}

/** `provider.openai.options.baseURL` as the user says it; undefined where the user names none. */
export async function userBaseUrl(context: SearchContext): Promise<string | undefined> {
  const configs = await userConfigs(context, 'baseURL')
  const found = await Promise.all(
    configs.map(async ({ content, folder }) => {
      const openai = recordIn(recordIn(content, 'provider'), 'openai')
      const { baseURL } = recordIn(openai, 'options')
      return typeof baseURL === 'string' ? filledIn(baseURL, folder, context) : undefined
    }),
  )
  return found.findLast((url) => url !== undefined)
}

/** The text with `{env:NAME}` and `{file:path}` replaced, as the host does. */
async function filledIn(
  text: string,
  folder: string,
  { paths, env }: SearchContext,
): Promise<string> {
  const withEnv = text.replaceAll(/\{env:([^}]+)\}/g, (_whole, name: string) => env[name] ?? '')
  const file = /\{file:([^}]+)\}/.exec(withEnv)
  if (file === null) return withEnv
  const [whole, name = ''] = file
  const place = path.resolve(folder, name.replace(/^~(?=\/)/, paths.home))
  const content = await readBoundedFile(place, MAX_NAMED_BYTES).catch(() => undefined)
  return withEnv.replace(whole, () => (content ?? '').trim())
}

/** Where keys without an endpoint of their own go: an address the user named, or nowhere, and why. */
export type ProviderEndpoint =
  | { readonly url?: string; readonly refused?: never }
  | { readonly refused: string; readonly url?: never }

/**
 * What the host's merged address means for keys that name no endpoint. A project may set it, and a key never follows a
 * project: where the merged address is not the user's own, the keys stay here. Pure.
 * @param merged `provider.openai.options.baseURL` as the host has it
 * @param own the same as the user's own configuration has it
 */
export function providerEndpoint(
  merged: string | undefined,
  own: string | undefined,
): ProviderEndpoint {
  const [wanted, mine] = [merged ?? '', own ?? '']
  if (wanted === mine) return wanted === '' ? {} : { url: wanted }
  const host = URL.canParse(wanted) ? new URL(wanted).host : 'no address that can be read'
  const yours =
    mine === '' ? 'your own configuration names none' : 'your own configuration names another'
  return {
    refused: `provider.openai.options.baseURL leads to ${host}, and ${yours}: the project may have set it, so API keys without an endpoint are not sent there.`,
  }
}

/** The user's configurations in which a text occurs, in the order in which OpenCode reads them. */
async function userConfigs(
  { paths, env }: SearchContext,
  wanted: string,
): Promise<readonly UserConfig[]> {
  const both = (folder: string): string[] =>
    ['opencode.json', 'opencode.jsonc'].map((name) => path.join(folder, name))
  const files = [
    path.join(paths.hostConfigDir, 'config.json'),
    ...both(paths.hostConfigDir),
    ...named(env.OPENCODE_CONFIG),
    ...both(paths.root),
    ...named(env.OPENCODE_CONFIG_DIR).flatMap(both),
  ]
  const managed = both(MANAGED_FOLDERS[process.platform] ?? MANAGED_FOLDER)
  const read = async (file: string): Promise<{ text: string; folder: string }> => {
    const text = await readBoundedFile(file, MAX_CONFIG_BYTES).catch(() => undefined)
    return { text: text ?? '', folder: path.dirname(file) }
  }
  const texts = [
    ...(await Promise.all(files.map(read))),
    { text: env.OPENCODE_CONFIG_CONTENT ?? '', folder: process.cwd() },
    ...(await Promise.all(managed.map(read))),
  ]
  return texts.flatMap(({ text, folder }) => {
    // Most say nothing of it and are not interpreted.
    if (!text.includes(wanted) || isNestedTooDeep(text)) return []
    const content: unknown = parseJsonc(text, [], { allowTrailingComma: true })
    return isRecord(content) ? [{ content, folder }] : []
  })
}

/** The folders in which the user keeps agents and commands, one file each. */
function userFolders({ paths, env }: SearchContext): readonly string[] {
  return [paths.hostConfigDir, paths.root, ...named(env.OPENCODE_CONFIG_DIR)]
}

function named(value: string | undefined): string[] {
  return value === undefined || value.trim() === '' ? [] : [path.resolve(value)]
}

function recordIn(record: JsonRecord, name: string): JsonRecord {
  const value = record[name]
  return isRecord(value) ? value : {}
}
