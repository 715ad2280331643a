import type { TuiPluginApi } from '@opencode-ai/plugin/tui'
import type { createComponent } from '@opentui/solid'

import { actionChoices } from '../account-view/choices.js'
import type { AccountView } from '../account-view/view.js'
import { isCodexError, messageOf } from '../kernel/errors.js'
import { commandsIn } from '../kernel/text/command-words.js'
import type { DialogChunk, Where } from './dialog-chunk.js'
import type { PoolView } from './pool-view.js'
import { accountSummary } from './status-line.js'

/** What the dialog needs. */
export interface DialogDeps {
  readonly api: Pick<TuiPluginApi, 'ui'>
  /** The host's own; not installed anywhere else. */
  readonly createComponent: typeof createComponent
  readonly view: () => PoolView | undefined
  readonly where: Where
  /** What choosing something takes. */
  readonly chunk: () => Promise<DialogChunk>
  /** For the forecast and the last use. */
  readonly historyFile: string
  readonly now: () => number
}

/** Opens the list of accounts; choosing one opens what can be done with it. Costs no model turn and no network. */
export function openAccountsDialog(deps: DialogDeps): void {
  const accounts = deps.view()?.accounts ?? []
  if (accounts.length === 0) {
    toast(deps, 'info', 'No account is signed in. Run: {login}')
    return
  }
  const options = accounts.map((account) => ({
    title: `${account.index} ${account.name}${account.active ? ' (active)' : ''}`,
    value: account.uid,
    description: accountSummary(account, deps.now()),
  }))
  select(deps, 'Codex accounts', options, (uid) => {
    const account = accounts.find((one) => one.uid === uid)
    if (account !== undefined) openActions(deps, account, accounts)
  })
}

function openActions(deps: DialogDeps, account: AccountView, all: readonly AccountView[]): void {
  const choices = actionChoices(account, all)
  const options = [
    ...choices.map(({ value, title, hint }) => ({ title, value, description: hint })),
    { title: 'Details', value: 'details', description: 'windows, blocks, pace, pools' },
    ...(account.kind === 'api-key'
      ? []
      : [
          {
            title: 'Read the limits now',
            value: 'read',
            description: 'asks the backend what is left',
          },
        ]),
  ]
  select<string>(deps, titleOf(account), options, (value) => {
    if (value === 'details') {
      openDetails(deps, account, all).catch((error: unknown) =>
        toast(deps, 'error', errorText(error)),
      )
      return
    }
    deps.api.ui.dialog.clear()
    const action = choices.find((choice) => choice.value === value)?.action
    if (action === undefined) readNow(deps, account)
    else run(deps, async ({ performNow }) => performNow(action, deps.where))
  })
}

async function openDetails(
  deps: DialogDeps,
  known: AccountView,
  all: readonly AccountView[],
): Promise<void> {
  const account = deps.view()?.accounts.find(({ uid }) => uid === known.uid) ?? known
  const { detailsNow } = await deps.chunk()
  const details = await detailsNow(account, deps.historyFile, deps.now())
  const options = details.map(({ title, text }, index) => ({
    title,
    value: index,
    description: text,
  }))
  select(deps, titleOf(account), options, () => openActions(deps, account, all))
}

function readNow(deps: DialogDeps, { uid, index, name }: AccountView): void {
  const which = `limits of account ${index} (${name})`
  toast(deps, 'info', `Reading the ${which}.`)
  run(deps, async ({ readLimitsNow }) => {
    await readLimitsNow(uid, deps.where)
    return `The ${which} are up to date.`
  })
}

/** Its sentence, or why there is none, is one toast. */
function run(deps: DialogDeps, work: (chunk: DialogChunk) => Promise<string>): void {
  deps
    .chunk()
    .then(work)
    .then(
      (message) => toast(deps, 'success', message),
      (error: unknown) => toast(deps, 'error', errorText(error)),
    )
}

function select<Value>(
  { api, createComponent: create }: DialogDeps,
  title: string,
  options: { title: string; value: Value; description: string }[],
  onChosen: (value: Value) => void,
): void {
  api.ui.dialog.replace(() =>
    create(api.ui.DialogSelect<Value>, {
      title,
      options,
      onSelect: ({ value }) => onChosen(value),
    }),
  )
}

function toast({ api }: DialogDeps, variant: 'info' | 'success' | 'error', message: string): void {
  api.ui.toast({ variant, title: 'Codex accounts', message: commandsIn(message, 'tui') })
}

function errorText(error: unknown): string {
  const hint = isCodexError(error) ? error.hint : ''
  return hint === '' ? messageOf(error) : `${messageOf(error)} ${hint}`
}

function titleOf({ index, name }: AccountView): string {
  return `${index} ${name}`
}
