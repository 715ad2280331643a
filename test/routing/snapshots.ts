import fc from 'fast-check'
import type { Block, QuotaWindow } from '../../lib/routing/limits.js'
import type { Candidate, RoutingSnapshot } from '../../lib/routing/types.js'

export const NOW = Date.UTC(2026, 10, 20, 12)
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** A healthy account of which nothing was read. */
export function candidate(uid: string, over: Partial<Candidate> = {}): Candidate {
  return {
    uid,
    position: 0,
    label: `Account ${uid}`,
    enabled: true,
    needsLogin: false,
    kind: 'oauth',
    blocks: [],
    windows: {},
    hasCredits: false,
    health: 100,
    resting: false,
    bucketTokens: 50,
    inFlight: 0,
    lastUsedMs: 0,
    modelSupport: 'unknown',
    ...over,
  }
}

export function snapshot(
  candidates: readonly Candidate[],
  over: Partial<RoutingSnapshot> = {},
): RoutingSnapshot {
  return {
    nowMs: NOW,
    model: 'gpt-5.5',
    limitId: 'codex',
    strategy: 'hybrid',
    creditsPolicy: 'never',
    processOffset: 0,
    candidates,
    ...over,
  }
}

export function block(over: Partial<Block> = {}): Block {
  return {
    scope: '*',
    reason: 'usage_limit',
    source: 'body',
    sinceMs: NOW - MINUTE,
    untilMs: NOW + HOUR,
    ...over,
  }
}

export function weekly(
  usedPercent: number,
  resetsInMs: number,
  over: Partial<QuotaWindow> = {},
): QuotaWindow {
  return {
    kind: 'weekly',
    usedPercent,
    windowMinutes: 10_080,
    resetsAtMs: NOW + resetsInMs,
    observedAtMs: NOW,
    source: 'headers',
    ...over,
  }
}

export function fiveHour(
  usedPercent: number,
  resetsInMs: number,
  over: Partial<QuotaWindow> = {},
): QuotaWindow {
  return weekly(usedPercent, resetsInMs, { kind: 'five_hour', windowMinutes: 300, ...over })
}

const times = fc.integer({ min: -DAY, max: 7 * DAY }).map((offset) => NOW + offset)

const blocks: fc.Arbitrary<Block> = fc.record({
  scope: fc.constantFrom(
    '*',
    'limit:codex',
    'limit:codex_bengalfox',
    'model:gpt-5.5',
    'model:gpt-6',
  ),
  reason: fc.constantFrom('usage_limit', 'rate_limit', 'forbidden'),
  source: fc.constantFrom('headers', 'event', 'body', 'usage'),
  sinceMs: fc.constant(NOW - HOUR),
  untilMs: times,
})

const windows: fc.Arbitrary<QuotaWindow> = fc
  .record({
    kind: fc.constantFrom('five_hour' as const, 'weekly' as const),
    usedPercent: fc.oneof(fc.integer({ min: 0, max: 130 }), fc.constantFrom(100, 99, 0)),
    resetsAtMs: fc.option(times, { nil: undefined }),
    observedAtMs: fc.integer({ min: 0, max: 2 * DAY }).map((ago) => NOW - ago),
    source: fc.constantFrom('headers' as const, 'usage' as const),
  })
  .map(({ resetsAtMs, ...rest }) => ({
    ...rest,
    windowMinutes: rest.kind === 'weekly' ? 10_080 : 300,
    ...(resetsAtMs === undefined ? {} : { resetsAtMs }),
  }))

const candidates: fc.Arbitrary<Candidate[]> = fc
  .uniqueArray(
    fc.record({
      uid: fc.string({ minLength: 1, maxLength: 4 }),
      enabled: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
      needsLogin: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
      kind: fc.constantFrom('oauth' as const, 'oauth' as const, 'api-key' as const),
      blocks: fc.array(blocks, { maxLength: 3 }),
      windows: fc.oneof(
        fc.constant({}),
        fc.array(windows, { maxLength: 2 }).map((codex) => ({ codex })),
      ),
      hasCredits: fc.boolean(),
      health: fc.integer({ min: 0, max: 100 }),
      resting: fc.boolean(),
      bucketTokens: fc.integer({ min: 0, max: 50 }),
      inFlight: fc.integer({ min: 0, max: 5 }),
      lastUsedMs: fc.oneof(fc.constant(0), times),
      modelSupport: fc.constantFrom('known' as const, 'unknown' as const),
    }),
    { maxLength: 7, selector: ({ uid }) => uid },
  )
  .map((list) =>
    list.map((entry, position) => ({
      ...entry,
      position,
      label: `Account ${String(position + 1)}`,
    })),
  )

/** Snapshots of every kind, rules included; the rules name accounts of the pool as well as strangers. */
export const snapshots: fc.Arbitrary<RoutingSnapshot> = candidates.chain((list) => {
  const uid = fc.constantFrom('stranger', ...list.map((entry) => entry.uid))
  const uids = fc.uniqueArray(uid, { maxLength: 4 }).map((chosen) => new Set(chosen))
  const pin = fc.record({
    uid,
    mode: fc.constantFrom('soft', 'hard'),
    scope: fc.constantFrom('project', 'global'),
  })
  const rules = fc.record(
    {
      sessionUid: uid,
      activeUid: uid,
      pin,
      fence: uids,
      modelPool: fc.record({ uids, mode: fc.constantFrom('preferred', 'strict') }),
      triedUids: uids,
    },
    { requiredKeys: [] },
  )
  return fc
    .record({
      strategy: fc.constantFrom('hybrid', 'sticky', 'round-robin', 'drain-first'),
      creditsPolicy: fc.constantFrom('never', 'ask', 'allow'),
      processOffset: fc.constantFrom(0, 1, 77, 4_000_000),
      rules,
    })
    .map(({ rules: chosenRules, ...rest }) => snapshot(list, { ...rest, ...chosenRules }))
})
