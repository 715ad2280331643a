import { actionChoices } from '../../account-view/choices.js'
import type { AccountView } from '../../account-view/view.js'
import { plainLines } from '../../kernel/text/plain-text.js'
import { nameAccount, readLimits } from './command.js'
import { type Line, openFrame } from './frame.js'
import { pickWord } from './pick-account.js'
import { askText, copy, errorText, say, sayResult } from './say.js'
import { outputLines } from './spans.js'
import type { DialogDeps, Removal } from './work.js'

/** What stays while the dialogs of the accounts open one another. */
export interface Session {
  /** The last removal; it can be undone. */
  removal: Removal | undefined
  /** Account under the cursor. */
  at: string | undefined
}

/** What can be done with one account in its present state. Resolves when it is done, or left. */
export async function openAccount(
  deps: DialogDeps,
  session: Session,
  account: AccountView,
): Promise<void> {
  const { work } = deps
  const { uid } = account
  const choices = actionChoices(account, deps.view()?.accounts ?? [])
  const isLogin = account.kind === 'oauth'
  const chosen = await pickWord<string>(deps, titleOf(account), [
    ...choices,
    ...(isLogin && account.enabled
      ? [{ value: 'read', title: 'Read the limits now', hint: 'asks the backend what is left' }]
      : []),
    { value: 'details', title: 'Details', hint: 'windows, blocks, pace, pools' },
    { value: 'label', title: 'Name it', hint: 'a name of your own' },
    { value: 'tag', title: 'Tag it', hint: account.tags.join(', ') },
    { value: 'note', title: 'Note', hint: account.note ?? '' },
    { value: 'remove', title: 'Remove it', hint: 'asks first, and can be undone' },
  ])
  const action = choices.find(({ value }) => value === chosen)?.action
  if (action !== undefined) {
    await sayResult(deps, work.act(action))
    return
  }
  switch (chosen) {
    case 'read':
      void readLimits(deps, account)
      return
    case 'details':
      return showDetails(deps, account)
    case 'label':
      return nameAccount(deps, account)
    case 'tag':
    case 'note': {
      const text = await askText(deps, {
        title: `${chosen === 'tag' ? 'Tags' : 'Note'} of ${titleOf(account)}`,
        placeholder: chosen === 'tag' ? 'comma-separated; empty: none' : 'empty: none',
        value: await work.noted(uid, chosen),
      })
      if (text !== undefined) await sayResult(deps, work.act({ do: chosen, account: uid, text }))
      return
    }
    case 'remove':
      return removeAsked(deps, session, account)
    case undefined:
    default:
      return
  }
}

/** Asks, removes, and keeps what undoing it takes. */
export async function removeAsked(
  deps: DialogDeps,
  session: Session,
  account: AccountView,
): Promise<void> {
  const { uid, name } = account
  const isLast = deps.view()?.accounts.length === 1
  const answer = await pickWord(deps, `Remove ${titleOf(account)}?`, [
    { value: 'keep', title: 'Keep it', hint: 'nothing is changed' },
    {
      value: 'remove',
      title: 'Remove it',
      hint: `it is signed out here; a copy is kept${isLast ? '; it is the last account' : ''}`,
    },
  ])
  if (answer !== 'remove') return
  const args = { account: uid, confirm: true }
  const call = { name: 'remove', args, json: false, includeSensitive: false }
  try {
    const { data, tonedAt } = await deps.work.run(
      call,
      new AbortController().signal,
      () => undefined,
    )
    const { backup } = data as { readonly backup?: unknown }
    if (typeof backup === 'string') session.removal = { uid, name, backup }
    say(deps, 'success', plainLines(tonedAt(Infinity)).split('\n')[0] ?? '')
  } catch (error) {
    say(deps, 'error', errorText(error))
  }
}

async function showDetails(deps: DialogDeps, known: AccountView): Promise<void> {
  const account = deps.view()?.accounts.find(({ uid }) => uid === known.uid) ?? known
  const details = await deps.work.details(account)
  const widest = Math.max(...details.map(({ title }) => title.length)) + 2
  return new Promise((resolve) => {
    openFrame(deps.ui, {
      content: (columns) => ({
        title: titleOf(account),
        head: [],
        body: details.flatMap(({ title, toned }): Line[] =>
          outputLines(toned, Math.max(20, columns - widest)).map(({ spans }, place) => ({
            spans: [{ text: (place === 0 ? title : '').padEnd(widest), tone: 'muted' }, ...spans],
          })),
        ),
        keys: [['c', 'copy']],
      }),
      onKey: ({ name }) => {
        if (name !== 'c') return false
        copy(deps, details.map(({ title, text }) => `${title.padEnd(widest)}${text}`).join('\n'))
        return true
      },
      onClose: () => resolve(),
    })
  })
}

function titleOf({ index, name }: AccountView): string {
  return `${index} ${name}`
}
