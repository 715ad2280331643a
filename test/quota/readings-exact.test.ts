import { describe, expect, it } from 'vitest'

import {
  readingOfEvent,
  readingOfHeaders,
  readingOfUsage,
  windowKindOf,
} from '../../lib/quota/readings.js'

const NOW = 1_800_000_000_000
const AT = NOW / 1000
const DAY_MS = 86_400_000

describe('a window', () => {
  it.each([
    [294, 'unknown'],
    [295, 'five_hour'],
    [305, 'five_hour'],
    [306, 'unknown'],
    [9_999, 'unknown'],
    [10_000, 'weekly'],
    [10_160, 'weekly'],
    [10_161, 'unknown'],
    [39_999, 'unknown'],
    [40_000, 'monthly'],
    [45_000, 'monthly'],
    [45_001, 'unknown'],
  ])('of %i minutes is called %s, so that one kind never passes for another', (minutes, kind) => {
    expect(windowKindOf(minutes)).toBe(kind)
  })
})

describe('the headers of an answer', () => {
  it('are read as two windows with length, reset, time and source, and nothing besides', () => {
    const headers = new Headers({
      'x-codex-primary-used-percent': '12.5',
      'x-codex-primary-window-minutes': '300',
      'x-codex-primary-reset-at': String(AT + 60),
      'x-codex-primary-reset-after-seconds': '999',
      'x-codex-secondary-used-percent': '100',
      'x-codex-secondary-window-minutes': '10080',
      'x-codex-secondary-reset-after-seconds': '120',
    })
    expect(readingOfHeaders(headers, NOW)).toEqual({
      limits: [
        {
          limitId: 'codex',
          windows: [
            {
              kind: 'five_hour',
              usedPercent: 12.5,
              windowMinutes: 300,
              resetsAtMs: NOW + 60_000,
              observedAtMs: NOW,
              source: 'headers',
            },
            {
              kind: 'weekly',
              usedPercent: 100,
              windowMinutes: 10_080,
              resetsAtMs: NOW + 120_000,
              observedAtMs: NOW,
              source: 'headers',
            },
          ],
        },
      ],
    })
  })

  it.each([
    ['negative', '-1'],
    ['blank', ' '],
    ['no number', 'much'],
    ['endless', 'Infinity'],
  ])('make no window when the percentage is %s', (_name, used) => {
    const headers = new Headers({
      'x-codex-primary-used-percent': used,
      'x-codex-primary-window-minutes': '300',
    })
    expect(readingOfHeaders(headers, NOW)).toBeUndefined()
  })

  it.each([
    [NOW - DAY_MS, true],
    [NOW + 40 * DAY_MS - 1000, true],
    [NOW + 40 * DAY_MS, false],
    [0, false],
    [-5000, false],
  ])(
    'with a reset at %i are believed where it is a time (%s): one that never comes would block for ever',
    (resetsAtMs, believed) => {
      const headers = new Headers({
        'x-codex-primary-used-percent': '100',
        'x-codex-primary-reset-at': String(resetsAtMs / 1000),
      })
      const [window] = readingOfHeaders(headers, NOW)?.limits[0]?.windows ?? []
      expect(window).toEqual({
        kind: 'unknown',
        usedPercent: 100,
        ...(believed ? { resetsAtMs } : {}),
        observedAtMs: NOW,
        source: 'headers',
      })
    },
  )

  it('keep the usual family first, each family once, and an empty name is none', () => {
    const headers = new Headers({
      'x-codex-bengalfox-primary-used-percent': '3',
      'x-codex-bengalfox-secondary-used-percent': '4',
      'x-codex-bengalfox-limit-name': '',
      'x-codex-primary-used-percent': '5',
      'a-codex-primary-used-percent': '6',
    })
    const limits = readingOfHeaders(headers, NOW)?.limits ?? []
    expect(limits.map(({ limitId, windows }) => [limitId, windows.length])).toEqual([
      ['codex', 1],
      ['codex_bengalfox', 2],
    ])
    expect(limits.map((limit) => 'name' in limit)).toEqual([false, false])
  })

  it.each([
    ['true', { hasCredits: true, unlimited: false }],
    [' 1 ', { hasCredits: true, unlimited: false }],
    ['FALSE', { hasCredits: false, unlimited: false }],
    ['0', { hasCredits: false, unlimited: false }],
    ['maybe', undefined],
    ['', undefined],
  ])('say of credits what "%s" means, and nothing where it means nothing', (text, credits) => {
    const headers = new Headers({ 'x-codex-credits-has-credits': text })
    expect(readingOfHeaders(headers, NOW)).toEqual(
      credits === undefined ? undefined : { limits: [], credits },
    )
  })

  it('tell credits without end from others', () => {
    const headers = new Headers({
      'x-codex-credits-has-credits': '1',
      'x-codex-credits-unlimited': 'true',
    })
    expect(readingOfHeaders(headers, NOW)?.credits).toEqual({ hasCredits: true, unlimited: true })
  })
})

describe('an event about limits', () => {
  const window = { used_percent: 40, window_minutes: 10_080, reset_at: AT + 5 }
  const read = {
    kind: 'weekly',
    usedPercent: 40,
    windowMinutes: 10_080,
    resetsAtMs: NOW + 5000,
    observedAtMs: NOW,
    source: 'event',
  }

  it('is read with the second window too, under the usual family when it names none', () => {
    expect(readingOfEvent({ rate_limits: { primary: null, secondary: window } }, NOW)).toEqual({
      limits: [{ limitId: 'codex', windows: [read] }],
    })
  })

  it('is read under its own name where it has no metered one', () => {
    expect(readingOfEvent({ rate_limits: { primary: window }, limit_name: 'X' }, NOW)).toEqual({
      limits: [{ limitId: 'X', name: 'X', windows: [read] }],
    })
  })

  it.each([
    ['the plan', { plan_type: 'plus' }, { limits: [], planType: 'plus' }],
    [
      'credits with a number for a balance',
      { credits: { has_credits: true, unlimited: true, balance: 12.5 } },
      { limits: [], credits: { hasCredits: true, unlimited: true, balance: '12.5' } },
    ],
    [
      'credits without a balance, whatever else stands there',
      { credits: { has_credits: false, unlimited: 'x', balance: null } },
      { limits: [], credits: { hasCredits: false, unlimited: false } },
    ],
  ])('counts when it tells nothing but %s', (_name, event, reading) => {
    expect(readingOfEvent(event, NOW)).toEqual(reading)
  })

  it.each([
    ['no list of limits', { rate_limits: 'none' }],
    ['windows of another form', { rate_limits: { primary: 7, secondary: [] } }],
    ['a window without a percentage', { rate_limits: { primary: { window_minutes: 300 } } }],
    ['credits of another form', { credits: { has_credits: 'yes' } }],
    ['a plan that is no text', { plan_type: 7 }],
    ['nothing', null],
  ])('is nothing when it holds %s', (_name, event) => {
    expect(readingOfEvent(event, NOW)).toBeUndefined()
  })

  it('shows no control characters of the plan on the screen', () => {
    expect(readingOfEvent({ plan_type: 'pl\u001B[31mus' }, NOW)?.planType).not.toContain('\u001B')
  })
})

describe('the answer about usage', () => {
  it('is read with both windows, by the time of their end, else by what is left of them', () => {
    const body = {
      rate_limit: {
        primary_window: { used_percent: 1, limit_window_seconds: 18_010, reset_after_seconds: 60 },
        secondary_window: {
          used_percent: 2,
          limit_window_seconds: 604_800,
          reset_after_seconds: 60,
          reset_at: AT + 90,
        },
      },
    }
    const common = { observedAtMs: NOW, source: 'usage' }
    expect(readingOfUsage(body, NOW)).toEqual({
      limits: [
        {
          limitId: 'codex',
          windows: [
            {
              kind: 'five_hour',
              usedPercent: 1,
              windowMinutes: 300,
              resetsAtMs: NOW + 60_000,
              ...common,
            },
            {
              kind: 'weekly',
              usedPercent: 2,
              windowMinutes: 10_080,
              resetsAtMs: NOW + 90_000,
              ...common,
            },
          ],
        },
      ],
    })
  })

  it('keeps a window without length or end, and a further limit by its name, but none without a name', () => {
    const rate_limit = { primary_window: { used_percent: 30 } }
    const body = {
      additional_rate_limits: [
        { limit_name: 'Fox', rate_limit },
        { metered_feature: 'codex_y', rate_limit },
        { rate_limit },
        { limit_name: 'Empty', rate_limit: { primary_window: null } },
      ],
    }
    const windows = [{ kind: 'unknown', usedPercent: 30, observedAtMs: NOW, source: 'usage' }]
    expect(readingOfUsage(body, NOW)).toEqual({
      limits: [
        { limitId: 'Fox', name: 'Fox', windows },
        { limitId: 'codex_y', windows },
      ],
    })
  })

  it.each([
    ['the plan', { plan_type: 'pro' }, { limits: [], planType: 'pro' }],
    [
      'credits',
      { credits: { has_credits: true, unlimited: false } },
      { limits: [], credits: { hasCredits: true, unlimited: false } },
    ],
    [
      'the plan and banked resets',
      { plan_type: 'pro', rate_limit_reset_credits: { available_count: 0 } },
      { limits: [], planType: 'pro', resetCredits: 0 },
    ],
    [
      'the plan, whatever form the rest has',
      {
        plan_type: 'pro',
        rate_limit: 7,
        credits: 'x',
        additional_rate_limits: {},
        rate_limit_reset_credits: { available_count: 'two' },
      },
      { limits: [], planType: 'pro' },
    ],
  ])('counts when it tells nothing but %s', (_name, body, reading) => {
    expect(readingOfUsage(body, NOW)).toEqual(reading)
  })

  it.each([
    ['nothing of it', {}],
    ['banked resets alone', { rate_limit_reset_credits: { available_count: 2 } }],
    ['no object', 'quota'],
    ['windows of another form', { rate_limit: { primary_window: 5, secondary_window: 'x' } }],
  ])('is nothing when it tells %s', (_name, body) => {
    expect(readingOfUsage(body, NOW)).toBeUndefined()
  })
})
