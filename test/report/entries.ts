import fc from 'fast-check'

import type {
  AlertEntry,
  HistoryEntry,
  ReadingEntry,
  SwitchEntry,
  TurnEntry,
} from '../../lib/history/entries.js'

/** Sat 21 Nov 2026 12:00 UTC. */
export const NOW = Date.UTC(2026, 10, 21, 12)
export const HOUR = 3_600_000
export const DAY = 24 * HOUR

export const turn = (entry: Partial<TurnEntry> = {}): TurnEntry => ({
  type: 'turn',
  atMs: NOW - HOUR,
  uid: 'u1',
  model: 'gpt-5.5',
  inputTokens: 1000,
  cachedTokens: 400,
  outputTokens: 50,
  reasoningTokens: 20,
  durationMs: 3000,
  attempts: 1,
  ...entry,
})

export const reading = (entry: Partial<ReadingEntry> = {}): ReadingEntry => ({
  type: 'reading',
  atMs: NOW - HOUR,
  uid: 'u1',
  limitId: 'codex',
  kind: 'five_hour',
  usedPercent: 40,
  resetsAtMs: NOW + HOUR,
  ...entry,
})

export const move = (entry: Partial<SwitchEntry> = {}): SwitchEntry => ({
  type: 'switch',
  atMs: NOW - HOUR,
  fromUid: 'u1',
  toUid: 'u2',
  reason: 'usage_limit',
  ...entry,
})

export const alert = (entry: Partial<AlertEntry> = {}): AlertEntry => ({
  type: 'alert',
  atMs: NOW - HOUR,
  uid: 'u1',
  limitId: 'codex',
  kind: 'five_hour',
  level: 10,
  ...entry,
})

/** Any history of up to 60 entries around `NOW`, oldest first. */
export const anyHistory: fc.Arbitrary<HistoryEntry[]> = fc
  .array(
    fc.oneof(
      fc
        .record({
          atMs: fc.integer({ min: NOW - 40 * DAY, max: NOW }),
          uid: fc.constantFrom('u1', 'u2', 'gone'),
          inputTokens: fc.nat(300_000),
          cachedTokens: fc.nat(300_000),
          outputTokens: fc.nat(9000),
          durationMs: fc.nat(200_000),
        })
        .map(turn),
      fc
        .record({
          atMs: fc.integer({ min: NOW - 40 * DAY, max: NOW }),
          uid: fc.constantFrom('u1', 'u2', 'gone'),
          kind: fc.constantFrom('five_hour' as const, 'weekly' as const),
          usedPercent: fc.integer({ min: 0, max: 110 }),
          resetsAtMs: fc.integer({ min: NOW - 40 * DAY, max: NOW + 7 * DAY }),
        })
        .map(reading),
      fc
        .record({
          atMs: fc.integer({ min: NOW - 40 * DAY, max: NOW }),
          reason: fc.constantFrom('usage_limit', 'server_error'),
        })
        .map(move),
      fc
        .record({
          atMs: fc.integer({ min: NOW - 40 * DAY, max: NOW }),
          level: fc.constantFrom(25, 10, 0),
        })
        .map(alert),
    ),
    { maxLength: 60 },
  )
  .map((entries) => [...entries].sort((left, right) => left.atMs - right.atMs))
