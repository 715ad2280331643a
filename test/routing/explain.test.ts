import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDecisionLog } from '../../lib/routing/decision-log.js'
import { decide } from '../../lib/routing/decide.js'
import { explain } from '../../lib/routing/explain.js'
import { block, candidate, DAY, NOW, snapshot, snapshots, weekly } from './snapshots.js'

describe('explain', () => {
  it('tells the same story as decide: the chosen account is eligible, and every ineligible one has a reason', () => {
    fc.assert(
      fc.property(snapshots, (given) => {
        const { decision, candidates } = explain(given)
        expect(decision).toEqual(decide(given))
        expect(candidates.some(({ eligible }) => eligible)).toBe(decision.uid !== undefined)
        for (const entry of candidates) {
          if (entry.uid === decision.uid) expect(entry.eligible).toBe(true)
          if (!entry.eligible) expect(entry.reasons.length).toBeGreaterThan(0)
          expect(entry.score === undefined).toBe(!entry.eligible)
        }
      }),
      { numRuns: 600 },
    )
  })

  it('gives the evidence: the block, the exhausted window with its end, the pin that keeps others out', () => {
    const evidence = block({ detail: 'weekly limit' })
    const pool = [
      candidate('a', {
        blocks: [evidence, block({ untilMs: NOW - 1 })],
        windows: { codex: [weekly(104, DAY)] },
      }),
      candidate('b', { position: 1 }),
    ]
    const { candidates } = explain(
      snapshot(pool, { pin: { uid: 'a', mode: 'hard', scope: 'project' } }),
    )
    expect(candidates).toEqual([
      {
        uid: 'a',
        position: 0,
        label: 'Account a',
        eligible: false,
        score: undefined,
        reasons: [
          { code: 'blocked', block: evidence },
          { code: 'window_exhausted', kind: 'weekly', usedPercent: 104, untilMs: NOW + DAY },
        ],
      },
      {
        uid: 'b',
        position: 1,
        label: 'Account b',
        eligible: false,
        score: undefined,
        reasons: [{ code: 'not_pinned' }],
      },
    ])
  })

  it('lists what speaks for an eligible account', () => {
    const pool = [
      candidate('a', {
        windows: { codex: [weekly(50, 3.5 * DAY)] },
        inFlight: 2,
        bucketTokens: 3,
        health: 20,
      }),
      candidate('b', { position: 1, modelSupport: 'known' }),
    ]
    const { candidates } = explain(
      snapshot(pool, { sessionUid: 'a', modelPool: { uids: new Set(['a']), mode: 'preferred' } }),
    )
    expect(candidates[0]?.reasons).toEqual([
      { code: 'session' },
      { code: 'pool_member' },
      { code: 'headroom', kind: 'weekly', leftPercent: 50, pace: 1 },
      { code: 'model_unverified' },
      { code: 'in_flight', count: 2 },
      { code: 'bucket_low', tokens: 3 },
      { code: 'health_low', health: 20 },
    ])
    expect(candidates[1]?.reasons).toEqual([{ code: 'quota_unknown' }])
  })

  it('names the use of paid credits', () => {
    const pool = [candidate('a', { hasCredits: true, windows: { codex: [weekly(100, DAY)] } })]
    expect(
      explain(snapshot(pool, { creditsPolicy: 'allow' })).candidates[0]?.reasons,
    ).toContainEqual({ code: 'uses_credits' })
  })
})

describe('decision log', () => {
  it('keeps the newest decisions, newest first, and explains them only when asked', () => {
    let explained = 0
    const log = createDecisionLog(2)
    for (const model of ['one', 'two', 'three']) {
      const given = snapshot([candidate('a')], { model })
      log.record({
        atMs: NOW,
        sessionId: undefined,
        model,
        decision: decide(given),
        explain: () => {
          explained += 1
          return explain(given).candidates
        },
      })
    }
    expect(log.recent().map(({ model }) => model)).toEqual(['three', 'two'])
    expect(explained).toBe(0)
    expect(log.recent()[0]?.explain()).toHaveLength(1)
  })
})
