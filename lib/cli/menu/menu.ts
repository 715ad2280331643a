import type { AccountPool } from '../../accounts/account.js'
import { clearedOfDamage } from '../../accounts/adopt.js'
import { type ForeignSource, SOURCE_TITLES } from '../../accounts/sources/places.js'
import { unreadableRecords, unreadableText } from '../../accounts/unreadable.js'
import { cut } from '../../kernel/table.js'
import { type AccountRow, accountRows } from '../../tools/account-row.js'
import { codexImport } from '../../tools/codex-import.js'
import { contextOf } from '../tool-command.js'
import { accountLines } from './account-lines.js'
import { accountMenu, readLimits } from './account-menu.js'
import type { MenuContext } from './context.js'
import type { Choice } from './prompts.js'
import { sayError } from './say-error.js'
import { signInByMenu } from './sign-in-menu.js'
import { type Removal, undoRemoval } from './undo.js'

type Target = `account:${string}` | 'add' | 'limits' | 'import' | 'undo' | 'quit'

/** More accounts than this get a search field. */
const SEARCH_ABOVE = 8

/**
 * The menu of all accounts, until the user leaves. What goes wrong in it is said in it.
 * @returns the exit code: 0, or 130 after Ctrl-C
 */
export async function runMenu(menu: MenuContext): Promise<number> {
  const { runtime, prompts } = menu
  const removals: Removal[] = []
  let at: Target | undefined
  for (;;) {
    await runtime.ledger.load()
    const moved = await clearedOfDamage(runtime.store)
    if (moved !== undefined) prompts.say('warning', moved)
    const pool = await runtime.store.read()
    const rows = accountRows(runtime, pool, { includeSensitive: false })
    const choices = menuChoices(pool, rows, removals.at(-1))
    const count = rows.length === 1 ? '1 account' : `${rows.length} accounts`
    const title =
      rows.length === 0
        ? 'No account is signed in (Esc leaves)'
        : `${count} (percent left; Esc leaves)`
    const unreadable = unreadableText(unreadableRecords(pool).length)
    if (unreadable !== '') prompts.say('warning', unreadable)
    const target = await prompts.choose(title, choices, {
      at: choices.some(({ value }) => value === at) ? at : undefined,
      search: rows.length > SEARCH_ABOVE,
    })
    if (target === undefined || target === 'quit') break
    at = target
    try {
      await act(menu, target, pool, rows, removals)
    } catch (error) {
      if (prompts.hasLeft()) break
      sayError(prompts, error)
    }
    if (prompts.hasLeft()) break
  }
  return prompts.hasLeft() ? 130 : 0
}

/** The accounts, and what can be done beside them. Pure. */
export function menuChoices(
  pool: AccountPool,
  rows: readonly AccountRow[],
  removal: Removal | undefined,
): readonly Choice<Target>[] {
  const one = (value: Target, label: string): Choice<Target> => ({ value, label: () => label })
  // Every redraw asks each line for its label; all of them are made at once.
  let made: { readonly width: number; readonly lines: readonly string[] } | undefined
  const linesFor = (width: number): readonly string[] => {
    if (made?.width !== width) made = { width, lines: accountLines(rows, width) }
    return made.lines
  }
  return [
    ...rows.map((row, position): Choice<Target> => ({
      value: `account:${pool.accounts[position]?.uid ?? ''}`,
      label: (width) => linesFor(width)[position] ?? '',
      search: [row.name, row.plan ?? '', row.status, ...row.tags, row.note ?? ''].join(' '),
    })),
    ...(removal === undefined ? [] : [one('undo', `Undo: put ${removal.name} back`)]),
    one('add', 'Add an account'),
    ...(rows.length === 0 ? [] : [one('limits', 'Read all limits now')]),
    one('import', 'Import from another program or a file'),
    one('quit', 'Quit'),
  ]
}

async function act(
  menu: MenuContext,
  target: Exclude<Target, 'quit'>,
  pool: AccountPool,
  rows: readonly AccountRow[],
  removals: Removal[],
): Promise<void> {
  const { runtime, prompts } = menu
  switch (target) {
    case 'add':
      await signInByMenu(menu)
      return
    case 'limits':
      return readLimits(menu)
    case 'import':
      return importAccounts(menu)
    case 'undo': {
      const removal = removals.at(-1)
      if (removal === undefined) return
      await undoRemoval(runtime, removal)
      removals.pop()
      prompts.say('done', `${removal.name} is back.`)
      return
    }
    default: {
      const position = pool.accounts.findIndex(({ uid }) => target === `account:${uid}`)
      const [account, row] = [pool.accounts[position], rows[position]]
      if (account === undefined || row === undefined) return
      const removal = await accountMenu(menu, account, row)
      if (removal !== undefined) removals.push(removal)
    }
  }
}

async function importAccounts(menu: MenuContext): Promise<void> {
  const { runtime, io, prompts } = menu
  const { found } = await codexImport.run(
    runtime,
    { path: undefined, from: undefined, mode: undefined, confirm: undefined, dryRun: true },
    contextOf(io),
  )
  const sources = [...new Set(found.map(({ source }) => source))].filter(
    (source) => source !== 'file',
  )
  if (sources.length === 0) return importFile(menu)
  const choices: Choice<ForeignSource | 'file'>[] = [
    ...sources.map((source): Choice<ForeignSource | 'file'> => {
      const names = found.filter((one) => one.source === source).map(({ account }) => account)
      return {
        value: source,
        label: (width) => cut(`${SOURCE_TITLES[source]}: ${names.join(', ')}`, width),
      }
    }),
    { value: 'file', label: () => 'A file' },
  ]
  const chosen = await prompts.choose('Where are the accounts?', choices)
  if (chosen === 'file') return importFile(menu)
  if (chosen !== undefined) await previewAndImport(menu, { path: undefined, from: chosen })
}

async function importFile(menu: MenuContext): Promise<void> {
  const { runtime, prompts } = menu
  const typed = await prompts.line('File (an export or a copy from the backups folder)', {
    validate: (text) => (text.trim() === '' ? 'Type the path of a file, or press Esc.' : undefined),
  })
  if (typed === undefined) return
  const path = typed.trim().replace(/^~(?=[/\\])/, runtime.paths.home)
  await previewAndImport(menu, { path, from: undefined })
}

async function previewAndImport(
  { runtime, io, prompts }: MenuContext,
  source: { readonly path: string | undefined; readonly from: ForeignSource | undefined },
): Promise<void> {
  const args = { ...source, mode: undefined, confirm: undefined }
  const preview = await codexImport.run(runtime, { ...args, dryRun: true }, contextOf(io))
  if (preview.added + preview.updated === 0) {
    prompts.say('info', preview.message)
    return
  }
  if (preview.found.some(({ shared }) => shared)) prompts.say('warning', preview.message)
  if (
    (await prompts.confirm(
      `${preview.added} would be added and ${preview.updated} updated. Import?`,
    )) !== true
  )
    return
  // What another program uses too was named above: the answer is the confirmation that the tool asks for.
  const { message } = await codexImport.run(
    runtime,
    { ...args, confirm: true, dryRun: false },
    contextOf(io),
  )
  prompts.say('done', message)
}
