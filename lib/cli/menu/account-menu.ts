import type { Account } from '../../accounts/account.js'
import type { AccountRow } from '../../tools/account-row.js'
import { codexLabel } from '../../tools/codex-label.js'
import { codexLimits } from '../../tools/codex-limits.js'
import { codexRemove } from '../../tools/codex-remove.js'
import { codexSwitch } from '../../tools/codex-switch.js'
import { codexToggle } from '../../tools/codex-toggle.js'
import { contextOf } from '../tool-command.js'
import { accountDetails } from './account-lines.js'
import type { MenuContext } from './context.js'
import type { Choice } from './prompts.js'
import { signInByMenu } from './sign-in-menu.js'
import { type Removal, undoRemoval } from './undo.js'

type Action =
  | 'switch'
  | 'pin'
  | 'pin-hard'
  | 'unpin'
  | 'toggle'
  | 'label'
  | 'limits'
  | 'details'
  | 'login'
  | 'remove'
  | 'back'

/** What can be done with an account in its present state. Pure. */
export function accountChoices(row: AccountRow): readonly Choice<Action>[] {
  const one = (value: Action, label: string, hint?: string): Choice<Action> => ({
    value,
    label: () => label,
    ...(hint === undefined ? {} : { hint }),
  })
  return [
    ...(row.enabled && !row.active ? [one('switch', 'Switch to it', 'new sessions go there')] : []),
    ...(row.pinned
      ? [one('unpin', 'Lift the pin', 'the strategy chooses again')]
      : row.enabled
        ? [
            one('pin', 'Pin it', 'others help out when it cannot serve'),
            one('pin-hard', 'Pin it alone', 'nobody else serves'),
          ]
        : []),
    row.enabled
      ? one('toggle', 'Disable it', 'it serves nothing until you enable it')
      : one('toggle', 'Enable it', 'it may serve again'),
    one('label', 'Name it'),
    ...(row.kind === 'oauth' ? [one('limits', 'Read its limits now')] : []),
    one('details', 'Show details'),
    ...(row.kind === 'oauth' ? [one('login', 'Sign in again')] : []),
    one('remove', 'Remove it', 'asks first, and can be undone'),
    one('back', 'Back'),
  ]
}

/** The menu of one account. @returns the removal that can be undone, if it was removed */
export async function accountMenu(
  menu: MenuContext,
  account: Account,
  row: AccountRow,
): Promise<Removal | undefined> {
  const { runtime, io, prompts } = menu
  const { uid } = account
  const context = contextOf(io)
  const say = ({ message }: { readonly message: string }): void => prompts.say('done', message)
  const title = `${row.index} ${row.name}: ${row.status}${row.pinned ? ', pinned' : ''}`
  switch (await prompts.choose(title, accountChoices(row))) {
    case 'switch':
      say(
        await codexSwitch.run(runtime, { account: uid, pin: undefined, scope: undefined }, context),
      )
      return undefined
    case 'pin':
      say(await codexSwitch.run(runtime, { account: uid, pin: 'soft', scope: undefined }, context))
      return undefined
    case 'pin-hard':
      say(await codexSwitch.run(runtime, { account: uid, pin: 'hard', scope: undefined }, context))
      return undefined
    case 'unpin':
      say(
        await codexSwitch.run(
          runtime,
          { account: undefined, pin: undefined, scope: undefined },
          context,
        ),
      )
      return undefined
    case 'toggle':
      say(await codexToggle.run(runtime, { account: uid, enabled: !row.enabled }, context))
      return undefined
    case 'label': {
      const label = await prompts.line('Name (empty removes it)', {
        initial: account.accountLabel ?? '',
      })
      if (label !== undefined) say(await codexLabel.run(runtime, { account: uid, label }, context))
      return undefined
    }
    case 'limits':
      await readLimits(menu, uid)
      return undefined
    case 'details':
      prompts.say('info', accountDetails(row, runtime.clock.now()))
      return undefined
    case 'login':
      await signInByMenu(menu, account)
      return undefined
    case 'remove':
      return removeWithUndo(menu, uid)
    case 'back':
    case undefined:
      return undefined
  }
}

/** Asks the backend for new readings of one account, or of all. */
export async function readLimits(
  { runtime, io, prompts }: MenuContext,
  uid?: string,
): Promise<void> {
  const { accounts } = await prompts.waitFor('Asking for what is left', (signal, progress) =>
    codexLimits.run(
      runtime,
      { account: uid, cached: undefined },
      { ...contextOf(io), signal, progress },
    ),
  )
  for (const { index, name, error } of accounts)
    if (error !== null) prompts.say('warning', `${index} ${name}: ${error}`)
  const read = accounts.filter(({ error }) => error === null).length
  if (read > 0)
    prompts.say('done', `What is left is new for ${read} account${read === 1 ? '' : 's'}.`)
}

async function removeWithUndo(
  { runtime, io, prompts }: MenuContext,
  uid: string,
): Promise<Removal | undefined> {
  const context = contextOf(io)
  const { account: name, remaining } = await codexRemove.run(
    runtime,
    { account: uid, confirm: undefined },
    context,
  )
  const last = remaining === 1 ? ' It is the last one.' : ''
  if (
    (await prompts.confirm(`Remove ${name}?${last} Its login here ends; a copy is kept.`)) !== true
  )
    return undefined
  const { backup, remaining: left } = await codexRemove.run(
    runtime,
    { account: uid, confirm: true },
    context,
  )
  if (backup === null) return undefined
  const removal = { uid, name, backup }
  const next = await prompts.choose(`${name} was removed; ${left} left.`, [
    { value: 'go-on', label: () => 'Go on' },
    { value: 'undo', label: () => 'Undo: put it back' },
  ])
  if (next !== 'undo') return removal
  await undoRemoval(runtime, removal)
  prompts.say('done', `${name} is back.`)
  return undefined
}
