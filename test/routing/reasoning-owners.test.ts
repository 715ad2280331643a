import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  isAllOf,
  ownersAfter,
  type ReasoningOwners,
  unreadableBy,
} from '../../lib/routing/reasoning-owners.js'

const UIDS = ['a', 'b', 'c'] as const
/** What happens in a session: a turn, one beside the conversation, an undo, a compaction that keeps the end, a copy. */
const step = fc.record({
  uid: fc.constantFrom(...UIDS),
  kind: fc.constantFrom('turn', 'turn', 'turn', 'title', 'undo', 'compact', 'fork'),
  made: fc.nat({ max: 3 }),
})

describe('who produced which reasoning', () => {
  it('never lets a piece go to an account that did not produce it, whatever becomes of the history', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let owners: ReasoningOwners | undefined
        let history: string[] = []
        let count = 0
        for (const { uid, kind, made } of steps) {
          if (kind === 'undo') history = history.slice(0, Math.floor(history.length / 2))
          if (kind === 'compact') history = history.slice(Math.ceil(history.length / 2))
          if (kind === 'fork') owners = undefined
          const pieces = kind === 'title' ? [] : history
          const foreign = unreadableBy(uid, owners, pieces)
          pieces.forEach((piece, number) => {
            if (!foreign.has(number)) expect(piece.startsWith(uid)).toBe(true)
          })
          owners = ownersAfter(owners, uid, pieces)
          if (kind !== 'title')
            history = [...history, ...Array.from({ length: made }, () => `${uid}${(count += 1)}`)]
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('keeps all of it where one account has served all along, and what the new one makes after a move', () => {
    let owners = ownersAfter(undefined, 'a', [])
    expect(isAllOf(owners, 'a')).toBe(true)
    expect(ownersAfter(owners, 'a', ['a1', 'a2'])).toBe(owners)
    expect([...unreadableBy('b', owners, ['a1', 'a2'])]).toEqual([0, 1])
    owners = ownersAfter(owners, 'b', ['a1', 'a2'])
    expect([...unreadableBy('b', owners, ['a1', 'a2', 'b1'])]).toEqual([0, 1])
    expect([...unreadableBy('a', owners, ['a1', 'a2', 'b1'])]).toEqual([2])
  })

  it('trusts nothing it was not told: the history of another program, a copy, an account that is gone', () => {
    expect([...unreadableBy('a', undefined, ['x', 'y'])]).toEqual([0, 1])
    const owners = ownersAfter(ownersAfter(undefined, 'gone', []), 'a', ['gone1'])
    expect([...unreadableBy('a', owners, ['gone1', 'a1'])]).toEqual([0])
    expect([...unreadableBy('a', owners, ['other', 'a1'])]).toEqual([0, 1])
  })
})
