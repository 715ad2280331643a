import { performAction } from '../../account-view/actions.js'
import { actionChoices } from '../../account-view/choices.js'
import { accountDetails } from '../../account-view/details.js'
import type { AccountView } from '../../account-view/view.js'
import type { Account } from '../../accounts/account.js'
import { dropUndefined } from '../../kernel/drop-undefined.js'
import { counted } from '../../kernel/text/plural.js'
import { codexLimits } from '../../tools/daily/codex-limits.js'
import { codexRemove } from '../../tools/accounts/codex-remove.js'
import { type Removal, undoRemoval } from '../../tools/accounts/undo-removal.js'
import { contextOf } from '../tool-command.js'
import { detailLines, statusText } from './account-lines.js'
import type { MenuContext } from './menu-context.js'
import type { Choice } from './prompts.js'
import { signInByMenu } from './sign-in-menu.js'

/** What can be done with an account in its present state. Pure. */
export function accountChoices(
  view: AccountView,
  all: readonly AccountView[],
): readonly Choice<string>[] {
  const one = (value: string, title: string, hint?: string): Choice<string> =>
    dropUndefined({ value, label: () => title, hint })
  const isLogin = view.kind === 'oauth'
  return [
    ...actionChoices(view, all).map(({ value, title, hint }) => one(value, title, hint)),
    one('label', 'Name it'),
    ...(isLogin ? [one('limits', 'Read its limits now')] : []),
    one('details', 'Show details'),
    ...(isLogin ? [one('login', 'Sign in again')] : []),
    one('remove', 'Remove it', 'asks first, and can be undone'),
    one('back', 'Back'),
  ]
}

/** The menu of one account. @returns the removal that can be undone, if it was removed */
export async function accountMenu(
  menu: MenuContext,
  account: Account,
  view: AccountView,
  all: readonly AccountView[],
): Promise<Removal | undefined> {
  const { runtime, prompts } = menu
  const { uid } = account
  const nowMs = runtime.clock.now()
  const title = `${view.index} ${view.name}: ${statusText(view, nowMs)}`
  const chosen = await prompts.choose(title, accountChoices(view, all))
  const action = actionChoices(view, all).find(({ value }) => value === chosen)?.action
  if (action !== undefined) {
    prompts.say('done', (await performAction(runtime, action)).message)
    return undefined
  }
  switch (chosen) {
    case 'label': {
      const initial = account.accountLabel ?? ''
      const text = await prompts.line('Name (empty removes it)', { initial })
      if (text === undefined) return undefined
      const { message } = await performAction(runtime, { do: 'label', account: uid, text })
      prompts.say('done', message)
      return undefined
    }
    case 'limits':
      await readLimits(menu, uid)
      return undefined
    case 'details':
      prompts.say('info', detailLines(accountDetails(view, await runtime.history.read(), nowMs)))
      return undefined
    case 'login':
      await signInByMenu(menu, account)
      return undefined
    case 'remove':
      return removeWithUndo(menu, uid)
    default:
      return undefined
  }
}

/** Asks the backend for new readings of one account, or of all. */
export async function readLimits(
  { runtime, io, prompts }: MenuContext,
  uid?: string,
): Promise<void> {
  const { accounts } = await prompts.waitFor('Reading the limits', (signal, progress) =>
    codexLimits.run(runtime, { account: uid }, { ...contextOf(io), signal, progress }),
  )
  for (const { index, name, error } of accounts)
    if (error !== null) prompts.say('warning', `${index} ${name}: ${error}`)
  const read = accounts.filter(({ error }) => error === null).length
  if (read > 0) prompts.say('done', `The limits of ${counted(read, 'account')} are up to date.`)
}

async function removeWithUndo(
  { runtime, io, prompts }: MenuContext,
  uid: string,
): Promise<Removal | undefined> {
  const remove = (confirm: boolean): ReturnType<typeof codexRemove.run> =>
    codexRemove.run(runtime, { account: uid, confirm }, contextOf(io))
  const { account, remaining } = await remove(false)
  const name = account ?? uid
  const last = remaining === 1 ? ' It is the last account.' : ''
  const question = `Remove ${name}?${last} It is signed out here; a copy is kept.`
  if ((await prompts.confirm(question)) !== true) return undefined
  const { backup, remaining: left } = await remove(true)
  if (backup === null) return undefined
  const removal = { uid, name, backup }
  const next = await prompts.choose(`${name} was removed; ${left} left.`, [
    { value: 'keep', label: () => 'Continue' },
    { value: 'undo', label: () => 'Undo: put it back' },
  ])
  if (next !== 'undo') return removal
  prompts.say('done', await undoRemoval(runtime, removal))
  return undefined
}
