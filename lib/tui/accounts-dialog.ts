import type { TuiPluginApi } from '@opencode-ai/plugin/tui'
import type { createComponent } from '@opentui/solid'

import { type AccountAction, performAction } from '../account-view/actions.js'
import { actionChoices } from '../account-view/choices.js'
import { accountDetails } from '../account-view/details.js'
import type { AccountView } from '../account-view/view.js'
import type { HistoryEntry } from '../history/entries.js'
import { parseLines } from '../history/lines.js'
import { isCodexError, messageOf } from '../kernel/errors.js'
import { MAX_FOREIGN_BYTES, readBoundedFile } from '../kernel/files/bounded-file.js'
import type { PoolView } from './pool-view.js'
import { readLimits } from './read-limits.js'
import { accountSummary } from './status-line.js'

/** What the dialog needs. */
export interface DialogDeps {
  readonly api: Pick<TuiPluginApi, 'ui'>
  /** The host's own; not installed anywhere else. */
  readonly createComponent: typeof createComponent
  readonly view: () => PoolView | undefined
  /** The pool that actions change. */
  readonly target: Parameters<typeof performAction>[0]
  /** For the forecast and the last use. */
  readonly historyFile: string
  readonly now: () => number
}

/** Opens the list of accounts; choosing one opens what can be done with it. Costs no model turn and no network. */
export function openAccountsDialog(deps: DialogDeps): void {
  const accounts = deps.view()?.accounts ?? []
  if (accounts.length === 0) {
    toast(deps, 'info', 'No account is signed in. Run: opencode auth login')
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
      void openDetails(deps, account, all)
      return
    }
    deps.api.ui.dialog.clear()
    const action = choices.find((choice) => choice.value === value)?.action
    if (action === undefined) readNow(deps, account)
    else perform(deps, action)
  })
}

function perform(deps: DialogDeps, action: AccountAction): void {
  performAction(deps.target, action).then(
    ({ message }) => toast(deps, 'success', message),
    (error: unknown) => toast(deps, 'error', errorText(error)),
  )
}

async function openDetails(
  deps: DialogDeps,
  known: AccountView,
  all: readonly AccountView[],
): Promise<void> {
  const history = await historyOf(deps.historyFile, known.uid)
  const account = deps.view()?.accounts.find(({ uid }) => uid === known.uid) ?? known
  const options = accountDetails(account, history, deps.now()).map(({ title, text }, index) => ({
    title,
    value: index,
    description: text,
  }))
  select(deps, titleOf(account), options, () => openActions(deps, account, all))
}

/** Readings and turns of an account in the history file; empty when it cannot be read. */
async function historyOf(file: string, uid: string): Promise<readonly HistoryEntry[]> {
  const text = (await readBoundedFile(file, MAX_FOREIGN_BYTES).catch(() => '')) ?? ''
  return parseLines(text, (line) => line.includes(uid) && /"(?:reading|turn)"/.test(line))
}

function readNow(deps: DialogDeps, { uid, index, name }: AccountView): void {
  const which = `limits of account ${index} (${name})`
  toast(deps, 'info', `Reading the ${which}.`)
  readLimits(uid).then(
    () => toast(deps, 'success', `The ${which} are up to date.`),
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
  api.ui.toast({ variant, title: 'Codex accounts', message })
}

function errorText(error: unknown): string {
  const hint = isCodexError(error) ? error.hint : ''
  return hint === '' ? messageOf(error) : `${messageOf(error)} ${hint}`
}

function titleOf({ index, name }: AccountView): string {
  return `${index} ${name}`
}
