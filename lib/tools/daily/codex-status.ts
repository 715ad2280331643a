import * as z from 'zod'

import { nextAction } from '../../account-view/next-action.js'
import type { AccountView } from '../../account-view/view.js'
import { type Moment, reasonText, spelledOut } from '../../account-view/words.js'
import { unreadableRecords, unreadableText } from '../../accounts/store/unreadable.js'
import { createListedTexts } from '../../catalogue/listed-texts.js'
import { namesIn } from '../../config/personality-value.js'
import { originOf, type SettingRow, settingRows } from '../../config/report.js'
import { formatAge, formatMoment, formatWhen } from '../../kernel/text/moments.js'
import { counted } from '../../kernel/text/plural.js'
import { type Column, renderFitting } from '../../kernel/text/table.js'
import type { TonedText } from '../../kernel/text/tones.js'
import { createPersonalityFiles, personalityFolders } from '../../personality/files.js'
import { isHereIn } from '../../personality/here.js'
import { chosenLine, chosenRows } from '../../personality/overview.js'
import type { Runtime } from '../../runtime.js'
import {
  accountBeginnings,
  type AccountRow,
  NO_ACCOUNT,
  rowOf,
  viewsOf,
  windowsCell,
} from '../account-rows.js'
import { defineTool, LOCAL_PACE } from '../definition.js'

export const codexStatus = defineTool({
  name: 'status',
  group: 'Daily use',
  summary:
    'Show which account serves, what is left, what is blocked until when, and why an account was chosen.',
  risk: 'read',
  args: { why: z.boolean().describe('add the last decisions and their reasons').optional() },
  core: true,
  watch: () => LOCAL_PACE,
  async run(runtime, { why }, context) {
    const pool = await runtime.store.read()
    const views = viewsOf(runtime, pool, context)
    const nowMs = runtime.clock.now()
    const accounts = views.map((view) => rowOf(view, pool, nowMs, context))
    return {
      accounts,
      unreadable: unreadableRecords(pool).length,
      strategy: runtime.config.rotationStrategy,
      serving: accounts.find((row) => row.active)?.name ?? null,
      nextAction: nextAction(views, nowMs),
      unsaved: await runtime.tokens.unsaved(),
      personality: await personalityHere(runtime),
      /** Those that are not at their defaults. */
      settings: settingRows(runtime.loaded)
        .filter(({ source }) => source !== 'default')
        .map(({ name, value, source, where, line }) => ({ name, value, source, where, line })),
      /** Values that are not used because something is wrong with them. */
      settingProblems: runtime.loaded.problems.length,
      ...(why === true && { decisions: decisionsOf(runtime, views, nowMs) }),
    }
  },
  render(data, view) {
    const unreadable = data.unreadable === 0 ? '' : `\n${unreadableText(data.unreadable)}`
    if (data.accounts.length === 0) return `${NO_ACCOUNT}${unreadable}`
    const [whole, ...shorter] = accountBeginnings(view.nowMs)
    const left: Column<AccountRow> = {
      title: 'Left',
      value: (row) => windowsCell(row),
      priority: 2,
    }
    const apart = (moment: typeof formatWhen): readonly Column<AccountRow>[] => [
      ...whole,
      left,
      {
        title: 'Resets',
        value: (row) => resetsCell(row, (atMs) => moment(atMs, view.nowMs)),
      },
    ]
    const together: Column<AccountRow> = {
      title: 'Left and reset',
      value: (row) => leftUntilCell(row, view.nowMs),
    }
    const table = renderFitting(
      data.accounts,
      [
        apart(formatWhen),
        apart(formatMoment),
        ...shorter.map((beginning) => [...beginning, together]),
        ...shorter.map((beginning) => [...beginning, left]),
      ],
      view.width,
    )
    const decisions =
      data.decisions === undefined ? '' : `\n\n${whyText(data.decisions, view.nowMs)}`
    const unsaved = data.unsaved.map((text) => `\n\n${text}`).join('')
    return `${table}${unsaved}\n\nStrategy: ${data.strategy}. ${data.nextAction}${unreadable}${data.personality.line === '' ? '' : `\n${data.personality.line}`}${settingsText(data.settings, data.settingProblems)}${decisions}`
  },
})

/** What is in force in the folder of the session, and in one line; nothing is read where nothing is chosen. */
async function personalityHere({ config, directory, paths, env }: Runtime) {
  if (namesIn(config.personality).length === 0) return { chosen: [], line: '' }
  const files = createPersonalityFiles(personalityFolders({ paths, env, directory }))
  const lists = createListedTexts(paths.catalogueFile)
  const isHere = isHereIn(directory, paths.home)
  const chosen = await chosenRows(config.personality, isHere, { files, lists })
  return { chosen, line: chosenLine(chosen) }
}

/** Where two columns have no room: `5h 62% 14:20  7d 81% Fri 9:00`. */
function leftUntilCell(row: AccountRow, nowMs: number): readonly TonedText[] {
  return windowsCell(row, undefined, ({ resetsAtMs }) =>
    resetsAtMs === null ? '' : ` ${formatMoment(resetsAtMs, nowMs)}`,
  )
}

function resetsCell(row: AccountRow, moment: Moment): string {
  const texts = row.windows.flatMap((window) =>
    window.resetsAtMs === null ? [] : [`${window.name} ${moment(window.resetsAtMs)}`],
  )
  return texts.length === 0 ? '-' : texts.slice(0, 2).join(', ')
}

function settingsText(
  settings: readonly Pick<SettingRow, 'name' | 'value' | 'source' | 'where' | 'line'>[],
  settingProblems: number,
): string {
  const changed = settings.map(
    (row) => `${row.name} ${JSON.stringify(row.value)} (${originOf(row)})`,
  )
  const wrong =
    settingProblems === 0
      ? ''
      : `\n${counted(settingProblems, 'value')} of the configuration cannot be used: {config}`
  return `${changed.length === 0 ? '' : `\nSettings: ${changed.join(', ')}`}${wrong}`
}

/** The last decisions, newest first. */
function decisionsOf(runtime: Runtime, views: readonly AccountView[], nowMs: number) {
  const nameOf = (uid: string | undefined): string | null =>
    views.find((view) => view.uid === uid)?.name ?? null
  return runtime.decisions
    .recent()
    .slice(0, 10)
    .map((entry) => ({
      atMs: entry.atMs,
      model: entry.model,
      chosen: nameOf(entry.decision.uid),
      reason: entry.decision.reason,
      candidates: entry.explain().map(({ uid, label, eligible, score, reasons }) => ({
        name: nameOf(uid) ?? label,
        eligible,
        score: score ?? null,
        reasons: reasons.map((reason) => reasonText(reason, nowMs)),
      })),
    }))
}

function whyText(decisions: ReturnType<typeof decisionsOf>, nowMs: number): string {
  if (decisions.length === 0) return 'No decision yet in this process.'
  return decisions
    .map((decision) => {
      const head = `${formatAge(nowMs - decision.atMs)}, ${decision.model}: ${decision.chosen ?? 'no account'} (${spelledOut(decision.reason)})`
      const lines = decision.candidates.map(
        (one) =>
          `  ${one.eligible ? '+' : '-'} ${one.name}: ${one.reasons.length === 0 ? 'nothing against it' : one.reasons.join('; ')}`,
      )
      return [head, ...lines].join('\n')
    })
    .join('\n')
}
