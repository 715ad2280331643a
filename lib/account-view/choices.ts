import type { AccountAction } from './actions.js'
import type { AccountView } from './view.js'

/** What a list of actions shows. */
export interface ActionChoice {
  readonly value: 'switch' | 'pin' | 'pin-hard' | 'unpin' | 'toggle'
  readonly title: string
  readonly hint: string
  readonly action: AccountAction
}

/** The actions that would change something for an account in its present state. Pure. @param all every account of the pool */
export function actionChoices(
  { uid: account, enabled, active, pin, needsLogin }: AccountView,
  all: readonly AccountView[],
): readonly ActionChoice[] {
  const offered: ActionChoice[] = []
  const offer = (
    value: ActionChoice['value'],
    title: string,
    hint: string,
    action: AccountAction,
  ): void => void offered.push({ value, title, hint, action })
  const canBeSent = enabled && needsLogin === undefined
  const isPinnedElsewhere = all.some((one) => one.pin !== undefined && one.uid !== account)
  if (canBeSent && isPinnedElsewhere)
    offer('switch', 'Switch to it', 'new sessions go there, and the pin is lifted', {
      do: 'switch',
      account,
    })
  else if (canBeSent && !active)
    offer('switch', 'Switch to it', 'new sessions go there', { do: 'switch', account })
  if (pin !== undefined)
    offer('unpin', 'Lift the pin', 'the strategy chooses again', { do: 'unpin' })
  else if (canBeSent) {
    const pinned = { do: 'pin', account, scope: 'global' } as const
    offer('pin', 'Pin it', 'others help out when it cannot serve', { ...pinned, mode: 'soft' })
    offer('pin-hard', 'Pin it alone', 'no other account serves', { ...pinned, mode: 'hard' })
  }
  if (enabled)
    offer('toggle', 'Disable it', 'it serves nothing until you enable it', {
      do: 'disable',
      account,
    })
  else offer('toggle', 'Enable it', 'it may serve again', { do: 'enable', account })
  return offered
}
