import path from 'node:path'
import * as z from 'zod'

import { adopt, moveDamagedAside } from '../../accounts/store/adopt.js'
import { writeBackup } from '../../accounts/store/backups.js'
import { poolText } from '../../accounts/store/pool-file.js'
import { FOREIGN_SOURCES } from '../../transfer/sources.js'
import { CodexError } from '../../kernel/errors.js'
import { renderTable } from '../../kernel/text/table.js'
import { defineTool } from '../definition.js'
import {
  type ImportPlan,
  type ImportRequest,
  type ImportRow,
  planImport,
  searchAccounts,
} from '../../transfer/import.js'
import { ownPlace } from '../own-place.js'

interface ImportData {
  /** The file, or null when the usual places of programs were searched. */
  readonly path: string | null
  readonly mode: 'merge' | 'replace'
  readonly dryRun: boolean
  readonly found: readonly ImportRow[]
  /** Files that are there and could not be taken. */
  readonly problems: readonly string[]
  readonly added: number
  readonly updated: number
  readonly unchanged: number
  readonly removed: number
  readonly total: number
  /** Copy of the pool before; null when nothing was changed. */
  readonly backup: string | null
  readonly message: string
}

interface ImportArguments {
  readonly path?: string | undefined
  readonly from?: ImportRequest['source'] | undefined
  readonly mode?: 'merge' | 'replace' | undefined
}

export const codexImport = defineTool({
  name: 'import',
  group: 'Backup and secrets',
  summary:
    'Take accounts over from a backup or from another program; without arguments it lists what is on this machine.',
  risk: 'secret',
  args: {
    path: z.string().describe('the file').optional(),
    from: z
      .enum(['file', ...FOREIGN_SOURCES, 'all'])
      .describe('the program that keeps the logins')
      .optional(),
    mode: z
      .enum(['merge', 'replace'])
      .describe('replace: accounts that are not in the file go')
      .optional(),
    dryRun: z.boolean().optional(),
    confirm: z
      .boolean()
      .describe('needed to replace, and for logins another program uses')
      .optional(),
  },
  positional: ['path'],
  userOnly: ['confirm'],
  ownFiles: ['path'],
  multiline: ['message'],
  async run(
    runtime,
    { dryRun = false, confirm = false, mode = 'merge', ...asked },
    context,
  ): Promise<ImportData> {
    const isList = asked.path === undefined && asked.from === undefined
    const named =
      asked.path !== undefined && context.caller === 'model'
        ? { ...asked, path: await ownPlace(runtime.paths, asked.path, 'import') }
        : asked
    const wish = wishOf({ ...named, mode }, context.directory)
    const search = await searchAccounts(runtime, wish, context.directory)
    // A damaged file must not keep its own backup out.
    const moved = await moveDamagedAside(runtime.store)
    const before = await runtime.store.read()
    const plan = (pool: typeof before): ImportPlan =>
      planImport(pool, search.found, {
        mode,
        maskEmail: !context.includeSensitive,
        nowMs: runtime.clock.now(),
      })
    const { added, updated, unchanged, removed, rows, pool: planned } = plan(before)
    const base = {
      path: 'file' in wish ? (wish.file ?? null) : null,
      mode,
      found: rows,
      problems: search.problems,
      added,
      updated,
      unchanged,
      removed,
    }
    const counts = `${added} added, ${updated} updated, ${unchanged} unchanged, ${removed} removed`
    const shared = sharedText(rows)
    const needed = [
      ...(mode === 'replace' && removed > 0 ? ['to replace'] : []),
      ...(rows.some((row) => row.shared && row.here !== 'same') ? ['to import it anyway'] : []),
    ]
    const asksFirst = needed.length > 0 && !confirm
    if (dryRun || isList || asksFirst) {
      const how = isList
        ? ' To import, name the program: --from.'
        : asksFirst && !dryRun
          ? ` Pass confirm ${needed.join(' and ')}.`
          : ''
      const message =
        isList && rows.length === 0
          ? 'No login of another program was found on this machine.'
          : `Would be: ${counts}. Nothing was changed.${shared}${how}`
      return {
        ...base,
        dryRun: true,
        total: planned.accounts.length,
        backup: null,
        message: said(moved) + message,
      }
    }
    if (added + updated + removed === 0)
      return {
        ...base,
        dryRun: false,
        total: before.accounts.length,
        backup: null,
        message: `${said(moved)}${counts}.${shared}`,
      }
    const backup =
      before.accounts.length === 0
        ? null
        : await writeBackup(
            path.join(path.dirname(runtime.store.path), 'backups'),
            'before-import',
            poolText(before, await runtime.store.key()),
            runtime.clock.now(),
          )
    const { pool, notice = moved } = await adopt(
      runtime.store,
      runtime.clock,
      (current) => plan(current).pool,
    )
    const elsewhere =
      shared !== '' || added + updated === 0 || rows.every((row) => row.login === 'api key')
        ? shared
        : ' A login that is also used elsewhere from this file will be ended there by the next refresh here, or the other way round.'
    return {
      ...base,
      dryRun: false,
      total: pool.accounts.length,
      backup,
      message: `${said(notice)}${counts}.${backup === null ? '' : ` The pool before is in ${backup}.`}${elsewhere}`,
    }
  },
  render(data, view) {
    const problems = data.problems.map((problem) => `\n${problem}`).join('')
    if (!data.dryRun || data.found.length === 0) return `${data.message}${problems}`
    const table = renderTable(
      data.found,
      [
        { title: 'From', value: (row) => row.source },
        { title: 'Account', value: (row) => row.account, priority: 3 },
        { title: 'Login', value: (row) => row.login },
        { title: 'Here', value: (row) => row.here },
        { title: 'File', value: (row) => row.path, priority: 1 },
      ],
      view.width,
    )
    return `${table}\n\n${data.message}${problems}`
  },
})

function wishOf({ path: wanted, from, mode }: ImportArguments, directory: string): ImportRequest {
  const file = wanted === undefined ? undefined : path.resolve(directory, wanted)
  const source = from ?? (file === undefined ? 'all' : 'file')
  if (source === 'all') {
    if (file !== undefined)
      throw new CodexError('invalid_input', 'A search of all programs takes no path.', {
        hint: 'Nothing was changed.',
      })
    if (mode === 'replace')
      throw new CodexError('invalid_input', 'Replacing needs one source; name it with from.', {
        hint: 'Nothing was changed.',
      })
    return { source }
  }
  if (source !== 'file') return { source, file }
  if (file === undefined)
    throw new CodexError('invalid_input', 'Argument path: name the file.', {
      hint: 'Nothing was changed.',
    })
  return { source, file }
}

function said(notice: string | undefined): string {
  return notice === undefined ? '' : `${notice}\n`
}

/** A refresh token works once: what two programs do with the same one ends the sign-in of the slower. */
function sharedText(rows: readonly ImportRow[]): string {
  const shared = rows.filter((row) => row.shared)
  if (shared.length === 0) return ''
  const who = [
    ...new Set(
      shared.map((row) => (row.source === 'file' ? 'the program of that file' : row.source)),
    ),
  ].join(', ')
  const what = shared.length === 1 ? 'One login is' : `${shared.length} logins are`
  return ` ${what} also kept by ${who}: a refresh token works once, so the first refresh here ends the sign-in there, or the other way round. Stop using it there, or sign in here on its own: opencode auth login.`
}
