import * as z from 'zod'

import { adopt, moveDamagedAside } from '../../accounts/store/adopt.js'
import { writeBackup } from '../../accounts/store/backups.js'
import { backupsDirOf } from '../../accounts/store/pool-file.js'
import { poolText } from '../../accounts/keychain/seal.js'
import { FOREIGN_SOURCES } from '../../transfer/sources.js'
import { CodexError, isCodexError } from '../../kernel/errors.js'
import { givenPath } from '../../kernel/files/given-path.js'
import { renderTable } from '../../kernel/text/table.js'
import { agreeing, defineTool } from '../definition.js'
import {
  type ImportPlan,
  type ImportRequest,
  type ImportRow,
  type ImportSearch,
  planImport,
  searchAccounts,
} from '../../transfer/import.js'
import { ownPlace } from '../user-acts.js'
import {
  type Configuration,
  configurationFor,
  configurationText,
  foundConfiguration,
  takeOver,
} from './their-configuration.js'

export const codexImport = defineTool({
  name: 'import',
  group: 'Backup and secrets',
  summary:
    'Take accounts over from a backup or from another program, from opencode-codex-auth also its configuration; without arguments it lists what is on this machine.',
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
      .describe('needed to replace, for logins another program uses, and for its configuration')
      .optional(),
  },
  positional: ['path'],
  userOnly: ['confirm'],
  ownFiles: ['path'],
  multiline: ['message'],
  async run(runtime, { dryRun = false, confirm = false, mode = 'merge', ...asked }, context) {
    const isList = asked.path === undefined && asked.from === undefined
    const named =
      asked.path !== undefined && context.caller === 'model'
        ? await ownPlace(runtime.paths, asked.path, 'import')
        : asked.path
    const wish = wishOf(named, asked.from, mode, {
      directory: context.directory,
      home: runtime.paths.home,
    })
    const configuration = await configurationFor(runtime, wish)
    const search = await searchAccounts(runtime, wish, context.directory).catch((error: unknown) =>
      withoutAccounts(error, configuration),
    )
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
    /** @param backup copy of the pool before; null when nothing was changed */
    const answer = (isDry: boolean, accounts: number, backup: string | null, message: string) => ({
      /** The file, or null when the usual places of programs were searched. */
      path: 'file' in wish ? (wish.file ?? null) : null,
      mode,
      dryRun: isDry,
      found: rows,
      /** Files that are there and could not be taken. */
      problems: [...search.problems, ...foundConfiguration(configuration).problems],
      /** Null where no configuration of the program was found. */
      configuration: foundConfiguration(configuration).shown,
      added,
      updated,
      unchanged,
      removed,
      total: accounts,
      backup,
      message,
    })
    const counts = `${added} added, ${updated} updated, ${unchanged} unchanged, ${removed} removed`
    const shared = sharedText(rows)
    const needed = [
      ...(mode === 'replace' && removed > 0 ? ['to replace'] : []),
      ...(rows.some((row) => row.shared && row.here !== 'same') ? ['to import it anyway'] : []),
      ...(foundConfiguration(configuration).changes ? ['to take its configuration over'] : []),
    ]
    const asksFirst = needed.length > 0 && !confirm
    if (dryRun || isList || asksFirst) {
      const how = isList
        ? context.agreeBy === undefined
          ? ' To import, name the program: --from.'
          : ''
        : asksFirst && !dryRun
          ? ` ${agreeing(context, true)} ${needed.join(' and ')}.`
          : ''
      const message =
        isList && rows.length === 0
          ? 'No login of another program was found on this machine.'
          : `Would be: ${counts}. Nothing was changed.${shared}${how}`
      return answer(true, planned.accounts.length, null, said(moved) + message)
    }
    const settings = await takeOver(configuration, runtime.clock.now())
    if (added + updated + removed === 0)
      return answer(
        false,
        before.accounts.length,
        null,
        `${said(moved)}${counts}.${settings}${shared}`,
      )
    const backup =
      before.accounts.length === 0
        ? null
        : await writeBackup(
            backupsDirOf(runtime.store.path),
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
    const copy = backup === null ? '' : ` The pool before is in ${backup}.`
    const message = `${said(notice)}${counts}.${copy}${settings}${elsewhere}`
    return answer(false, pool.accounts.length, backup, message)
  },
  render(data, view) {
    const problems = data.problems.map((problem) => `\n${problem}`).join('')
    const settings = configurationText(data.configuration, view.width)
    if (!data.dryRun || data.found.length === 0) return `${settings}${data.message}${problems}`
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
    return `${table}\n\n${settings}${data.message}${problems}`
  },
})

/** A program may have left a configuration and no login: that is worth taking over too. */
function withoutAccounts(error: unknown, configuration: Configuration): ImportSearch {
  const { shown, problems } = foundConfiguration(configuration)
  if (!isCodexError(error)) throw error
  if (shown !== null) return { found: [], problems: [error.message] }
  if (problems.length === 0) throw error
  throw new CodexError(error.code, [...problems, error.message].join('\n'), {
    cause: error,
    hint: error.hint,
  })
}

function wishOf(
  wanted: string | undefined,
  from: ImportRequest['source'] | undefined,
  mode: 'merge' | 'replace',
  place: { readonly directory: string; readonly home: string },
): ImportRequest {
  const file = wanted === undefined ? undefined : givenPath(wanted, place)
  const source = from ?? (file === undefined ? 'all' : 'file')
  const refused = (why: string): CodexError =>
    new CodexError('invalid_input', why, { hint: 'Nothing was changed.' })
  if (source === 'all') {
    if (file !== undefined) throw refused('A search of all programs takes no path.')
    if (mode === 'replace') throw refused('Replacing needs one source; name it with from.')
    return { source }
  }
  if (source !== 'file') return { source, file }
  if (file === undefined) throw refused('Argument path: name the file.')
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
  return ` ${what} also kept by ${who}: a refresh token works once, so the first refresh here ends the sign-in there, or the other way round. Stop using it there, or sign in here on its own: {login}.`
}
