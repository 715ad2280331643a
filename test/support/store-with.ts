import type { AccountStore } from '../../lib/accounts/store/store.js'

/** A real store with some of its doings replaced, for a disk that fails or a rival that comes first. */
export function storeWith(store: AccountStore, changed: Partial<AccountStore>): AccountStore {
  return {
    path: store.path,
    read: () => store.read(),
    forget: () => store.forget(),
    peek: () => store.peek(),
    update: (change, onCopy) => store.update(change, onCopy),
    transact: (work) => store.transact(work),
    key: () => store.key(),
    close: () => store.close(),
    ...changed,
  }
}
