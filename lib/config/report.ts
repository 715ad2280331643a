import { CodexError } from '../kernel/errors.js'
import { parsedJson } from '../kernel/text/json.js'
import { redact } from '../kernel/text/redact.js'
import type { LoadedConfig } from './resolve.js'
import { closest, isSettingName, SETTING_NAMES } from './setting-names.js'
import type { Setting } from './setting.js'
import { SETTING_HELP } from './setting-help.js'
import { DEFAULT_CONFIG, type SettingName, SETTINGS } from './settings.js'

/** One setting as it is in force. */
export type SettingRow = ReturnType<typeof settingRows>[number]

/** Every setting with its value and where that came from, without secrets. Pure. */
export function settingRows({ config, sources, places, safeMode }: LoadedConfig) {
  return SETTING_NAMES.map((name) => {
    const definition: Setting = SETTINGS[name]
    const isForced = safeMode.includes(name)
    const place = places[isForced ? 'beginnerSafeMode' : name]
    return {
      name,
      value: redact<unknown>(config[name]),
      source: isForced ? 'beginnerSafeMode' : sources[name],
      /** Path of the file or name of the variable; null for a default. */
      where: place?.where ?? null,
      /** 1-based; null where there are no lines. */
      line: place?.line ?? null,
      default: DEFAULT_CONFIG[name],
      env: definition.env ?? null,
      help: SETTING_HELP[name],
      project: wordsOf(definition),
    }
  })
}

/** What a project's file may do with a setting, in a few words. */
export function wordsOf({ project }: Setting): string {
  return project?.words ?? 'no'
}

/** Where a value came from, in a few words: `default`, `CODEX_AUTH_TOOLS`, `/path/of/file:4`. */
export function originOf(row: Pick<SettingRow, 'source' | 'where' | 'line'>): string {
  const { source, where, line } = row
  if (where === null) return source
  const place = line === null ? where : `${where}:${line}`
  return source === 'beginnerSafeMode' ? `beginnerSafeMode in ${place}` : place
}

/**
 * The name of a setting, as somebody typed it.
 * @throws CodexError `invalid_input` with the name that was probably meant
 */
export function settingNamed(text: string): SettingName {
  if (isSettingName(text)) return text
  const near = closest(text)
  throw new CodexError('invalid_input', `There is no setting ${JSON.stringify(text)}.`, {
    hint: near === undefined ? 'All settings: {config}' : `Did you mean ${near}?`,
  })
}

/**
 * A typed value as the configuration file holds it: words and numbers as they are, everything else as JSON.
 * @throws CodexError `invalid_input` with what the setting takes
 */
export function settingValue(name: SettingName, text: string): unknown {
  const { schema }: Setting = SETTINGS[name]
  const isWord = schema.takes.type === 'string' || schema.takes.type === 'enum'
  const json = isWord ? undefined : parsedJson(text)
  const checked = schema.safeParse(json === undefined ? text : json)
  if (checked.success) return checked.data
  throw new CodexError('invalid_input', `${name} cannot have this value: ${checked.problem}.`, {
    hint: `Nothing was changed. What it takes: {config ${name}}`,
  })
}
