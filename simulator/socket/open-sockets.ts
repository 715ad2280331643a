import type { Opened } from './connection.js'

/** The WebSockets that are open, for tests to look at and to break. */
export interface OpenSockets {
  /** Closes them, idle ones too, with a code or, with 1006, without a word; returns how many. */
  closeSockets(which?: { account?: string; code?: number; reason?: string }): number
  /** Neither reads nor writes on them any more, as when the network is gone without a word. */
  freezeSockets(account?: string): void
  openSockets(): readonly { account: string; connection: number }[]
}

/** None is open yet. */
export function createOpenSockets(): OpenSockets & { add(opened: Opened): void } {
  const open = new Set<Opened>()
  const of = (account: string | undefined): Opened[] =>
    [...open].filter((one) => account === undefined || one.account.name === account)
  return {
    add(opened) {
      open.add(opened)
      opened.socket.once('close', () => open.delete(opened))
    },
    closeSockets({ account, code = 1000, reason = '' } = {}) {
      const closed = of(account)
      for (const { socket } of closed)
        if (code === 1006) socket.terminate()
        else socket.close(code, reason)
      return closed.length
    },
    freezeSockets(account) {
      for (const { socket } of of(account)) socket.pause()
    },
    openSockets: () =>
      of(undefined).map(({ account, number }) => ({ account: account.name, connection: number })),
  }
}
