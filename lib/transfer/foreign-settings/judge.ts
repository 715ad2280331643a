import { isDeepStrictEqual } from 'node:util'

import type { Setting } from '../../config/setting.js'
import { isSettingName } from '../../config/setting-names.js'
import { type SettingName, SETTINGS } from '../../config/settings.js'
import type { Becomes } from './table.js'

/** What one thing of opencode-codex-auth is here. */
export interface Verdict {
  /** `setting`: one of ours says the same; `same`: so here anyway; `elsewhere`: to be had another way; `unsupported`: not here. */
  readonly status: 'setting' | 'same' | 'elsewhere' | 'unsupported'
  readonly says: string
  readonly setting?: SettingName
  readonly value?: unknown
}

/** What becomes of a value. Pure. */
export function judged(becomes: Becomes, theirs: unknown): Verdict {
  if ('always' in becomes) return { status: 'same', says: becomes.always }
  if ('elsewhere' in becomes) return { status: 'elsewhere', says: becomes.elsewhere }
  if ('unsupported' in becomes) return { status: 'unsupported', says: becomes.unsupported }
  const { setting: name, values } = becomes
  if (!isSettingName(name))
    return { status: 'unsupported', says: 'This version has no setting for it.' }
  const { schema }: Setting = SETTINGS[name]
  const value = values(theirs).find((one) => schema.safeParse(one).success)
  if (value === undefined)
    return { status: 'unsupported', says: `${name} does not take this value.` }
  return isDeepStrictEqual(value, SETTINGS[name].default)
    ? { status: 'same', says: `${name} is ${JSON.stringify(value)} by default.` }
    : { status: 'setting', says: `${name}: ${JSON.stringify(value)}`, setting: name, value }
}

/** What becomes of it whatever its value, for the documentation. Pure. */
export function inGeneral(becomes: Becomes): string {
  if (!('setting' in becomes)) return judged(becomes, undefined).says
  return isSettingName(becomes.setting)
    ? `the setting \`${becomes.setting}\``
    : judged(becomes, undefined).says
}
