import path from 'node:path'

import { findNodeAtLocation, parseTree } from 'jsonc-parser'

import { readBoundedFile } from '../kernel/bounded-file.js'
import { isNestedTooDeep } from '../kernel/nesting.js'
import { ownConfigs, type Surroundings } from './own-config.js'

/** A file named by `{file:…}` in place of an address is short, bytes. */
const MAX_NAMED_BYTES = 4 * 1024

/**
 * `provider.openai.options.baseURL` as the user, the environment or the machine's administrator says it: read from their
 * files, because the host's merged configuration does not tell whether a project said it. Undefined when none of them does.
 * Files that cannot be read say nothing. Never throws.
 */
export async function ownProviderBaseUrl(around: Surroundings): Promise<string | undefined> {
  const configs = await ownConfigs(around)
  const found = await Promise.all(
    configs.map(({ text, folder }) =>
      filledIn(baseUrlIn(text), folder, around.paths.home, around.env),
    ),
  )
  return found.findLast((url) => url !== undefined)
}

function baseUrlIn(text: string): string | undefined {
  if (!text.includes('baseURL') || isNestedTooDeep(text)) return undefined
  const tree = parseTree(text, [], { allowTrailingComma: true })
  const value: unknown =
    tree === undefined
      ? undefined
      : findNodeAtLocation(tree, ['provider', 'openai', 'options', 'baseURL'])?.value
  return typeof value === 'string' ? value : undefined
}

/** The text with `{env:NAME}` and `{file:path}` replaced, as the host does. */
async function filledIn(
  text: string | undefined,
  folder: string,
  home: string,
  env: Surroundings['env'],
): Promise<string | undefined> {
  const withEnv = text?.replaceAll(/\{env:([^}]+)\}/g, (_whole, name: string) => env[name] ?? '')
  const file = /\{file:([^}]+)\}/.exec(withEnv ?? '')
  if (withEnv === undefined || file === null) return withEnv
  const [whole, name = ''] = file
  const content = await readBoundedFile(
    path.resolve(folder, name.replace(/^~(?=\/)/, home)),
    MAX_NAMED_BYTES,
  ).catch(() => undefined)
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
    refused: `provider.openai.options.baseURL leads to ${host}, and ${yours}: the project may have set it, so keys that name no endpoint are not sent.`,
  }
}
