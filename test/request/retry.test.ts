import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { BREAKER_OPEN_MS, BREAKER_THRESHOLD, createBreaker } from '../../lib/request/breaker.js'
import { decideNext, type FailureKind, FAILURES } from '../../lib/request/failures/failures.js'
import {
  backoffMs,
  createRetryBudget,
  type Progress,
  RETRY_PROFILES,
  retryLimitsOf,
  SHORT_WAIT_MS,
} from '../../lib/request/failures/retry.js'
import { DEFAULT_CONFIG } from '../../lib/config/settings.js'

const KINDS = Object.keys(FAILURES) as FailureKind[]

const progress = (changes: Partial<Progress> = {}): Progress => ({
  budget: createRetryBudget(RETRY_PROFILES.balanced),
  refreshed: false,
  droppedReasoning: false,
  hasEncryptedReasoning: true,
  repairedHistory: false,
  hasAlternative: () => true,
  random: 0.5,
  emptyRetryDelayMs: 1_000,
  ...changes,
})

describe('decideNext', () => {
  it.each([
    'usage_limit',
    'quota_exceeded',
    'usage_not_included',
    'workspace_deactivated',
    'forbidden',
  ] as const)('lets another account serve after %s', (kind) => {
    expect(decideNext({ kind }, progress()).do).toBe('next_account')
  })

  it.each(['bad_request', 'policy_refused', 'context_too_long'] as const)(
    'gives up at once after %s, which nobody else could mend',
    (kind) => {
      expect(decideNext({ kind }, progress()).do).toBe('stop')
    },
  )

  it('refreshes once after a 401, and moves on when the new token is refused too', () => {
    const state = progress()
    expect(decideNext({ kind: 'unauthorized' }, state).do).toBe('refresh')
    expect(decideNext({ kind: 'unauthorized' }, { ...state, refreshed: true }).do).toBe(
      'next_account',
    )
  })

  it('drops encrypted reasoning once, and gives up when that does not help', () => {
    expect(decideNext({ kind: 'invalid_encrypted_content' }, progress()).do).toBe('drop_reasoning')
    expect(
      decideNext({ kind: 'invalid_encrypted_content' }, progress({ droppedReasoning: true })).do,
    ).toBe('stop')
  })

  it('pairs the tool calls of a broken history once, and gives up when that does not help', () => {
    expect(decideNext({ kind: 'broken_history' }, progress()).do).toBe('repair_history')
    expect(decideNext({ kind: 'broken_history' }, progress({ repairedHistory: true })).do).toBe(
      'stop',
    )
  })

  it('waits out a short limit on the only account, never a long one', () => {
    const alone = progress({ hasAlternative: () => false })
    expect(decideNext({ kind: 'rate_limit', retryAfterMs: 2_000 }, alone)).toMatchObject({
      do: 'again',
      afterMs: 2_000,
    })
    expect(decideNext({ kind: 'rate_limit', retryAfterMs: SHORT_WAIT_MS + 1 }, alone).do).toBe(
      'next_account',
    )
    expect(decideNext({ kind: 'rate_limit', retryAfterMs: 2_000 }, progress()).do).toBe(
      'next_account',
    )
  })

  it.each([
    'server_error',
    'overloaded',
    'not_sse',
    'network',
    'header_timeout',
    'stream_broken',
  ] as const)(
    'waits on the only account after %s as long as a prompt may hang, and no second longer',
    (kind) => {
      const alone = () => progress({ hasAlternative: () => false })
      expect(decideNext({ kind, retryAfterMs: 2 * SHORT_WAIT_MS }, alone())).toMatchObject({
        do: 'again',
        afterMs: 2 * SHORT_WAIT_MS,
      })
      expect(decideNext({ kind, retryAfterMs: 2 * SHORT_WAIT_MS + 1 }, alone()).do).toBe('stop')
      expect(decideNext({ kind, retryAfterMs: SHORT_WAIT_MS + 1 }, progress()).do).toBe(
        'next_account',
      )
      expect(decideNext({ kind, retryAfterMs: SHORT_WAIT_MS }, progress()).do).toBe('again')
    },
  )

  it('gives the backend a second chance on the same account before it moves', () => {
    const state = progress()
    expect(decideNext({ kind: 'server_error' }, state)).toMatchObject({ do: 'again' })
    expect(decideNext({ kind: 'server_error' }, state).do).toBe('next_account')
  })

  it('comes to an end for any sequence of failures', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...KINDS), { minLength: 200, maxLength: 200 }),
        fc.boolean(),
        (kinds, hasAlternative) => {
          const budget = createRetryBudget(RETRY_PROFILES.aggressive)
          const repeats = kinds.filter((kind) =>
            ['again', 'refresh'].includes(
              decideNext({ kind }, progress({ budget, hasAlternative: () => hasAlternative })).do,
            ),
          ).length
          expect(repeats).toBeLessThanOrEqual(
            Object.values(RETRY_PROFILES.aggressive).reduce((sum, one) => sum + one, 0),
          )
        },
      ),
    )
  })
})

describe('retryLimitsOf', () => {
  it('lets overrides replace single numbers of the profile', () => {
    expect(
      retryLimitsOf({
        ...DEFAULT_CONFIG,
        retryProfile: 'conservative',
        retryBudgetOverrides: { server: 7 },
      }),
    ).toMatchObject({ server: 7, network: 2 })
  })
})

describe('backoffMs', () => {
  it('never undercuts what the server asks for, and never exceeds its own bound otherwise', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.option(fc.integer({ min: 0, max: 60_000 }), { nil: undefined }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, asked, random) => {
          const ms = backoffMs(attempt, asked, random)
          expect(ms).toBeGreaterThanOrEqual(asked ?? 0)
          if (asked === undefined) expect(ms).toBeLessThanOrEqual(5_500)
        },
      ),
    )
  })
})

describe('the breaker', () => {
  it('opens after many failures in a row, lets one request find out, and closes on success', () => {
    const breaker = createBreaker()
    for (let count = 0; count < BREAKER_THRESHOLD; count += 1) breaker.failed(1_000 + count)
    const opened = 1_000 + BREAKER_THRESHOLD - 1
    expect(breaker.openUntil(opened + 1, {})).toBe(opened + BREAKER_OPEN_MS)
    expect(breaker.openUntil(opened + BREAKER_OPEN_MS, {})).toBeUndefined()
    expect(breaker.openUntil(opened + BREAKER_OPEN_MS + 1, {})).toBeDefined()
    breaker.reached()
    expect(breaker.openUntil(opened + BREAKER_OPEN_MS + 2, {})).toBeUndefined()
  })

  it('lets no third request through when a second one is turned away while the first finds out', () => {
    const breaker = createBreaker()
    for (let count = 0; count < BREAKER_THRESHOLD; count += 1) breaker.failed(1_000)
    const [first, second, third] = [{}, {}, {}]
    const nowMs = 1_000 + BREAKER_OPEN_MS
    expect(breaker.openUntil(nowMs, first)).toBeUndefined()
    expect(breaker.openUntil(nowMs, second)).toBeDefined()
    breaker.abandoned(second)
    expect(breaker.openUntil(nowMs, third)).toBeDefined()
  })

  it('lets the request that finds out go on with its next account', () => {
    const breaker = createBreaker()
    for (let count = 0; count < BREAKER_THRESHOLD; count += 1) breaker.failed(1_000)
    const first = {}
    const nowMs = 1_000 + BREAKER_OPEN_MS
    expect([breaker.openUntil(nowMs, first), breaker.openUntil(nowMs + 1, first)]).toEqual([
      undefined,
      undefined,
    ])
  })

  it('does not count failures that lie far apart', () => {
    const breaker = createBreaker()
    for (let count = 0; count < BREAKER_THRESHOLD * 2; count += 1) breaker.failed(count * 120_000)
    expect(breaker.openUntil(BREAKER_THRESHOLD * 240_000, {})).toBeUndefined()
    expect(breaker.openUntil(BREAKER_THRESHOLD * 240_000, {})).toBeUndefined()
  })
})
