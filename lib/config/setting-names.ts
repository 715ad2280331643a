import { type SettingName, SETTINGS } from './settings.js'

/** Every setting, in the order of the table. */
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[]

/** True for the name of a setting. */
export function isSettingName(key: string): key is SettingName {
  return Object.hasOwn(SETTINGS, key)
}

/** The setting whose name is nearest to a mistyped one, if it is near enough to be meant. */
export function closest(key: string): SettingName | undefined {
  const scored = SETTING_NAMES.map((name) => ({
    name,
    distance: editDistance(key.toLowerCase(), name.toLowerCase()),
  }))
  scored.sort((left, right) => left.distance - right.distance)
  const [best] = scored
  return best && best.distance <= Math.max(2, Math.floor(key.length / 4)) ? best.name : undefined
}

function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= right.length; column += 1) {
      const substitution =
        (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1)
      current.push(
        Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1),
      )
    }
    previous = current
  }
  return previous[right.length] ?? 0
}
