import { createSignal } from 'solid-js'

import { loadDialogChunk } from '../dialog-chunk.js'
import { lastSwitchOf } from '../pool-events.js'
import { nameOf, type PoolView } from '../pool-view.js'
import { createPaces } from './pace.js'
import { paintedLines } from './painted.js'
import { blocksOf, isFoldable, type ShownSwitch, sidebarLines } from './sidebar-lines.js'
import type { SlotContext, SlotDeps } from './slot.js'

/** The block of the accounts in the sidebar: a click opens them, one on the heading folds the block. */
export function createSidebar({ api, paths, view, now, openAccounts }: SlotDeps) {
  const [isOpen, setOpen] = createSignal(true)
  const [paceTurn, setPaceTurn] = createSignal(0)
  const paces = createPaces({
    compute: async (accounts, nowMs) =>
      (await loadDialogChunk()).pacesNow(accounts, paths.historyFile, nowMs),
    onChange: () => setPaceTurn(Date.now()),
  })
  api.lifecycle.onDispose(() => paces.close())

  const onClick = (line: number): void => {
    if (line === 0 && isFoldable(view()?.accounts.length ?? 0)) setOpen(!isOpen())
    else openAccounts()
  }
  return ({ theme }: SlotContext, session: () => string): unknown =>
    paintedLines({ theme, onClick }, () => {
      paceTurn()
      const current = view()
      const { accounts = [], unreadable = 0 } = current ?? {}
      const serving = current?.serving(session())
      paces.follow(blocksOf(accounts, serving))
      const facts = {
        accounts,
        serving,
        unreadable,
        paceOf: (uid: string) => paces.of(uid),
        lastSwitch: shownSwitch(current),
        isOpen: isOpen(),
      }
      const nowMs = now()
      return (width) => sidebarLines(facts, nowMs, width)
    })
}

function shownSwitch(view: PoolView | undefined): ShownSwitch | undefined {
  const last = lastSwitchOf(view?.events ?? [])
  const to = view?.accounts.find(({ uid }) => uid === last?.to)?.name
  // An account that was removed since is no news.
  if (view === undefined || last === undefined || to === undefined) return undefined
  return { atMs: last.atMs, from: nameOf(view, last.from), to, why: last.why }
}
