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
  { uid, enabled, active, pin }: AccountView,
  all: readonly AccountView[],
): readonly ActionChoice[] {
  const isPinnedElsewhere = all.some((one) => one.pin !== undefined && one.uid !== uid)
  const choices: readonly (ActionChoice & { readonly isOffered: boolean })[] = [
    {
      isOffered: enabled && (!active || isPinnedElsewhere),
      value: 'switch',
      title: 'Switch to it',
      hint: isPinnedElsewhere
        ? 'new sessions go there, and the pin is lifted'
        : 'new sessions go there',
      action: { do: 'switch', account: uid },
    },
    {
      isOffered: pin !== undefined,
      value: 'unpin',
      title: 'Lift the pin',
      hint: 'the strategy chooses again',
      action: { do: 'unpin' },
    },
    {
      isOffered: enabled && pin === undefined,
      value: 'pin',
      title: 'Pin it',
      hint: 'others help out when it cannot serve',
      action: { do: 'pin', account: uid, mode: 'soft', scope: 'global' },
    },
    {
      isOffered: enabled && pin === undefined,
      value: 'pin-hard',
      title: 'Pin it alone',
      hint: 'no other account serves',
      action: { do: 'pin', account: uid, mode: 'hard', scope: 'global' },
    },
    {
      isOffered: true,
      value: 'toggle',
      title: enabled ? 'Disable it' : 'Enable it',
      hint: enabled ? 'it serves nothing until you enable it' : 'it may serve again',
      action: { do: enabled ? 'disable' : 'enable', account: uid },
    },
  ]
  return choices.flatMap(({ isOffered, ...choice }) => (isOffered ? [choice] : []))
}
