import { copyFile } from 'node:fs/promises'

import { applyEdits, modify, type ParseError, parse } from 'jsonc-parser'

import type { SettingName } from '../../config/settings.js'
import { CodexError } from '../../kernel/errors.js'
import { MAX_CONFIG_BYTES, readBoundedFile } from '../../kernel/files/bounded-file.js'
import type { Paths } from '../../kernel/files/paths.js'
import { writeFileAtomic } from '../../kernel/files/writing.js'
import { isRecord } from '../../kernel/text/json.js'
import { isNestedTooDeep } from '../../kernel/text/nesting.js'
import type { ForeignFinding } from './read.js'

/** What a takeover does with one finding: `kept` where the user's own file says something else already. */
type TakenOver = ForeignFinding & { readonly here: 'new' | 'same' | 'kept' | null }

/** A configuration with what is taken over, not yet written. */
export interface TakeOverPlan {
  readonly file: string
  readonly rows: readonly TakenOver[]
  readonly before: string | undefined
  readonly after: string
}

/**
 * The user's own configuration with the settings that were found; what stands there already stays, and so do its comments.
 * @throws CodexError `config_invalid` for a file of ours that is no JSON object
 */
export async function planTakeOver(
  { configFile: file }: Pick<Paths, 'configFile'>,
  found: readonly ForeignFinding[],
): Promise<TakeOverPlan> {
  const before = await readBoundedFile(file, MAX_CONFIG_BYTES, { keepMark: true })
  const mark = before?.startsWith('\uFEFF') === true ? '\uFEFF' : ''
  let text = (before ?? '').slice(mark.length)
  if (text.trim() === '') text = '{}\n'
  const errors: ParseError[] = []
  const options = { allowTrailingComma: true, disallowComments: false }
  const own: unknown = isNestedTooDeep(text) ? undefined : parse(text, errors, options)
  if (!isRecord(own) || errors.length > 0)
    throw new CodexError('config_invalid', `${file} is not one object of JSON.`, {
      hint: 'Fix the file, then run the command again. Nothing was changed.',
    })
  const set = new Map<SettingName, unknown>()
  const rows = found.map((one): TakenOver => {
    const { setting, value } = one
    if (setting === undefined) return { ...one, here: null }
    const isThere = Object.hasOwn(own, setting) || set.has(setting)
    const there = set.has(setting) ? set.get(setting) : own[setting]
    if (!isThere) set.set(setting, value)
    return { ...one, here: !isThere ? 'new' : there === value ? 'same' : 'kept' }
  })
  for (const [name, value] of set) {
    const formattingOptions = { insertSpaces: true, tabSize: 2 }
    text = applyEdits(text, modify(text, [name], value, { formattingOptions }))
  }
  return { file, rows, before, after: set.size === 0 ? (before ?? '') : mark + text }
}

/**
 * Writes the plan, with a copy of the file as it was beside it.
 * @returns the copy, or undefined when there was no file
 */
export async function applyTakeOver(
  { file, before, after }: TakeOverPlan,
  nowMs: number,
): Promise<string | undefined> {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-')
  const backup = before === undefined ? undefined : `${file}.bak-${stamp}`
  if (backup !== undefined) await copyFile(file, backup)
  await writeFileAtomic(file, after)
  return backup
}
