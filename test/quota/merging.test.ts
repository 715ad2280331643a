import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { systemClock } from '../../lib/kernel/clock.js'
import { silentLogger } from '../../lib/kernel/logger.js'
import { createQuotaLedger } from '../../lib/quota/ledger.js'
import {
  formatLedger,
  type LedgerState,
  mergedLedgers,
  parseLedger,
  withAlerts,
  withBlock,
  withoutBlocks,
  withoutReadings,
  withReading,
} from '../../lib/quota/ledger-state.js'
import type { QuotaReading } from '../../lib/quota/readings.js'
import type { Block, QuotaWindow } from '../../lib/routing/limits.js'
import { temporaryFolder } from '../support/temporary.js'

const NOW = 1_800_000_000_000
const DAY_MS = 86_400_000

const windowAt = (atMs: number, changes: Partial<QuotaWindow> = {}): QuotaWindow => ({
  kind: 'weekly',
  usedPercent: 10,
  resetsAtMs: atMs + DAY_MS,
  observedAtMs: atMs,
  source: 'headers',
  ...changes,
})
const reading = (atMs: number, changes: Partial<QuotaReading> = {}): QuotaReading => ({
  limits: [{ limitId: 'codex', windows: [windowAt(atMs)] }],
  ...changes,
})
const block = (changes: Partial<Block> = {}): Block => ({
  scope: 'limit:codex',
  reason: 'usage_limit',
  source: 'body',
  sinceMs: NOW,
  untilMs: NOW + DAY_MS,
  ...changes,
})
const observed = (atMs: number, changes: Partial<QuotaReading> = {}): LedgerState =>
  withReading({}, 'a', reading(atMs, changes), atMs)

describe('a reading', () => {
  it('replaces its own family alone, with the name the backend gives it, and marks nothing as lifted', () => {
    const first = observed(NOW)
    const second = withReading(
      first,
      'a',
      { limits: [{ limitId: 'codex_x', name: 'X', windows: [windowAt(NOW + 5)] }] },
      NOW + 5,
    )
    expect(second).toEqual({
      a: {
        limits: {
          codex: { windows: [windowAt(NOW)] },
          codex_x: { name: 'X', windows: [windowAt(NOW + 5)] },
        },
        blocks: [],
        readAtMs: NOW + 5,
      },
    })
  })

  it('that says nothing of credits, plan or banked resets leaves what was known of them', () => {
    const credits = { hasCredits: true, unlimited: false }
    const known = observed(NOW, { credits, planType: 'plus', resetCredits: 2 })
    expect(withReading(known, 'a', reading(NOW + 1), NOW + 1).a).toMatchObject({
      credits,
      planType: 'plus',
      resetCredits: 2,
    })
    const told = { credits: { hasCredits: false, unlimited: false }, planType: 'pro' }
    expect(
      withReading(known, 'a', reading(NOW + 1, { ...told, resetCredits: 0 }), NOW + 1).a,
    ).toMatchObject({ ...told, resetCredits: 0 })
  })

  it('leaves the other accounts as they are', () => {
    const others = withBlock({}, 'b', block())
    expect(withReading(others, 'a', reading(NOW), NOW).b).toBe(others.b)
    expect(withBlock(observed(NOW), 'b', block()).a).toEqual(observed(NOW).a)
  })
})

describe('a block', () => {
  it('takes the place of one of the same scope and reason alone', () => {
    const kept = [block({ reason: 'rate_limit' }), block({ scope: '*' })]
    const state = [block(), ...kept].reduce<LedgerState>(
      (before, one) => withBlock(before, 'a', one),
      {},
    )
    const younger = block({ sinceMs: NOW + 1, untilMs: NOW + 9 })
    expect(withBlock(state, 'a', younger).a?.blocks).toEqual([...kept, younger])
  })

  it('is lifted with all others, or with those of one scope, and the time of it is kept for other processes', () => {
    const both = withBlock(withBlock({}, 'a', block()), 'a', block({ scope: '*' }))
    expect(withoutBlocks(both, 'a', '*', NOW + 5).a).toMatchObject({
      blocks: [block()],
      lifted: { '*': NOW + 5 },
    })
    expect(withoutBlocks(both, 'a', undefined, NOW + 5).a).toEqual({
      limits: {},
      blocks: [],
      lifted: { '*': NOW + 5, 'limit:codex': NOW + 5 },
    })
  })
})

describe('alerts', () => {
  it('are none for an account nothing is known of, nor for one with room, and nothing is to be written then', () => {
    for (const state of [{}, observed(NOW)])
      expect(withAlerts(state, 'a', NOW)).toEqual({ state, alerts: [] })
    const state = observed(NOW)
    expect(withAlerts(state, 'a', NOW).state).toBe(state)
  })

  it('come from every family, each once', () => {
    const low = (limitId: string) => ({
      limitId,
      windows: [windowAt(NOW, { usedPercent: 96 })],
    })
    const state = withReading({}, 'a', { limits: [low('codex'), low('codex_x')] }, NOW)
    const first = withAlerts(state, 'a', NOW)
    expect(first.alerts.map(({ limitId, level }) => [limitId, level])).toEqual([
      ['codex', 5],
      ['codex_x', 5],
    ])
    expect(withAlerts(first.state, 'a', NOW).alerts).toEqual([])
    // Another process that reads the same file is silent too, until the window is long over.
    const shared = mergedLedgers({}, parseLedger(formatLedger(first.state)), NOW)
    expect(withAlerts(shared, 'a', NOW).alerts).toEqual([])
    expect(Object.keys(shared.a?.alerted ?? {})).toHaveLength(2)
    // The memory of windows that are over stayed in the file when there was no other.
    const later = mergedLedgers(shared, shared, NOW + 3 * DAY_MS)
    expect(later.a?.alerted).toBeUndefined()
  })
})

describe('two processes that know different things', () => {
  it('keep of every fact the younger one, whoever merges', () => {
    const older = observed(NOW, { planType: 'plus', resetCredits: 3 })
    const younger = observed(NOW + 5, { planType: 'pro' })
    for (const [ours, theirs] of [
      [older, younger],
      [younger, older],
    ] as const) {
      expect(mergedLedgers(ours, theirs, NOW + 6)).toEqual({
        a: {
          limits: { codex: { windows: [windowAt(NOW + 5)] } },
          blocks: [],
          readAtMs: NOW + 5,
          planType: 'pro',
          resetCredits: 3,
        },
      })
    }
  })

  it('keep of a family the younger windows, also where the account was read later by the one with the older', () => {
    const x = { limits: [{ limitId: 'codex_x', windows: [windowAt(NOW + 9)] }] }
    const late = withReading(observed(NOW), 'a', x, NOW + 9)
    const early = observed(NOW + 5)
    for (const [ours, theirs] of [
      [late, early],
      [early, late],
    ] as const)
      expect(mergedLedgers(ours, theirs, NOW + 10).a?.limits).toEqual({
        codex: { windows: [windowAt(NOW + 5)] },
        codex_x: { windows: [windowAt(NOW + 9)] },
      })
  })

  it('keep our own fact where both are of the same moment', () => {
    const ours = observed(NOW, { planType: 'ours' })
    const theirs = withReading(
      {},
      'a',
      {
        planType: 'theirs',
        limits: [{ limitId: 'codex', windows: [windowAt(NOW, { usedPercent: 77 })] }],
      },
      NOW,
    )
    const { a } = mergedLedgers(ours, theirs, NOW)
    expect([a?.planType, a?.limits.codex?.windows[0]?.usedPercent]).toEqual(['ours', 10])
  })

  it('keep of a block the younger one, and every block of another scope or reason', () => {
    const younger = block({ sinceMs: NOW + 5, untilMs: NOW + 2 * DAY_MS })
    const others = [block({ scope: '*' }), block({ reason: 'rate_limit' })]
    const ours = withBlock({}, 'a', block())
    const theirs = [younger, ...others].reduce<LedgerState>(
      (before, one) => withBlock(before, 'a', one),
      {},
    )
    expect(mergedLedgers(ours, theirs, NOW + 6).a?.blocks).toEqual([younger, ...others])
    expect(new Set(mergedLedgers(theirs, ours, NOW + 6).a?.blocks)).toEqual(
      new Set([younger, ...others]),
    )
  })

  it('keep accounts that one of them knows alone', () => {
    const ours = withBlock({}, 'a', block())
    const theirs = withBlock({}, 'b', block())
    expect(mergedLedgers(ours, theirs, NOW)).toEqual({ ...ours, ...theirs })
  })

  it('keep the latest time a block was lifted: an older copy of the block would come back', () => {
    const blocked = withBlock({}, 'a', block())
    const early = withoutBlocks(blocked, 'a', undefined, NOW + 5)
    const late = withoutBlocks(blocked, 'a', undefined, NOW + 9)
    for (const [ours, theirs] of [
      [early, late],
      [late, early],
    ] as const)
      expect(mergedLedgers(ours, theirs, NOW + 10).a?.lifted).toEqual({ 'limit:codex': NOW + 9 })
    const seenBetween = withBlock({}, 'a', block({ sinceMs: NOW + 9 }))
    expect(mergedLedgers(late, seenBetween, NOW + 10).a?.blocks).toEqual([])
    const seenAfter = withBlock({}, 'a', block({ sinceMs: NOW + 10 }))
    expect(mergedLedgers(late, seenAfter, NOW + 10).a?.blocks).toHaveLength(1)
  })

  it('keep a reading that is younger than a clearing by hand, and none that is as old', () => {
    const cleared = withoutReadings(observed(NOW), 'a', NOW + 5)
    expect(cleared.a?.readAtMs).toBeUndefined()
    expect(mergedLedgers(cleared, observed(NOW + 5), NOW + 9).a?.limits).toEqual({})
    expect(Object.keys(mergedLedgers(cleared, observed(NOW + 6), NOW + 9).a?.limits ?? {})).toEqual(
      ['codex'],
    )
    const nothing: LedgerState = {}
    expect(withoutReadings(nothing, 'a', NOW)).toBe(nothing)
  })
})

describe('what is long over', () => {
  it('is forgotten: readings after forty days, blocks at their end, marks of lifted blocks after a day', () => {
    const read = observed(NOW)
    const age = (ms: number) => mergedLedgers(read, read, NOW + ms)
    expect(age(40 * DAY_MS - 1).a?.limits.codex).toBeDefined()
    expect(age(40 * DAY_MS)).toEqual({})
    const blocked = withBlock({}, 'a', block({ untilMs: NOW + 10 }))
    expect(mergedLedgers(blocked, blocked, NOW + 9).a?.blocks).toHaveLength(1)
    expect(mergedLedgers(blocked, blocked, NOW + 10)).toEqual({})
    const lifted = withoutBlocks(blocked, 'a', undefined, NOW)
    expect(mergedLedgers(lifted, lifted, NOW + DAY_MS - 1).a?.lifted).toEqual({
      'limit:codex': NOW,
    })
    expect(mergedLedgers(lifted, lifted, NOW + DAY_MS)).toEqual({})
  })

  it('of an account with something else left is forgotten too', () => {
    const state = withBlock(
      withoutBlocks(withBlock(observed(NOW), 'a', block()), 'a', undefined, NOW),
      'a',
      block({ scope: '*', sinceMs: NOW + 1, untilMs: NOW + 50 * DAY_MS }),
    )
    const { a } = mergedLedgers(state, state, NOW + 41 * DAY_MS)
    expect([a?.limits, a?.blocks.length, a && 'lifted' in a]).toEqual([{}, 1, false])
  })
})

describe('the file of the ledger', () => {
  it('brings back everything that was written', () => {
    const credits = { hasCredits: true, unlimited: false, balance: '7' }
    const full = withAlerts(
      withoutBlocks(
        [
          block({ detail: 'weekly limit' }),
          block({ scope: 'model:x', reason: 'forbidden' }),
        ].reduce(
          (state, one) => withBlock(state, 'a', one),
          withReading(
            {},
            'a',
            {
              limits: [
                {
                  limitId: 'codex',
                  name: 'Codex',
                  windows: [windowAt(NOW, { usedPercent: 99, windowMinutes: 10_080 })],
                },
              ],
              credits,
              planType: 'plus',
              resetCredits: 1,
            },
            NOW,
          ),
        ),
        'a',
        'model:x',
        NOW,
      ),
      'a',
      NOW,
    ).state
    expect(parseLedger(formatLedger(full))).toEqual(full)
  })

  it.each([
    'usage_limit',
    'rate_limit',
    'usage_not_included',
    'unauthorized',
    'forbidden',
    'workspace_deactivated',
    'model_not_supported',
  ] as const)(
    'keeps a block for the reason %s (a limited account would be asked again)',
    (reason) => {
      const state = withBlock({}, 'a', block({ reason }))
      expect(parseLedger(formatLedger(state))).toEqual(state)
    },
  )

  it.each(['headers', 'event', 'body', 'usage'] as const)(
    'keeps what was learned from %s',
    (source) => {
      const state = withBlock({}, 'a', block({ source }))
      expect(parseLedger(formatLedger(state))).toEqual(state)
    },
  )

  it.each(['five_hour', 'weekly', 'monthly', 'unknown'] as const)(
    'keeps a window of the kind %s',
    (kind) => {
      const windows = [windowAt(NOW, { kind })]
      const state = withReading({}, 'a', { limits: [{ limitId: 'codex', windows }] }, NOW)
      expect(parseLedger(formatLedger(state))).toEqual(state)
    },
  )

  it('loses the broken entry alone, not what stands beside it', () => {
    const good = withBlock(observed(NOW), 'a', block())
    const file = JSON.parse(formatLedger(good))
    file.accounts.a.blocks = [...file.accounts.a.blocks, { scope: 7 }, 'x']
    file.accounts.a.limits.odd = 'x'
    const { codex } = file.accounts.a.limits
    codex.windows = [...codex.windows, { kind: 'yearly' }]
    file.accounts.b = 7
    expect(parseLedger(JSON.stringify(file))).toEqual(good)
    expect(parseLedger('{"version":1,"accounts":7}')).toEqual({})
    expect(() => parseLedger('{"version":2,"accounts":{}}')).toThrow()
  })
})

describe('the ledger', () => {
  const open = (file: string, more: object = {}) =>
    createQuotaLedger({ file, clock: systemClock, log: silentLogger, ...more })

  it.each([
    [{ hasCredits: true, unlimited: false }, true],
    [{ hasCredits: false, unlimited: true }, true],
    [{ hasCredits: false, unlimited: false }, false],
    [undefined, false],
  ])('says of credits %j whether there are any: %s', (credits, has) => {
    const ledger = open('/nowhere/quota.json')
    expect(ledger.hasCredits('a')).toBe(false)
    ledger.observe('a', reading(NOW, credits === undefined ? {} : { credits }), NOW)
    expect(ledger.hasCredits('a')).toBe(has)
  })

  it('leaves out what is over and keeps the rest', () => {
    const ledger = open('/nowhere/quota.json')
    ledger.block('a', block({ untilMs: NOW + 10 }))
    ledger.block('a', block({ scope: '*', untilMs: NOW + 20 }))
    ledger.observe(
      'a',
      {
        limits: [
          {
            limitId: 'codex',
            windows: [
              windowAt(NOW, { resetsAtMs: NOW + 10 }),
              windowAt(NOW, { kind: 'monthly', resetsAtMs: NOW + 20 }),
            ],
          },
          { limitId: 'codex_x', windows: [windowAt(NOW, { resetsAtMs: NOW + 10 })] },
        ],
      },
      NOW - 1,
    )
    expect(ledger.activeBlocks('a', NOW + 9)).toHaveLength(2)
    expect(ledger.activeBlocks('a', NOW + 10).map(({ scope }) => scope)).toEqual(['*'])
    expect(ledger.activeBlocks('b', NOW)).toEqual([])
    const windows = ledger.windowsByLimit('a', NOW + 10)
    expect(Object.entries(windows).map(([id, { length }]) => [id, length])).toEqual([['codex', 1]])
    expect(ledger.windowsByLimit('b', NOW)).toEqual({})
    expect(ledger.of('a')?.blocks).toHaveLength(2)
    expect(ledger.of('b')).toBeUndefined()
  })

  it('tells every reading on, and is cleared with its readings when no scope is named', () => {
    const told: unknown[] = []
    const ledger = open('/nowhere/quota.json', {
      onReading: (...one: unknown[]) => void told.push(one),
    })
    ledger.block('a', block())
    ledger.observe('a', reading(NOW - 1, { planType: 'plus' }), NOW - 1)
    expect(told).toEqual([['a', reading(NOW - 1, { planType: 'plus' }), NOW - 1]])
    ledger.clear('a', NOW + 5)
    expect([ledger.activeBlocks('a', NOW + 6), ledger.windowsByLimit('a', NOW + 6)]).toEqual([
      [],
      {},
    ])
    expect(ledger.of('a')?.planType).toBe('plus')
  })

  it('writes what it knows when it is flushed, and reads it again', async () => {
    const file = path.join(await temporaryFolder(), 'quota.json')
    const ledger = open(file)
    ledger.block('a', block({ untilMs: Date.now() + DAY_MS }))
    await ledger.flush()
    expect(JSON.parse(await readFile(file, 'utf8')).accounts.a.blocks).toHaveLength(1)
    await ledger.close()
    await writeFile(file, formatLedger(withBlock({}, 'b', block())))
    const next = open(file)
    await next.load()
    expect(next.activeBlocks('b', NOW)).toHaveLength(1)
    await next.close()
  })
})
