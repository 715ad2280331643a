import { isDeepStrictEqual } from 'node:util'

import type { FoundSettings, FoundValue, FoundValues, OwnSettings } from './resolve.js'
import type { Setting } from './setting.js'
import { type SettingName, SETTINGS } from './settings.js'

/**
 * The values of a project that come into force; those that may not are reported. What a project only repeats stays the
 * user's own, with all that the user's own word does.
 * @param own what is in force without the project
 */
export function allowedOf({ found, problems }: FoundSettings, own: OwnSettings): FoundValues {
  own.problems.push(...problems)
  const allowed: FoundValues = {}
  for (const [name, wanted] of Object.entries(found) as [SettingName, FoundValue][]) {
    const { place } = wanted
    const refusal = projectRefusal(name, wanted.value, own.values)
    const value = mergedValue(name, wanted.value, own.values)
    const isRepeated = own.sources[name] !== 'default' && isDeepStrictEqual(value, own.values[name])
    if (refusal !== undefined) own.problems.push({ ...place, key: name, message: refusal })
    else if (!isRepeated) allowed[name] = { value, place }
  }
  return allowed
}

function mergedValue(
  name: SettingName,
  wanted: unknown,
  own: Readonly<Record<string, unknown>>,
): unknown {
  const { project: rule }: Setting = SETTINGS[name]
  return rule?.merge === undefined ? wanted : rule.merge(own[name], wanted)
}

/**
 * Why a project's file may not hold this value; undefined when it may. Pure.
 * @param own what is in force without the project
 */
export function projectRefusal(
  name: SettingName,
  wanted: unknown,
  own: Readonly<Record<string, unknown>>,
): string | undefined {
  const { project: rule }: Setting = SETTINGS[name]
  if (rule?.isLooser(own[name], mergedValue(name, wanted, own)) === false) return undefined
  const yours = 'Set it in your own file or in the environment.'
  if (rule === undefined) return `A project may not set this. ${yours}`
  if (rule.refusal !== undefined) return `${rule.refusal} ${yours}`
  return `A project may only make this stricter (${rule.words}); yours: ${JSON.stringify(own[name])}.`
}
