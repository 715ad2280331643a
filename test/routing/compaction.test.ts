import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { decide, decideEarly } from '../../lib/routing/decide.js'
import type { Candidate, RoutingSnapshot } from '../../lib/routing/types.js'
import { block, candidate, DAY, snapshot, weekly } from './snapshots.js'

const withUsed = (uid: string, usedPercent: number, over: Partial<Candidate> = {}): Candidate =>
  candidate(uid, { windows: { codex: [weekly(usedPercent, DAY)] }, ...over })
const atCompaction = (
  candidates: readonly Candidate[],
  over: Partial<RoutingSnapshot> = {},
): RoutingSnapshot => snapshot(candidates, { sessionUid: 'a', atCompaction: true, ...over })

describe('a session that is compacted', () => {
  it('leaves an account that is nearly used up, also the one switched to by hand, for one that is not', () => {
    const pool = [withUsed('a', 95), withUsed('b', 20)]
    expect(decide(atCompaction(pool))).toEqual({ uid: 'b', reason: 'compaction' })
    expect(decide(atCompaction(pool, { activeUid: 'a' }))).toMatchObject({ uid: 'b' })
    for (const strategy of ['sticky', 'round-robin', 'drain-first'] as const)
      expect(decide(atCompaction(pool, { strategy }))).toMatchObject({ uid: 'b' })
  })

  it('stays where enough is left, where all others are low as well, and where the others serve less well', () => {
    const stay = { uid: 'a', reason: 'session' }
    expect(decide(atCompaction([withUsed('a', 89), withUsed('b', 0)]))).toEqual(stay)
    expect(decide(atCompaction([withUsed('a', 99), withUsed('b', 91)]))).toEqual(stay)
    expect(
      decide(atCompaction([withUsed('a', 99), withUsed('b', 0, { blocks: [block()] })])),
    ).toEqual(stay)
    expect(decide(atCompaction([withUsed('a', 99), withUsed('b', 0, { resting: true })]))).toEqual(
      stay,
    )
    expect(decide(atCompaction([withUsed('a', 99)]))).toEqual(stay)
  })

  it('takes a window that has reset since it was read for full', () => {
    const reset = candidate('a', { windows: { codex: [weekly(99, -1)] } })
    expect(decide(atCompaction([reset, withUsed('b', 0)]))).toMatchObject({ uid: 'a' })
  })

  it('obeys a pin', () => {
    const pin = { uid: 'a', mode: 'soft', scope: 'global' } as const
    expect(decide(atCompaction([withUsed('a', 99), withUsed('b', 0)], { pin }))).toEqual({
      uid: 'a',
      reason: 'pinned',
    })
  })

  it('is told apart in the trace from any other move', () => {
    const gone = [withUsed('a', 0, { blocks: [block()] }), withUsed('b', 0)]
    expect(decide(atCompaction(gone))).toEqual({ uid: 'b', reason: 'compaction' })
    expect(decide(snapshot(gone, { sessionUid: 'a' }))).toEqual({ uid: 'b', reason: 'best_quota' })
    expect(decide(atCompaction([withUsed('b', 0)], { sessionUid: 'gone' }))).toMatchObject({
      reason: 'compaction',
    })
  })

  const used = fc.integer({ min: 0, max: 100 })
  const pools = fc
    .array(fc.record({ used, resting: fc.boolean(), blocked: fc.boolean() }), {
      minLength: 1,
      maxLength: 6,
    })
    .map((facts) =>
      facts.map(({ used: percent, resting, blocked }, position) =>
        withUsed('abcdef'[position] ?? '', percent, {
          position,
          resting,
          blocks: blocked ? [block()] : [],
        }),
      ),
    )

  it('changes nothing for any other request, and never moves from an account with more than enough', () => {
    fc.assert(
      fc.property(pools, (candidates) => {
        const usual = snapshot(candidates, { sessionUid: 'a' })
        expect(decide({ ...usual, atCompaction: false })).toEqual(decide(usual))
        const holder = candidates[0]!
        if ((holder.windows.codex?.[0]?.usedPercent ?? 0) <= 90)
          expect(decide({ ...usual, atCompaction: true }).uid).toBe(decide(usual).uid)
      }),
    )
  })

  it('is decided the same whether or not the early look settles it', () => {
    fc.assert(
      fc.property(pools, (candidates) => {
        const moment = atCompaction(candidates)
        const early = decideEarly(moment, (uid) => candidates.find((one) => one.uid === uid))
        if (early !== undefined) expect(decide(moment)).toEqual(early)
      }),
    )
  })
})
