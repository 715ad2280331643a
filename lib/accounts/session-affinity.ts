import * as s from '../kernel/shape.js'

import type { Clock } from '../kernel/clock.js'
import { createStateFile } from '../kernel/files/state-file.js'
import type { Logger } from '../kernel/logger.js'
import { goodEntries, moment } from '../kernel/text/odd-values.js'
import { ownersAfter, type ReasoningOwners, UNCERTAIN } from '../routing/reasoning-owners.js'

/** Who produced the encrypted reasoning in the history of a session. */
const ownersSchema: s.Shape<ReasoningOwners> = s.object({
  first: s.string().optional(),
  spans: s.array(
    s.object({
      from: s.int({ min: 0 }),
      uid: s.string().nullable(),
      before: s.string().optional(),
    }),
    { min: 1 },
  ),
})

/** Which account serves a session. */
const entrySchema = s.object({
  uid: s.string(),
  /** Last request of the session, epoch ms, exact to `TOUCH_INTERVAL_MS`. */
  usedAtMs: moment,
  /** Goes up with every move: the higher one is the later one, whatever the clocks say. */
  revision: s.number().optional().catch(undefined),
  /** Absent: not known. */
  reasoning: ownersSchema.optional().catch(undefined),
})
type AffinityEntry = Readonly<s.Infer<typeof entrySchema>>

/** Entries by session id. */
export type AffinityEntries = ReadonlyMap<string, AffinityEntry>

/** The oldest sessions beyond this number are forgotten. */
export const MAX_SESSIONS = 1000
/** A session left alone for this long is placed again. Encrypted reasoning in its history makes an early move costly. */
export const MAX_HOLD_AGE_MS = 30 * 24 * 3_600_000
/** The time of use is moved on in steps, so that a running session causes next to no writes. */
export const TOUCH_INTERVAL_MS = 3_600_000
/** A move to another account is worth a write, but not a hurried one. */
const WRITE_DELAY_MS = 2_000
/** Sessions whose turn state is remembered; the one left alone longest goes first. */
const MAX_TURNS = 200

/** The account a session stays on, unless it was left alone for too long. */
export function accountOf(
  entries: AffinityEntries,
  sessionId: string,
  nowMs: number,
): string | undefined {
  const entry = entries.get(sessionId)
  return entry !== undefined && nowMs - entry.usedAtMs <= MAX_HOLD_AGE_MS ? entry.uid : undefined
}

/** The entries after a session was served by an account. The same map comes back when nothing worth writing changed. */
export function withAccount(
  entries: AffinityEntries,
  sessionId: string,
  uid: string,
  nowMs: number,
): AffinityEntries {
  const current = entries.get(sessionId)
  const isSame = current?.uid === uid
  if (isSame && Math.abs(nowMs - current.usedAtMs) < TOUCH_INTERVAL_MS) return entries
  const revision = (current?.revision ?? 0) + (isSame ? 0 : 1)
  return pruned(
    new Map(entries).set(sessionId, { ...current, uid, usedAtMs: nowMs, revision }),
    nowMs,
  )
}

/** Both together; where they differ the later move wins, then the later use, and of equal times `ours`. */
export function mergedEntries(
  ours: AffinityEntries,
  theirs: AffinityEntries,
  nowMs: number,
): AffinityEntries {
  const merged = new Map(pruned(theirs, nowMs))
  for (const [sessionId, entry] of pruned(ours, nowMs)) {
    const other = merged.get(sessionId)
    merged.set(sessionId, other === undefined ? entry : later(entry, other))
  }
  return pruned(merged, nowMs)
}

function later(ours: AffinityEntry, theirs: AffinityEntry): AffinityEntry {
  const moves = (ours.revision ?? 0) - (theirs.revision ?? 0)
  if (moves !== 0) return moves > 0 ? ours : theirs
  const newer = ours.usedAtMs >= theirs.usedAtMs ? ours : theirs
  // Two windows have moved the session at once.
  const isSame =
    ours.uid === theirs.uid && JSON.stringify(ours.reasoning) === JSON.stringify(theirs.reasoning)
  return isSame ? newer : { ...newer, reasoning: UNCERTAIN }
}

/** Without the sessions too old or too many; times from a clock that ran ahead are pulled back to now. */
function pruned(entries: AffinityEntries, nowMs: number): AffinityEntries {
  const kept = [...entries]
    .map(([id, entry]): [string, AffinityEntry] => [
      id,
      entry.usedAtMs > nowMs ? { ...entry, usedAtMs: nowMs } : entry,
    ])
    .filter(([, entry]) => nowMs - entry.usedAtMs <= MAX_HOLD_AGE_MS)
  if (kept.length > MAX_SESSIONS) {
    kept.sort(
      ([leftId, left], [rightId, right]) =>
        right.usedAtMs - left.usedAtMs || (leftId < rightId ? -1 : 1),
    )
    kept.length = MAX_SESSIONS
  }
  return new Map(kept)
}

const fileSchema = s.looseObject({
  version: s.literal(1),
  sessions: goodEntries(entrySchema).catch({}),
})

/** @throws when the text is not an affinity file */
export function parseAffinity(text: string): AffinityEntries {
  return new Map(Object.entries(fileSchema.parse(JSON.parse(text)).sessions))
}

/** What the requests of a session have in common, in all windows and also after a restart. */
export type SessionAffinity = ReturnType<typeof createSessionAffinity>

/** Creates the affinity over its file. Requests read and change memory; the file is written later and never waited for. */
export function createSessionAffinity(deps: { file: string; clock: Clock; log: Logger }) {
  const state = createStateFile<AffinityEntries>({
    ...deps,
    initial: new Map(),
    parse: parseAffinity,
    format: (entries) => JSON.stringify({ version: 1, sessions: Object.fromEntries(entries) }),
    merge: (ours, theirs) => mergedEntries(ours, theirs, deps.clock.now()),
    delayMs: WRITE_DELAY_MS,
  })
  const turns = new Map<string, { readonly uid: string; readonly value: string }>()
  /** Who produced the encrypted reasoning of a session, as far as known here. */
  const reasoningOf = (sessionId: string): ReasoningOwners | undefined =>
    state.current().get(sessionId)?.reasoning
  const set = (sessionId: string, uid: string, nowMs: number): void => {
    const entries = state.current()
    const isMove = entries.get(sessionId)?.uid !== uid
    state.set(withAccount(entries, sessionId, uid, nowMs), isMove ? 'soon' : 'calmly')
  }
  return {
    /** The account that serves the session. */
    get: (sessionId: string, nowMs: number) => accountOf(state.current(), sessionId, nowMs),
    set,
    /** Takes over what other windows have written meanwhile. One look at the file, at once. */
    refresh: () => state.refresh(),
    reasoningOf,
    /**
     * An account has begun to answer a request with these pieces of reasoning in its history.
     * @param options.forget the request went out without any reasoning, because what was known of it was wrong
     * @returns what has to be awaited before another window may ask; undefined when nothing changed for the others
     */
    produced(
      sessionId: string,
      uid: string,
      pieces: readonly string[],
      { forget, nowMs }: { forget: boolean; nowMs: number },
    ): Promise<void> | undefined {
      const after = (): ReasoningOwners =>
        ownersAfter(forget ? undefined : reasoningOf(sessionId), uid, pieces)
      if (after() === reasoningOf(sessionId)) return undefined
      state.refresh()
      const isNew = reasoningOf(sessionId) === undefined && pieces.length === 0
      const reasoning = after()
      set(sessionId, uid, nowMs)
      const entry = state.current().get(sessionId)
      if (entry !== undefined && entry.reasoning !== reasoning) {
        const revision = (entry.revision ?? 0) + 1
        state.set(new Map(state.current()).set(sessionId, { ...entry, reasoning, revision }))
      }
      const written = state.flush()
      // Nobody can have got wrong what was never asked of before.
      return isNew ? undefined : written
    },
    /** `x-codex-turn-state` of the running turn, for the account that gave it. In memory only. */
    turnState(sessionId: string | undefined, uid: string): string | undefined {
      const turn = sessionId === undefined ? undefined : turns.get(sessionId)
      return turn?.uid === uid ? turn.value : undefined
    },
    setTurnState(sessionId: string | undefined, uid: string, value: string): void {
      if (sessionId === undefined) return
      turns.delete(sessionId)
      turns.set(sessionId, { uid, value })
      const [oldest] = turns.keys()
      if (turns.size > MAX_TURNS && oldest !== undefined) turns.delete(oldest)
    },
    load: () => state.load(),
    /** Writes what is unwritten. Never throws. */
    flush: () => state.flush(),
    close: () => state.close(),
  }
}
