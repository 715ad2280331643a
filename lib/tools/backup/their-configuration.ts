import { renderTable } from '../../kernel/text/table.js'
import type { Runtime } from '../../runtime.js'
import { foreignConfig } from '../../transfer/foreign-settings/read.js'
import {
  applyTakeOver,
  planTakeOver,
  type TakeOverPlan,
} from '../../transfer/foreign-settings/take-over.js'
import type { ImportRequest } from '../../transfer/import.js'

/** The configuration of a program and what becomes of it; undefined where there is none to speak of. */
export type Configuration =
  | { readonly plan: TakeOverPlan; readonly from: string }
  | { readonly problems: readonly string[] }
  | undefined

type Shown = NonNullable<ReturnType<typeof foundConfiguration>['shown']>

const HERE: Readonly<Record<'new' | 'same' | 'kept', string>> = {
  new: 'is set',
  same: 'is so already',
  kept: 'yours stays',
}

/** What belongs to an import: only opencode-codex-auth has settings that mean something here, and a named file is that file alone. */
export async function configurationFor(
  { env, paths }: Pick<Runtime, 'env' | 'paths'>,
  wish: ImportRequest,
): Promise<Configuration> {
  if (wish.source !== 'opencode-codex-auth' || wish.file !== undefined) return undefined
  const { file, found, problems } = foreignConfig({ env, paths })
  if (file === undefined) return undefined
  return problems.length > 0 ? { problems } : { plan: await planTakeOver(paths, found), from: file }
}

/** What of it the answer shows. */
export function foundConfiguration(configuration: Configuration) {
  if (configuration === undefined || !('plan' in configuration))
    return { problems: configuration?.problems ?? [], shown: null, changes: false }
  const { plan, from } = configuration
  const settings = plan.rows.map(({ name, line, status, says, setting, value, here }) => ({
    name,
    line,
    status,
    says,
    setting: setting ?? null,
    value: value ?? null,
    here,
  }))
  return {
    problems: [],
    shown: { from, into: plan.file, settings },
    changes: plan.rows.some(({ here }) => here === 'new'),
  }
}

/** Writes it. @returns what was done, in a sentence that follows another one */
export async function takeOver(configuration: Configuration, nowMs: number): Promise<string> {
  if (configuration === undefined || !('plan' in configuration)) return ''
  const { plan } = configuration
  const count = new Set(
    plan.rows.filter(({ here }) => here === 'new').map(({ setting }) => setting),
  ).size
  if (count === 0) return ' Its configuration has nothing to take over.'
  const backup = await applyTakeOver(plan, nowMs)
  const undo =
    backup === undefined
      ? `To undo it, remove ${plan.file}.`
      : `To undo it, put ${backup} back in its place.`
  return ` ${count} of its settings are in ${plan.file} now. ${undo}`
}

/** Each of its settings and what becomes of it. */
export function configurationText(shown: Shown | null, width: number): string {
  if (shown === null || shown.settings.length === 0) return ''
  const table = renderTable(
    shown.settings,
    [
      { title: 'Its setting', value: ({ name }) => name },
      { title: 'Here', value: ({ here, status }) => (here === null ? status : HERE[here]) },
      { title: 'What becomes of it', value: ({ says }) => says },
    ],
    width,
  )
  return `${table}\n\n`
}
