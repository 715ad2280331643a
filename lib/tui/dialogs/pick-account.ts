import type { AccountView } from '../../account-view/view.js'
import { accountLines } from './account-lines.js'
import { displayWidth } from '../../kernel/text/sure-width.js'
import { type Item, openList } from './list.js'
import { outputLines, type Span } from './spans.js'
import type { DialogDeps } from './work.js'

/**
 * Lets the user choose one of the accounts that fit.
 * @returns undefined when the user leaves the list, or there is nothing to choose
 */
export async function pickAccount(
  deps: DialogDeps,
  title: string,
  fits: (account: AccountView, all: readonly AccountView[]) => boolean = () => true,
): Promise<AccountView | undefined> {
  return new Promise((resolve) => {
    openList<AccountView>(deps, {
      title: () => title,
      items: () => {
        const all = deps.view()?.accounts ?? []
        return all.filter((account) => fits(account, all)).map(itemOf)
      },
      lines: (items, columns) =>
        accountLines(
          items.map(({ value }) => value),
          columns,
          deps.now(),
        ),
      empty: 'There is no account to do that to.',
      actions: () => [],
      onChoose: (account) => {
        resolve(account)
        deps.ui.api.ui.dialog.clear()
      },
      onClose: () => resolve(undefined),
    })
  })
}

/** Lets the user choose one of a few words. @returns undefined when the user leaves the list */
export async function pickWord<Word extends string>(
  deps: DialogDeps,
  title: string,
  words: readonly { readonly value: Word; readonly title: string; readonly hint: string }[],
): Promise<Word | undefined> {
  const widest = Math.max(...words.map((one) => one.title.length))
  return new Promise((resolve) => {
    openList<Word>(deps, {
      title: () => title,
      items: () =>
        words.map((one) => ({
          id: one.value,
          value: one.value,
          search: `${one.title} ${one.hint}`,
        })),
      lines: (items, columns) =>
        items.map(({ value }) => {
          const { title: text = '', hint = '' } = words.find((one) => one.value === value) ?? {}
          const beside: Span[] = [
            { text: text.padEnd(widest + 2), tone: 'text' },
            { text: hint, tone: 'muted' },
          ]
          if (widest + 2 + displayWidth(hint) <= columns) return [beside]
          // A hint that has no room beside the word stands below it, whole.
          return [
            [{ text, tone: 'text' }],
            ...outputLines(hint, columns - 2, 'muted').map(({ spans }): readonly Span[] => [
              { text: '  ', tone: 'muted' },
              ...spans,
            ]),
          ]
        }),
      empty: 'There is nothing to choose.',
      actions: () => [],
      onChoose: (value) => {
        resolve(value)
        deps.ui.api.ui.dialog.clear()
      },
      onClose: () => resolve(undefined),
    })
  })
}

/** An account as an item of a list. Pure. */
export function itemOf(account: AccountView): Item<AccountView> {
  const { uid, index, name, plan = '', tags, note = '', state } = account
  return {
    id: uid,
    value: account,
    search: [index, name, plan, ...tags, note, state.kind, account.active ? 'active' : ''].join(
      ' ',
    ),
  }
}
