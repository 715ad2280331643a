import { type AccountView, accountViews, type ViewInput } from '../account-view/view.js'
import { unreadableRecords } from '../accounts/store/unreadable.js'
import { accountOf, type AffinityEntries } from '../accounts/session-affinity.js'
import type { LedgerState } from '../quota/ledger-state.js'
import type { PoolEvent } from '../history/pool-events.js'

/** What the view takes from the configuration and the folder. */
export type ViewOptions = Pick<ViewInput, 'config' | 'project'>

/** The pool as shown. */
export interface PoolView {
  readonly accounts: readonly AccountView[]
  /** Records of the file that hold no login that can be read. */
  readonly unreadable: number
  /** What the windows told each other, oldest first. */
  readonly events: readonly PoolEvent[]
  /** The account that serves a session: the one that served it last, else the active one. */
  serving(sessionId: string | undefined): AccountView | undefined
}

/** Puts together what the files say. Pure. */
export function poolView(
  input: ViewOptions & {
    readonly pool: ViewInput['pool']
    readonly ledger: LedgerState
    readonly holds: AffinityEntries
    readonly events?: readonly PoolEvent[]
    readonly nowMs: number
  },
): PoolView {
  const { pool, ledger, holds, events = [], nowMs } = input
  const accounts = accountViews({ ...input, quotaOf: (uid) => ledger[uid] })
  return {
    accounts,
    unreadable: unreadableRecords(pool).length,
    events,
    serving(sessionId) {
      const uid = sessionId === undefined ? undefined : accountOf(holds, sessionId, nowMs)
      return (
        accounts.find((account) => account.uid === uid) ??
        accounts.find(({ active }) => active) ??
        accounts[0]
      )
    },
  }
}

/** The name of an account that an event tells of; it may be gone. Pure. */
export function nameOf({ accounts }: Pick<PoolView, 'accounts'>, uid: string): string {
  return accounts.find((account) => account.uid === uid)?.name ?? 'a removed account'
}
