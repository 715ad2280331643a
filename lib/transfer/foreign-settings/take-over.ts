import {
  applyChange,
  backupStamp,
  planChange,
  type PlannedChange,
} from '../../host-setup/file-change.js'
import type { Paths } from '../../kernel/files/paths.js'
import type { ForeignFinding } from './read.js'

/** What a takeover does with one finding: `kept` where the user's own file says something else already. */
type TakenOver = ForeignFinding & { readonly here: 'new' | 'same' | 'kept' | null }

/** A configuration with what is taken over, not yet written. */
export interface TakeOverPlan {
  readonly file: string
  readonly rows: readonly TakenOver[]
  readonly change: PlannedChange
}

/**
 * The user's own configuration with the settings that were found; what stands there already stays, and so do its comments.
 * @throws CodexError `config_invalid` for a file of ours that is no JSON object, `store_unreadable`
 */
export async function planTakeOver(
  { configFile: file }: Pick<Paths, 'configFile'>,
  found: readonly ForeignFinding[],
): Promise<TakeOverPlan> {
  let rows: readonly TakenOver[] = []
  const change = await planChange(file, (document) => {
    let next = document
    rows = found.map((one): TakenOver => {
      const { setting, value } = one
      if (setting === undefined) return { ...one, here: null }
      const isThere = next.has([setting])
      const there = next.value([setting])
      if (!isThere) next = next.set([setting], value)
      return { ...one, here: !isThere ? 'new' : there === value ? 'same' : 'kept' }
    })
    return next
  })
  return { file, rows, change }
}

/**
 * Writes the plan, with a copy of the file as it was beside it.
 * @returns the copy, or undefined when there was no file
 * @throws CodexError `store_not_written`; the file is as before then
 */
export async function applyTakeOver(
  { change }: TakeOverPlan,
  nowMs: number,
): Promise<string | undefined> {
  return (await applyChange(change, backupStamp(nowMs))).backup
}
