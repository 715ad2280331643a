import { type ParseError, parse as parseJsonc, parseTree, findNodeAtLocation, printParseErrorCode } from 'jsonc-parser'
import * as z from 'zod'

import { type Config, type Setting, type SettingName, DEFAULT_CONFIG, RETIRED_SETTINGS, SETTINGS } from './settings.js'

/** Where a value came from. */
export type ConfigSource = 'env' | 'project' | 'file' | 'default'

/** Where exactly a value stands. */
export interface ConfigPlace {
  /** Path of the file, or the name of the environment variable. */
  readonly where: string
  /** 1-based; absent for the environment. */
  readonly line?: number
}

/** One problem found while loading; the value concerned is not used, everything else is. */
export interface ConfigProblem extends ConfigPlace {
  readonly key?: string
  readonly message: string
}

/** The settings in force, each with its source. */
export interface LoadedConfig {
  readonly config: Config
  readonly sources: Readonly<Record<SettingName, ConfigSource>>
  /** Places of the values that are not defaults. */
  readonly places: Readonly<Partial<Record<SettingName, ConfigPlace>>>
  readonly problems: readonly ConfigProblem[]
}

/** A configuration file as read: `text` is undefined when there is none. */
export interface ConfigFile {
  readonly path: string
  readonly text: string | undefined
}

/** Keys a configuration file may hold besides settings. */
const PASSIVE_KEYS = new Set(['$schema', ...RETIRED_SETTINGS])

/** Where keys are sent is the user's decision alone: a project comes from anywhere. */
const USER_ONLY = new Set<SettingName>(['baseUrl', 'allowModelSecrets', 'allowModelDestroy'])

/** What `beginnerSafeMode` puts in place of other settings. */
export const SAFE_MODE = { retryProfile: 'conservative', retryBudgetOverrides: {}, retryAllAccountsRateLimited: false, retryAllAccountsMaxRetries: 1 } as const satisfies Partial<Config>

interface FoundValue {
  readonly value: unknown
  readonly place: ConfigPlace
}

type FoundValues = Partial<Record<SettingName, FoundValue>>

const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[]

/**
 * Merges environment over project file over user file over defaults. Pure.
 * A bad value disables that one key and is reported; a file that is not JSON disables that file.
 */
export function resolveConfig(input: {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly userFile?: ConfigFile
  readonly projectFile?: ConfigFile
}): LoadedConfig {
  const problems: ConfigProblem[] = []
  const values: Record<string, unknown> = { ...DEFAULT_CONFIG }
  const sources = Object.fromEntries(SETTING_NAMES.map((name) => [name, 'default'])) as Record<SettingName, ConfigSource>
  const places: Partial<Record<SettingName, ConfigPlace>> = {}

  const take = (source: ConfigSource, found: Readonly<FoundValues>): void => {
    for (const [name, { value, place }] of Object.entries(found)) {
      values[name] = value
      sources[name as SettingName] = source
      places[name as SettingName] = place
    }
  }
  if (input.userFile) take('file', readFile(input.userFile, problems))
  if (input.projectFile) take('project', withoutUserOnly(readFile(input.projectFile, problems), problems))
  take('env', readEnvironment(input.env, problems))
  return { config: applySafeMode(values as unknown as Config), sources, places, problems }
}

function readFile(file: ConfigFile, problems: ConfigProblem[]): FoundValues {
  if (file.text === undefined) return {}
  const text = file.text.replace(/^\uFEFF/, '')
  const lineOf = (offset: number): number => text.slice(0, offset).split('\n').length
  const errors: ParseError[] = []
  const options = { allowTrailingComma: true, disallowComments: false }
  const parsed: unknown = parseJsonc(text, errors, options)
  const [first] = errors
  if (first) {
    problems.push({
      where: file.path,
      line: lineOf(first.offset),
      message: `The file is not valid JSON (${printParseErrorCode(first.error)}); none of its settings are used.`,
    })
    return {}
  }
  const record = z.record(z.string(), z.unknown()).safeParse(parsed)
  if (!record.success) {
    problems.push({ where: file.path, line: 1, message: 'The file must hold one JSON object; none of its settings are used.' })
    return {}
  }
  const tree = parseTree(text, [], options)
  const found: FoundValues = {}
  for (const [key, value] of Object.entries(record.data)) {
    if (PASSIVE_KEYS.has(key)) continue
    const node = tree && findNodeAtLocation(tree, [key])
    const at = node ? { line: lineOf(node.offset) } : {}
    if (!isSettingName(key)) {
      const near = closest(key)
      problems.push({ where: file.path, ...at, key, message: `Unknown setting.${near === undefined ? '' : ` Did you mean ${near}?`}` })
      continue
    }
    const checked = check(SETTINGS[key], value)
    if ('problem' in checked) problems.push({ where: file.path, ...at, key, message: checked.problem })
    else found[key] = { value: checked.value, place: { where: file.path, ...at } }
  }
  return found
}

function withoutUserOnly(found: FoundValues, problems: ConfigProblem[]): FoundValues {
  return Object.fromEntries(
    Object.entries(found).filter(([key, { place }]) => {
      const isAllowed = !USER_ONLY.has(key as SettingName)
      if (!isAllowed) problems.push({ ...place, key, message: 'A project cannot say where API keys are sent. Set it in your own file or in the environment.' })
      return isAllowed
    }),
  )
}

function readEnvironment(env: Readonly<Record<string, string | undefined>>, problems: ConfigProblem[]): FoundValues {
  const found: FoundValues = {}
  for (const name of SETTING_NAMES) {
    const definition: Setting = SETTINGS[name]
    const text = definition.env === undefined ? undefined : env[definition.env]?.trim()
    if (definition.env === undefined || text === undefined || text === '') continue
    const checked = check(definition, fromText(definition, text))
    if ('problem' in checked) problems.push({ where: definition.env, key: name, message: checked.problem })
    else found[name] = { value: checked.value, place: { where: definition.env } }
  }
  return found
}

/** Environment values are text: "1" is true and any other text false (peer facts §3), numbers are decimal. */
function fromText(definition: Setting, text: string): unknown {
  if (definition.schema instanceof z.ZodBoolean) return text === '1' || text.toLowerCase() === 'true'
  if (definition.schema instanceof z.ZodNumber) return Number(text)
  // Only fixed words are compared without regard to case; an address is not one.
  return definition.schema instanceof z.ZodEnum ? text.toLowerCase() : text
}

function check(definition: Setting, value: unknown): { value: unknown } | { problem: string } {
  const result = definition.schema.safeParse(value)
  if (result.success) return { value: result.data }
  const issue = result.error.issues[0]
  return { problem: `${issue?.message ?? 'Invalid value'}; the default ${JSON.stringify(definition.default)} is used.` }
}

function applySafeMode(config: Config): Config {
  if (!config.beginnerSafeMode) return config
  return { ...config, ...SAFE_MODE }
}

/** True for the name of a setting. */
export function isSettingName(key: string): key is SettingName {
  return Object.hasOwn(SETTINGS, key)
}

/** The setting whose name is nearest to a mistyped one, if it is near enough to be meant. */
export function closest(key: string): SettingName | undefined {
  const scored = SETTING_NAMES.map((name) => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) }))
  scored.sort((left, right) => left.distance - right.distance)
  const [best] = scored
  return best && best.distance <= Math.max(2, Math.floor(key.length / 4)) ? best.name : undefined
}

function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= right.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1)
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[right.length] ?? 0
}
