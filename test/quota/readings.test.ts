import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  readingOfEvent,
  readingOfHeaders,
  readingOfUsage,
  windowKindOf,
} from '../../lib/quota/readings.js'

const NOW = 1_800_000_000_000

describe('windowKindOf', () => {
  it('tells windows apart by their length', () => {
    expect([300, 10_080, 43_200, 30, undefined].map(windowKindOf)).toEqual([
      'five_hour',
      'weekly',
      'monthly',
      'unknown',
      'unknown',
    ])
  })
})

describe('readingOfHeaders', () => {
  it('reads both windows whichever comes first, and their ends', () => {
    const headers = new Headers({
      'x-codex-primary-used-percent': '12.5',
      'x-codex-primary-window-minutes': '10080',
      'x-codex-primary-reset-at': String(NOW / 1000 + 60),
      'x-codex-secondary-used-percent': '101',
      'x-codex-secondary-window-minutes': '300',
      'x-codex-secondary-reset-after-seconds': '30',
    })
    expect(readingOfHeaders(headers, NOW)).toEqual({
      limits: [
        {
          limitId: 'codex',
          windows: [
            {
              kind: 'weekly',
              usedPercent: 12.5,
              windowMinutes: 10_080,
              resetsAtMs: NOW + 60_000,
              observedAtMs: NOW,
              source: 'headers',
            },
            {
              kind: 'five_hour',
              usedPercent: 101,
              windowMinutes: 300,
              resetsAtMs: NOW + 30_000,
              observedAtMs: NOW,
              source: 'headers',
            },
          ],
        },
      ],
    })
  })

  it('keeps further limit families under their own ids', () => {
    const headers = new Headers({
      'x-codex-bengalfox-primary-used-percent': '3',
      'x-codex-bengalfox-primary-window-minutes': '300',
      'x-codex-bengalfox-limit-name': 'Fox',
    })
    expect(readingOfHeaders(headers, NOW)?.limits).toMatchObject([
      { limitId: 'codex_bengalfox', name: 'Fox' },
    ])
  })

  it('takes a window of zeros, or one that is switched off, for none', () => {
    expect(
      readingOfHeaders(new Headers({ 'x-codex-primary-used-percent': '0' }), NOW),
    ).toBeUndefined()
    expect(
      readingOfHeaders(
        new Headers({
          'x-codex-primary-used-percent': '50',
          'x-codex-primary-window-minutes': '0',
        }),
        NOW,
      ),
    ).toBeUndefined()
  })

  it.each([
    ['a length', { 'window-minutes': '300' }, 1],
    ['a reset', { 'reset-after-seconds': '60' }, 1],
    ['neither', {}, 0],
    [
      'no length and a reset, which is one that is switched off',
      { 'window-minutes': '0', 'reset-after-seconds': '60' },
      0,
    ],
  ])(
    'takes an unused window for one with room when it has %s (a fresh window would lift no block)',
    (_name, more, count) => {
      const headers = Object.fromEntries(
        Object.entries({ 'used-percent': '0', ...more }).map(([name, value]) => [
          `x-codex-primary-${name}`,
          value,
        ]),
      )
      expect(readingOfHeaders(new Headers(headers), NOW)?.limits[0]?.windows ?? []).toHaveLength(
        count,
      )
    },
  )

  it('reads credits', () => {
    expect(
      readingOfHeaders(
        new Headers({
          'x-codex-credits-has-credits': 'True',
          'x-codex-credits-unlimited': '0',
          'x-codex-credits-balance': '12.5',
        }),
        NOW,
      )?.credits,
    ).toEqual({
      hasCredits: true,
      unlimited: false,
      balance: '12.5',
    })
  })

  it('never throws and never believes a reset that lies out of reach', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[ -~]{0,20}$/),
        fc.stringMatching(/^[ -~]{0,20}$/),
        (used, reset) => {
          const reading = readingOfHeaders(
            new Headers({
              'x-codex-primary-used-percent': used,
              'x-codex-primary-reset-at': reset,
              'x-codex-primary-window-minutes': '300',
            }),
            NOW,
          )
          for (const window of reading?.limits[0]?.windows ?? []) {
            expect(window.usedPercent).toBeGreaterThanOrEqual(0)
            if (window.resetsAtMs !== undefined)
              expect(window.resetsAtMs).toBeLessThan(NOW + 41 * 86_400_000)
          }
        },
      ),
    )
  })
})

describe('readingOfEvent', () => {
  it('takes the metered name for the family', () => {
    const event = {
      type: 'codex.rate_limits',
      plan_type: 'plus',
      rate_limits: {
        primary: { used_percent: 40, window_minutes: 300, reset_at: NOW / 1000 + 5 },
        secondary: null,
      },
      credits: null,
      metered_limit_name: 'codex_x',
      limit_name: 'X',
    }
    expect(readingOfEvent(event, NOW)).toMatchObject({
      planType: 'plus',
      limits: [
        { limitId: 'codex_x', name: 'X', windows: [{ kind: 'five_hour', source: 'event' }] },
      ],
    })
  })

  it('makes nothing of anything else', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => readingOfEvent(value, NOW)).not.toThrow()
      }),
    )
    expect(readingOfEvent({ type: 'codex.rate_limits' }, NOW)).toBeUndefined()
  })
})

describe('readingOfUsage', () => {
  it('reads the standard limit, further limits, credits and banked resets', () => {
    const window = {
      used_percent: 7,
      limit_window_seconds: 18_000,
      reset_after_seconds: 60,
      reset_at: NOW / 1000 + 60,
    }
    const body = {
      plan_type: 'pro',
      rate_limit: {
        allowed: true,
        limit_reached: false,
        primary_window: window,
        secondary_window: null,
      },
      credits: { has_credits: false, unlimited: false, balance: '0' },
      additional_rate_limits: [
        {
          limit_name: 'Fox',
          metered_feature: 'codex_bengalfox',
          rate_limit: { allowed: true, limit_reached: false, primary_window: window },
        },
      ],
      rate_limit_reset_credits: { available_count: 2 },
    }
    expect(readingOfUsage(body, NOW)).toMatchObject({
      planType: 'pro',
      resetCredits: 2,
      credits: { hasCredits: false },
      limits: [
        {
          limitId: 'codex',
          windows: [
            { kind: 'five_hour', usedPercent: 7, resetsAtMs: NOW + 60_000, source: 'usage' },
          ],
        },
        { limitId: 'codex_bengalfox', name: 'Fox' },
      ],
    })
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => readingOfUsage(value, NOW)).not.toThrow()
      }),
    )
  })
})
