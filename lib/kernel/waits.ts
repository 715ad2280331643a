import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'

/**
 * Where the code below says that it waits for somebody else, for whoever has a place to show it; nobody listens inside
 * OpenCode. One channel of the process for all: what waits has no idea who asked.
 */
const NAME = 'oc-codex-multi-auth:waits'

/** Says what is waited for from now on, as a clause: `another process that writes the account file`. */
export function tellWait(what: string): void {
  channel(NAME).publish(what)
}

/**
 * Hears what is waited for.
 * @returns ends it
 */
export function hearWaits(heard: (what: string) => void): () => void {
  const listener = (what: unknown): void => heard(String(what))
  subscribe(NAME, listener)
  return () => void unsubscribe(NAME, listener)
}
