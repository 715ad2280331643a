import type { AccountView } from '../../account-view/view.js'
import type { AccountPool } from '../../accounts/account.js'
import { moveDamagedAside } from '../../accounts/store/adopt.js'
import { type ForeignSource, titleOf } from '../../transfer/sources.js'
import { unreadableRecords, unreadableText } from '../../accounts/store/unreadable.js'
import { counted } from '../../kernel/text/plural.js'
import { cut } from '../../kernel/text/table.js'
import { viewsOf } from '../../tools/account-rows.js'
import { type Removal, undoRemoval } from '../../tools/accounts/undo-removal.js'
import { codexImport } from '../../tools/backup/codex-import.js'
import { contextOf } from '../tool-command.js'
import { accountLines, statusText } from './account-lines.js'
import { accountMenu, readLimits } from './account-menu.js'
import { type MenuContext, sayError } from './menu-context.js'
import type { Choice } from './prompts.js'
import { signInByMenu } from './sign-in-menu.js'

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
    const moved = await moveDamagedAside(runtime.store)
    if (moved !== undefined) prompts.say('warning', moved)
    const pool = await runtime.store.read()
    const views = viewsOf(runtime, pool)
    const choices = menuChoices(views, removals.at(-1), runtime.clock.now())
    const title =
      views.length === 0
        ? 'No account is signed in (Esc leaves)'
        : `${counted(views.length, 'account')} (percent left; Esc leaves)`
    const unreadable = unreadableText(unreadableRecords(pool).length)
    if (unreadable !== '') prompts.say('warning', unreadable)
    const target = await prompts.choose(title, choices, {
      at: choices.some(({ value }) => value === at) ? at : undefined,
      search: views.length > SEARCH_ABOVE,
    })
    if (target === undefined || target === 'quit') break
    at = target
    try {
      await act(menu, target, pool, views, removals)
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
  views: readonly AccountView[],
  removal: Removal | undefined,
  nowMs: number,
): readonly Choice<Target>[] {
  const one = (value: Target, label: string): Choice<Target> => ({ value, label: () => label })
  // Every redraw asks each line for its label; all of them are made at once.
  let made: { readonly width: number; readonly lines: readonly string[] } | undefined
  const linesFor = (width: number): readonly string[] => {
    if (made?.width !== width) made = { width, lines: accountLines(views, width, nowMs) }
    return made.lines
  }
  return [
    ...views.map((view, place): Choice<Target> => ({
      value: `account:${view.uid}`,
      label: (width) => linesFor(width)[place] ?? '',
      search: [
        view.name,
        view.plan ?? '',
        statusText(view, nowMs),
        ...view.tags,
        view.note ?? '',
      ].join(' '),
    })),
    ...(removal === undefined ? [] : [one('undo', `Undo: put ${removal.name} back`)]),
    one('add', 'Add an account'),
    ...(views.length === 0 ? [] : [one('limits', 'Read all limits now')]),
    one('import', 'Import from another program or a file'),
    one('quit', 'Quit'),
  ]
}

async function act(
  menu: MenuContext,
  target: Exclude<Target, 'quit'>,
  pool: AccountPool,
  views: readonly AccountView[],
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
      prompts.say('done', await undoRemoval(runtime, removal))
      removals.pop()
      return
    }
    default: {
      const view = views.find(({ uid }) => target === `account:${uid}`)
      const account = pool.accounts.find(({ uid }) => uid === view?.uid)
      if (account === undefined || view === undefined) return
      const removal = await accountMenu(menu, account, view, views)
      if (removal !== undefined) removals.push(removal)
    }
  }
}

/** Shows what would be taken over from where, and takes it over after a yes. */
export async function importAccounts(menu: MenuContext): Promise<void> {
  const { runtime, io, prompts } = menu
  const { found } = await codexImport.run(runtime, { dryRun: true }, contextOf(io))
  const sources = [...new Set(found.map(({ source }) => source))].filter(
    (source) => source !== 'file',
  )
  if (sources.length === 0) return importFile(menu)
  const choices: Choice<ForeignSource | 'file'>[] = [
    ...sources.map((source): Choice<ForeignSource | 'file'> => {
      const names = found.filter((one) => one.source === source).map(({ account }) => account)
      return {
        value: source,
        label: (width) => cut(`${titleOf(source)}: ${names.join(', ')}`, width),
      }
    }),
    { value: 'file', label: () => 'A file' },
  ]
  const chosen = await prompts.choose('Where are the accounts?', choices)
  if (chosen === 'file') return importFile(menu)
  if (chosen !== undefined) await previewAndImport(menu, { from: chosen })
}

async function importFile(menu: MenuContext): Promise<void> {
  const { prompts } = menu
  const typed = await prompts.line('File (an export or a copy from the backups folder)', {
    validate: (text) => (text.trim() === '' ? 'Type the path of a file, or press Esc.' : undefined),
  })
  if (typed === undefined) return
  await previewAndImport(menu, { path: typed.trim() })
}

async function previewAndImport(
  { runtime, io, prompts }: MenuContext,
  source: { readonly path?: string; readonly from?: ForeignSource },
): Promise<void> {
  const preview = await codexImport.run(runtime, { ...source, dryRun: true }, contextOf(io))
  if (preview.added + preview.updated === 0) {
    prompts.say('info', preview.message)
    return
  }
  if (preview.found.some(({ shared }) => shared)) prompts.say('warning', preview.message)
  const question = `${preview.added} would be added and ${preview.updated} updated. Import?`
  if ((await prompts.confirm(question)) !== true) return
  // What another program uses too was named above: the answer is the confirmation that the tool asks for.
  const args = { ...source, confirm: true, dryRun: false }
  const { message } = await codexImport.run(runtime, args, contextOf(io))
  prompts.say('done', message)
}
