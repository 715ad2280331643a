import type { TuiPluginApi } from '@opencode-ai/plugin/tui'
import { createComponent } from '@opentui/solid'

import type { AccountStore } from '../accounts/store-types.js'
import { messageOf } from '../kernel/errors.js'
import { accountDetails, historyOf } from './account-details.js'
import { type Action, changed } from './dialog-actions.js'
import type { AccountView, PoolView } from './pool-view.js'
import { readLimits } from './read-limits.js'
import { accountSummary } from './status-line.js'

/** What the dialog needs. */
export interface DialogDeps {
  readonly api: Pick<TuiPluginApi, 'ui'>
  readonly view: () => PoolView | undefined
  readonly store: AccountStore
  /** For the forecast and the last use. */
  readonly historyFile: string
  readonly now: () => number
}

/** Opens the list of accounts; choosing one opens what can be done with it. Costs no model turn and no network. */
export function openAccountsDialog(deps: DialogDeps): void {
  const { api } = deps
  const accounts = deps.view()?.accounts ?? []
  if (accounts.length === 0) {
    api.ui.toast({
      variant: 'info',
      title: 'Codex accounts',
      message: 'No account is signed in. Run: opencode auth login',
    })
    return
  }
  api.ui.dialog.replace(() =>
    createComponent(api.ui.DialogSelect<string>, {
      title: 'Codex accounts',
      options: accounts.map((account) => ({
        title: `${account.number} ${account.name}${account.isActive ? ' (active)' : ''}`,
        value: account.uid,
        description: accountSummary(account, deps.now()),
      })),
      onSelect: ({ value }) => {
        const account = accounts.find(({ uid }) => uid === value)
        if (account !== undefined) openActions(deps, account)
      },
    }),
  )
}

function openActions(deps: DialogDeps, account: AccountView): void {
  const { api } = deps
  const options: { title: string; value: Action | 'details' | 'read'; description: string }[] = [
    { title: 'Switch to it', value: 'switch', description: 'new sessions go there' },
    { title: 'Pin it', value: 'pin', description: 'others help out only when it cannot serve' },
    { title: 'Lift the pin', value: 'unpin', description: 'let the strategy choose' },
    {
      title: account.enabled ? 'Disable it' : 'Enable it',
      value: 'toggle',
      description: account.enabled ? 'it serves nothing until you enable it' : 'it may serve again',
    },
    { title: 'Details', value: 'details', description: 'windows, blocks, pace, pools' },
    { title: 'Read the limits now', value: 'read', description: 'asks the backend what is left' },
  ]
  api.ui.dialog.replace(() =>
    createComponent(api.ui.DialogSelect<Action | 'details' | 'read'>, {
      title: `${account.number} ${account.name}`,
      options,
      onSelect: ({ value }) => {
        if (value === 'details') {
          void openDetails(deps, account)
          return
        }
        api.ui.dialog.clear()
        if (value === 'read') {
          readNow(deps, account)
          return
        }
        deps.store
          .update((pool) => changed(pool, account.uid, value))
          .then(
            () =>
              api.ui.toast({
                variant: 'success',
                title: 'Codex accounts',
                message: said(account, value),
              }),
            (error: unknown) =>
              api.ui.toast({
                variant: 'error',
                title: 'Codex accounts',
                message: messageOf(error),
              }),
          )
      },
    }),
  )
}

async function openDetails(deps: DialogDeps, known: AccountView): Promise<void> {
  const { api } = deps
  const history = await historyOf(deps.historyFile, known.uid)
  const account = deps.view()?.accounts.find(({ uid }) => uid === known.uid) ?? known
  api.ui.dialog.replace(() =>
    createComponent(api.ui.DialogSelect<number>, {
      title: `${account.number} ${account.name}`,
      options: accountDetails(account, history, deps.now()).map(({ title, text }, index) => ({
        title,
        value: index,
        description: text,
      })),
      onSelect: () => openActions(deps, account),
    }),
  )
}

function readNow({ api }: DialogDeps, { uid, number, name }: AccountView): void {
  const title = 'Codex accounts'
  api.ui.toast({
    variant: 'info',
    title,
    message: `Reading the limits of account ${number} (${name}).`,
  })
  readLimits(uid).then(
    () =>
      api.ui.toast({
        variant: 'success',
        title,
        message: `The limits of account ${number} (${name}) are up to date.`,
      }),
    (error: unknown) => api.ui.toast({ variant: 'error', title, message: messageOf(error) }),
  )
}

function said({ number, name, enabled }: AccountView, action: Action): string {
  switch (action) {
    case 'switch':
      return `New sessions go to account ${number} (${name}).`
    case 'pin':
      return `Account ${number} (${name}) is pinned.`
    case 'unpin':
      return 'The pin is lifted.'
    case 'toggle':
      return `Account ${number} (${name}) is ${enabled ? 'disabled' : 'enabled'}.`
  }
}
