import path from 'node:path'

import { parse as parseJsonc } from 'jsonc-parser'
import * as z from 'zod'

import { findProjectRoot } from '../../accounts/project/project.js'
import { findConfigFiles } from '../../host-setup/config-files.js'
import { cachedCopies } from '../../host-setup/package-cache.js'
import { entryKind, PACKAGE_NAME } from '../../host-setup/plugin-entries.js'
import { hostVersion, runHost } from '../../host-setup/run-host.js'
import { OLDEST_HOST, UPGRADE_HOST } from '../../host-setup/oldest-host.js'
import { ageOfHost, TESTED_RANGE } from '../../host-setup/tested-hosts.js'
import { formatDuration } from '../../kernel/text/moments.js'
import { parsedJson } from '../../kernel/text/json.js'
import { isNestedTooDeep } from '../../kernel/text/nesting.js'
import { readTextFile } from '../../kernel/files/json-file.js'
import { plainText } from '../../kernel/text/plain-text.js'
import { packageVersion } from '../../kernel/version.js'
import type { ClientVersion } from '../../models/client-version.js'
import type { Runtime } from '../../runtime.js'
import { failed, type Finding, ok, warning } from './finding.js'

const UPDATE = `npx -y ${PACKAGE_NAME}@latest update`
const SELF_TEST_TIMEOUT_MS = 120_000
/** Set for the OpenCode that a self-test starts; the plugin says on stderr then that it serves. */
const SELF_TEST_ENV = 'OC_CODEX_SELF_TEST'

/**
 * Whether the copy that OpenCode keeps is this version: it never looks for a newer one
 * (docs/development/facts/opencode-host.md#package-cache).
 */
export async function version({ paths }: Runtime): Promise<readonly Finding[]> {
  const ours = packageVersion()
  const copies = await cachedCopies(paths).catch(() => [])
  const versions = await Promise.all(copies.map(versionIn))
  const others = [...new Set(versions.filter((found) => found !== undefined && found !== ours))]
  if (others.length === 0) return [ok('version', `Version ${ours}.`)]
  return [
    warning(
      'version',
      `OpenCode runs version ${others.join(' and ')} from its cache, this is ${ours}.`,
      `${UPDATE}, then start OpenCode again`,
    ),
  ]
}

async function versionIn(copy: string): Promise<string | undefined> {
  const places = [
    path.join(copy, 'node_modules', PACKAGE_NAME, 'package.json'),
    path.join(copy, 'package.json'),
  ]
  for (const place of places) {
    const manifest = z
      .object({ name: z.literal(PACKAGE_NAME), version: z.string() })
      .safeParse(parsedJson((await readTextFile(place).catch(() => undefined))?.text ?? ''))
    if (manifest.success) return manifest.data.version
  }
  return undefined
}

const CLIENT_SOURCES: Readonly<Record<ClientVersion['source'], string>> = {
  setting: 'your setting codexClientVersion',
  installed: 'the one on this machine',
  registry: 'the npm registry',
  bundled: 'what this package knows',
}

/** As which Codex CLI the backend is asked for its models, and since when that is known. */
export async function clientVersion({ client, clock }: Runtime): Promise<readonly Finding[]> {
  const { version: named, source, atMs } = (await client()).inForce()
  const age = atMs === undefined ? '' : `, learned ${formatDuration(clock.now() - atMs)} ago`
  return [
    ok(
      'client-version',
      `Models are asked for as Codex CLI ${named} (${CLIENT_SOURCES[source]}${age}).`,
    ),
  ]
}

/** Plugins whose name says that they want the same provider. */
const RIVAL =
  /(?:codex|chatgpt|openai).*(?:auth|multi|compact)|(?:auth|multi).*(?:codex|chatgpt|openai)/i
/** OpenCode passes these by without a word (docs/development/facts/opencode-host.md#plugin-loading). */
const IGNORED = /opencode-openai-codex-auth|opencode-copilot-auth/

/**
 * Whether the configuration names this plugin, and whether a later one takes the provider from it
 * (docs/development/facts/opencode-host.md#conflicts-between-plugins).
 */
export async function pluginEntry(runtime: Runtime): Promise<readonly Finding[]> {
  const { paths, env, directory } = runtime
  const root = findProjectRoot(directory, paths.home)
  const { server } = await findConfigFiles(paths, env)
  const names = root === undefined ? [] : ['opencode.json', 'opencode.jsonc']
  const files = [server, ...names.map((name) => path.join(root ?? '', name))]
  const entries = (await Promise.all(files.map(pluginsIn))).flat()
  const last = entries.findLastIndex((entry) =>
    ['current', 'former', 'checkout'].includes(entryKind(entry)),
  )
  if (last < 0)
    return [
      warning(
        'plugin-entry',
        `${server} does not name this plugin, so OpenCode does not load it from there.`,
        `npx -y ${PACKAGE_NAME}@latest`,
      ),
    ]
  const findings: Finding[] = []
  for (const [index, entry] of entries.entries()) {
    const name = nameOf(entry)
    if (entryKind(entry) !== 'foreign' || name === undefined) continue
    if (IGNORED.test(name)) {
      const summary = `OpenCode ignores the plugin ${name} because of its name.`
      findings.push(warning('ignored-plugin', summary, 'Take it out of the configuration.'))
    } else if (index > last && RIVAL.test(name)) {
      const summary = `${name} stands after this plugin and may take openai from it.`
      findings.push(warning('rival-plugin', summary, `Remove it, or put ${PACKAGE_NAME} last.`))
    }
  }
  return findings.length === 0
    ? [ok('plugin-entry', 'OpenCode loads this plugin, and none after it wants the same provider.')]
    : findings
}

async function pluginsIn(file: string): Promise<readonly unknown[]> {
  const text = (await readTextFile(file).catch(() => undefined))?.text ?? '{}'
  const parsed = z
    .looseObject({ plugin: z.array(z.unknown()) })
    .safeParse(isNestedTooDeep(text) ? undefined : parseJsonc(text))
  return parsed.success ? parsed.data.plugin : []
}

function nameOf(entry: unknown): string | undefined {
  const spec: unknown = Array.isArray(entry) ? entry[0] : entry
  return typeof spec === 'string' ? spec : undefined
}

/** Version of the OpenCode that we run in, told by whoever knows it, so that none is started to ask. */
export const HOST_VERSION_ENV = 'OC_CODEX_HOST_VERSION'

/** Which OpenCode is there, and whether it is one of those that were tested. */
export async function host(
  { env, paths }: Runtime,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const told = env[HOST_VERSION_ENV]
  if (told !== undefined) return [judged(plainText(told))]
  const found = await hostVersion({ env, paths }, signal)
  if (found === undefined)
    return [
      warning(
        'host',
        'The program opencode was not found or does not answer.',
        'Put it into the search path, or ignore this if you start OpenCode in another way.',
      ),
    ]
  return [judged(found)]
}

function judged(version: string): Finding {
  const tested = `${TESTED_RANGE} were tested`
  switch (ageOfHost(version)) {
    case 'too-old':
      return failed(
        'host',
        `OpenCode ${version} cannot load this plugin, which needs ${OLDEST_HOST} or newer.`,
        UPGRADE_HOST,
      )
    case 'newer':
      return ok(
        'host',
        `OpenCode ${version} is newer than those that were tested: ${TESTED_RANGE}.`,
      )
    case 'tested':
    case 'unknown':
      return ok('host', `OpenCode ${version}; ${tested}.`)
  }
}

/** Starts OpenCode and sees that it loads this plugin and hands it the provider; no prompt is sent. */
export async function selfTest(
  { env, paths }: Runtime,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const answer = await runHost(
    { env: { ...env, [SELF_TEST_ENV]: '1' }, paths },
    ['models', 'openai', '--print-logs', '--log-level', 'INFO'],
    { signal, timeout: SELF_TEST_TIMEOUT_MS },
  )
  const serves = /oc-codex-multi-auth (\S+) serves openai/.exec(answer?.output ?? '')?.[1]
  if (serves !== undefined)
    return [
      ok('self-test', `OpenCode was started and hands openai to this plugin, version ${serves}.`),
    ]
  const why =
    answer === undefined || answer.output === ''
      ? 'OpenCode could not be started'
      : 'OpenCode was started and did not hand openai to this plugin'
  const action = 'See the findings above; then: opencode models openai --print-logs'
  return [failed('self-test', `${why}.`, action)]
}
