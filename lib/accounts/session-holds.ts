import * as z from 'zod'

import type { Clock } from '../kernel/clock.js'
import type { Logger } from '../kernel/logger.js'
import { goodEntries, moment } from '../kernel/odd-values.js'
import { createStateFile } from '../kernel/state-file.js'
import { holderOf, type Holds, mergedHolds, withHold } from '../routing/affinity.js'

/** A move to another account is worth a write, but not a hurried one. */
const WRITE_DELAY_MS = 2_000

const fileSchema = z.looseObject({
  version: z.literal(1),
  sessions: goodEntries(z.object({ uid: z.string(), usedAtMs: moment })).catch({}),
})

/** @throws when the text is not an affinity file */
export function parseHolds(text: string): Holds {
  return new Map(Object.entries(fileSchema.parse(JSON.parse(text)).sessions))
}

/** Which account serves which session, also after a restart. */
export interface SessionHoldBook {
  holderOf(sessionId: string, nowMs: number): string | undefined
  hold(sessionId: string, uid: string, nowMs: number): void
  load(): Promise<void>
  close(): Promise<void>
}

/** Creates the book over its file. Requests read and change memory; the file is written later and never waited for. */
export function createSessionHolds(deps: { file: string; clock: Clock; log: Logger }): SessionHoldBook {
  const { clock } = deps
  const state = createStateFile<Holds>({
    ...deps,
    initial: new Map(),
    parse: parseHolds,
    format: (holds) => JSON.stringify({ version: 1, sessions: Object.fromEntries(holds) }),
    merge: (ours, theirs) => mergedHolds(ours, theirs, clock.now()),
    delayMs: WRITE_DELAY_MS,
  })
  return {
    holderOf: (sessionId, nowMs) => holderOf(state.current(), sessionId, nowMs),
    hold: (sessionId, uid, nowMs) => state.set(withHold(state.current(), sessionId, uid, nowMs)),
    load: () => state.load(),
    close: () => state.close(),
  }
}
