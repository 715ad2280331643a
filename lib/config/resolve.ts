import { plainText } from '../kernel/text/plain-text.js'
import { SETTING_NAMES } from './setting-names.js'
import type { Setting } from './setting.js'
import { type Config, type SettingName, DEFAULT_CONFIG, SETTINGS } from './settings.js'

/** Where exactly a value stands. */
interface ConfigPlace {
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

/** A valid value and where it stands. */
export interface FoundValue {
  readonly value: unknown
  readonly place: ConfigPlace
}

/** The valid values of one source. */
export type FoundValues = Partial<Record<SettingName, FoundValue>>

/** Where a value came from. */
type ConfigSource = 'env' | 'project' | 'file' | 'default'

/** The settings in force, each with its source. */
export interface LoadedConfig {
  readonly config: Config
  readonly sources: Readonly<Record<SettingName, ConfigSource>>
  /** Places of the values that are not defaults. */
  readonly places: Readonly<Partial<Record<SettingName, ConfigPlace>>>
  /** Settings whose value comes from `beginnerSafeMode`. */
  readonly safeMode: readonly SettingName[]
  readonly problems: readonly ConfigProblem[]
}

/** What `beginnerSafeMode` puts in place of other settings. */
const SAFE_MODE = {
  retryProfile: 'conservative',
  retryBudgetOverrides: {},
  retryAllAccountsRateLimited: false,
  retryAllAccountsMaxRetries: 1,
} as const satisfies Partial<Config>

/** The values of a source and what is wrong with others. */
export interface FoundSettings {
  readonly found: FoundValues
  readonly problems: readonly ConfigProblem[]
}

/** What is in force without the project; what is wrong with the project's values is added. */
export interface OwnSettings extends Pick<LoadedConfig, 'sources'> {
  readonly values: Readonly<Record<string, unknown>>
  readonly problems: ConfigProblem[]
}

/**
 * Merges environment over project file over user file over defaults. Pure. A project's value counts only as far as the
 * rule of its setting allows, measured against what would be in force without the project.
 * @param input what the files hold, where there are any; of the project what comes into force, which hangs on what is
 * in force without it
 */
export function mergeSettings(input: {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly user?: FoundSettings
  readonly project?: (own: OwnSettings) => FoundValues
}): LoadedConfig {
  const problems: ConfigProblem[] = []
  const values: Record<string, unknown> = { ...DEFAULT_CONFIG }
  const sources = Object.fromEntries(SETTING_NAMES.map((name) => [name, 'default'])) as Record<
    SettingName,
    ConfigSource
  >
  const places: Partial<Record<SettingName, ConfigPlace>> = {}

  const take = (source: ConfigSource, found: Readonly<FoundValues>): void => {
    for (const [name, { value, place }] of Object.entries(found)) {
      values[name] = value
      sources[name as SettingName] = source
      places[name as SettingName] = place
    }
  }
  if (input.user) {
    problems.push(...input.user.problems)
    take('file', input.user.found)
  }
  if (input.project) take('project', input.project({ values, sources, problems }))
  take('env', readEnvironment(input.env, problems))
  const forced = safeModeOf(values as unknown as Config, sources)
  return {
    config: { ...(values as unknown as Config), ...forced },
    sources,
    places,
    safeMode: Object.keys(forced) as SettingName[],
    problems,
  }
}

function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  problems: ConfigProblem[],
): FoundValues {
  const found: FoundValues = {}
  for (const name of SETTING_NAMES) {
    const definition: Setting = SETTINGS[name]
    const text = definition.env === undefined ? undefined : env[definition.env]?.trim()
    if (definition.env === undefined || text === undefined || text === '') continue
    const checked = check(definition, fromText(definition, text))
    if ('problem' in checked)
      problems.push({ where: definition.env, key: name, message: checked.problem })
    else found[name] = { value: checked.value, place: { where: definition.env } }
  }
  return found
}

/**
 * Environment values are text: "1" is true and any other text false (docs/development/facts/other-plugins.md#settings),
 * numbers are decimal.
 */
function fromText({ schema: { takes } }: Setting, text: string): unknown {
  if (takes.type === 'boolean') return text === '1' || text.toLowerCase() === 'true'
  if (takes.type === 'number' || takes.type === 'integer') return Number(text)
  // Only fixed words are compared without regard to case; an address is not one.
  return takes.type === 'enum' ? text.toLowerCase() : text
}

/** What safe mode changes. One that a project switched on tightens like the rest of its file, and never what the environment says. */
function safeModeOf(
  config: Config,
  sources: Readonly<Record<SettingName, ConfigSource>>,
): Partial<Config> {
  if (!config.beginnerSafeMode) return {}
  if (sources.beginnerSafeMode !== 'project') return SAFE_MODE
  const tighter = Object.entries(SAFE_MODE).filter(([name, value]) => {
    const { project: rule }: Setting = SETTINGS[name as SettingName]
    return (
      sources[name as SettingName] !== 'env' &&
      rule?.isLooser(config[name as SettingName], value) === false
    )
  })
  return Object.fromEntries(tighter)
}

/** A value as the schema of its setting takes it, or what is wrong with it. Pure. */
export function check(
  definition: Setting,
  value: unknown,
): { value: unknown } | { problem: string } {
  const result = definition.schema.safeParse(value)
  if (result.success) return { value: result.data }
  return {
    problem: `${plainText(result.problem)}; the default ${JSON.stringify(definition.default)} is used.`,
  }
}
