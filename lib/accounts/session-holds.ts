import * as z from 'zod'

import type { Clock } from '../kernel/clock.js'
import type { Logger } from '../kernel/logger.js'
import { goodEntries, moment } from '../kernel/odd-values.js'
import { createStateFile } from '../kernel/state-file.js'
import { holderOf, type Holds, mergedHolds, withHold, withReasoning } from '../routing/affinity.js'
import { ownersAfter, type ReasoningOwners } from '../routing/reasoning-owners.js'

/** A move to another account is worth a write, but not a hurried one. */
const WRITE_DELAY_MS = 2_000

const ownersSchema = z.object({
  first: z.string().optional(),
  spans: z
    .array(
      z.object({ from: z.int().min(0), uid: z.string().nullable(), before: z.string().optional() }),
    )
    .min(1),
})

const fileSchema = z.looseObject({
  version: z.literal(1),
  sessions: goodEntries(
    z.object({
      uid: z.string(),
      usedAtMs: moment,
      revision: z.number().optional().catch(undefined),
      reasoning: ownersSchema.optional().catch(undefined),
    }),
  ).catch({}),
})

/** @throws when the text is not an affinity file */
export function parseHolds(text: string): Holds {
  return new Map(Object.entries(fileSchema.parse(JSON.parse(text)).sessions))
}

/** Which account serves which session, also after a restart. */
export interface SessionHoldBook {
  holderOf(sessionId: string, nowMs: number): string | undefined
  hold(sessionId: string, uid: string, nowMs: number): void
  /** Takes over what other windows have written meanwhile. One look at the file, at once. */
  look(): void
  /** Who produced the encrypted reasoning of a session, as far as known here. */
  reasoningOf(sessionId: string): ReasoningOwners | undefined
  /**
   * An account has begun to answer a request with these pieces of reasoning in its history.
   * @param options.forget the request went out without any reasoning, because what was known of it was wrong
   * @returns what has to be awaited before another window may ask; undefined when nothing changed for the others
   */
  produced(
    sessionId: string,
    uid: string,
    pieces: readonly string[],
    options: { forget: boolean; nowMs: number },
  ): Promise<void> | undefined
  load(): Promise<void>
  close(): Promise<void>
}

/** Creates the book over its file. Requests read and change memory; the file is written later and never waited for. */
export function createSessionHolds(deps: {
  file: string
  clock: Clock
  log: Logger
}): SessionHoldBook {
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
    look: () => state.refresh(),
    reasoningOf: (sessionId) => state.current().get(sessionId)?.reasoning,
    produced(sessionId, uid, pieces, { forget, nowMs }) {
      const known = (): ReasoningOwners | undefined => state.current().get(sessionId)?.reasoning
      const after = (): ReasoningOwners => ownersAfter(forget ? undefined : known(), uid, pieces)
      if (after() === known()) return undefined
      state.refresh()
      const isNew = known() === undefined && pieces.length === 0
      state.set(
        withReasoning(withHold(state.current(), sessionId, uid, nowMs), sessionId, after(), nowMs),
      )
      const written = state.flush()
      // What nobody has asked of before, nobody can have got wrong.
      return isNew ? undefined : written
    },
    load: () => state.load(),
    close: () => state.close(),
  }
}
