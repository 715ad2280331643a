import { type ActionChoice, actionChoices } from '../../account-view/choices.js'
import type { AccountView } from '../../account-view/view.js'
import { commandsIn } from '../../kernel/text/command-words.js'
import { counted } from '../../kernel/text/plural.js'
import { afterwards } from './afterwards.js'
import { cut } from '../../kernel/text/table.js'
import { type Order, ordered, rememberedLines } from './account-lines.js'
import { openAccount, removeAsked, type Session } from './account-menu.js'
import { nameAccount, openCommand, readLimits } from './command.js'
import { type Action, openList } from './list.js'
import { itemOf } from './pick-account.js'
import { say, sayResult } from './say.js'
import { outputLines } from './spans.js'
import type { DialogDeps } from './work.js'

/** The host's own command that signs in with one of our methods. */
const SIGN_IN_COMMAND = 'provider.connect'
/** Of a name beside a key. */
const NAME_COLUMNS = 24

/** Opens the list of accounts; keys and Enter do what there is to do with them. */
export function openAccounts(deps: DialogDeps): void {
  list(deps, { removal: undefined, at: undefined }, 'number')
}

function list(deps: DialogDeps, session: Session, first: Order): void {
  const { view, now, ui, work } = deps
  const [order, setOrder] = ui.createSignal(first)
  const accounts = (): readonly AccountView[] => view()?.accounts ?? []
  const linesOf = rememberedLines()
  const back = (): void => list(deps, session, order())
  /** Another dialog comes in between. */
  const through = (account: AccountView, open: () => Promise<unknown>): void => {
    session.at = account.uid
    open().then(back, back)
  }

  /** Dialogs that add accounts come in between. The cursor is on what is new then. */
  const adding = (open: () => void): void => {
    const before = new Set(accounts().map(({ uid }) => uid))
    open()
    afterwards(deps, () => {
      session.at = accounts().find(({ uid }) => !before.has(uid))?.uid ?? session.at
      back()
    })
  }

  const keysOf = (account: AccountView): readonly Action[] => {
    const choices = actionChoices(account, accounts())
    const choice = (value: ActionChoice['value'], key: string, does: string): readonly Action[] => {
      const found = choices.find((one) => one.value === value)
      return found === undefined
        ? []
        : [{ key, does, run: () => void sayResult(deps, work.act(found.action)) }]
    }
    return [
      ...choice('switch', 'ctrl+s', 'switch'),
      ...choice('pin', 'ctrl+p', 'pin'),
      ...choice('unpin', 'ctrl+p', 'lift the pin'),
      ...choice('toggle', 'ctrl+e', account.enabled ? 'disable' : 'enable'),
      ...(account.kind === 'oauth' && account.enabled
        ? [{ key: 'ctrl+r', does: 'read limits', run: () => void readLimits(deps, account) }]
        : []),
      {
        key: 'ctrl+l',
        does: 'name',
        run: () => through(account, () => nameAccount(deps, account)),
      },
      {
        key: 'ctrl+d',
        does: 'remove',
        run: () => through(account, () => removeAsked(deps, session, account)),
      },
    ]
  }

  openList<AccountView>(deps, {
    title: () => `Codex accounts: ${counted(accounts().length, 'account')}`,
    at: session.at,
    items: () => ordered(accounts(), order()).map(itemOf),
    lines: (items, columns) => linesOf(accounts(), items, columns, now()),
    head: (columns) => {
      const unreadable = view()?.unreadable ?? 0
      const text = `${counted(unreadable, 'record')} cannot be read: {doctor --fix}`
      return unreadable === 0 ? [] : outputLines(commandsIn(text, 'tui'), columns, 'error')
    },
    empty: 'No account is signed in. ctrl+n signs one in, ctrl+g imports.',
    onChoose: (account) => through(account, () => openAccount(deps, session, account)),
    actions: (account) => [
      ...(account === undefined ? [] : keysOf(account)),
      ...(accounts().length < 2
        ? []
        : [
            {
              key: 'ctrl+o',
              does: order() === 'number' ? 'sort by what is left' : 'sort by number',
              run: () => void setOrder(order() === 'number' ? 'left' : 'number'),
            },
          ]),
      { key: 'ctrl+n', does: 'sign in', run: () => adding(() => signIn(deps)) },
      {
        key: 'ctrl+g',
        does: 'import',
        run: () => adding(() => void openCommand(deps, 'import', '')),
      },
      ...(session.removal === undefined
        ? []
        : [
            {
              key: 'ctrl+u',
              does: `put ${cut(session.removal.name, NAME_COLUMNS)} back`,
              run: () => {
                const { removal } = session
                session.removal = undefined
                if (removal !== undefined) void sayResult(deps, work.undo(removal))
              },
            },
          ]),
    ],
  })
}

/** Leads to the host's own dialog, which lists our ways to sign in. */
function signIn(deps: DialogDeps): void {
  const keymap = deps.ui.api.keymap as unknown as {
    dispatchCommand?(name: string): { readonly ok?: boolean } | undefined
  }
  deps.ui.api.ui.dialog.clear()
  if (keymap.dispatchCommand?.(SIGN_IN_COMMAND)?.ok === true)
    say(deps, 'info', 'Choose OpenAI, then a way to sign in.')
  else say(deps, 'info', 'Run {login} and choose OpenAI, then a way to sign in.')
}
