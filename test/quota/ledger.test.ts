import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { systemClock } from '../../lib/kernel/clock.js'
import { CALM_MS } from '../../lib/kernel/files/state-file.js'
import { silentLogger } from '../../lib/kernel/logger.js'
import { createQuotaLedger } from '../../lib/quota/ledger.js'
import {
  isWorthTelling,
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
import type { Block } from '../../lib/routing/limits.js'
import { temporaryFolder } from '../support/temporary.js'

const NOW = Date.now()
const block = (changes: Partial<Block> = {}): Block => ({
  scope: 'limit:codex',
  reason: 'usage_limit',
  source: 'body',
  sinceMs: NOW,
  untilMs: NOW + 60_000,
  ...changes,
})
const reading = (usedPercent: number, atMs = NOW + 1): QuotaReading => ({
  limits: [
    {
      limitId: 'codex',
      windows: [
        {
          kind: 'five_hour',
          usedPercent,
          resetsAtMs: atMs + 60_000,
          observedAtMs: atMs,
          source: 'headers',
        },
      ],
    },
  ],
})

describe('a block by a limit', () => {
  it('is lifted by a younger reading with room in every window', () => {
    const state = withReading(withBlock({}, 'a', block()), 'a', reading(40), NOW + 1)
    expect(state.a?.blocks).toEqual([])
  })

  it('stays when the reading is exhausted, or speaks of another family', () => {
    const blocked = withBlock({}, 'a', block())
    expect(withReading(blocked, 'a', reading(100), NOW + 1).a?.blocks).toHaveLength(1)
    const other: QuotaReading = {
      limits: [{ limitId: 'codex_x', windows: reading(1).limits[0]!.windows }],
    }
    expect(withReading(blocked, 'a', other, NOW + 1).a?.blocks).toHaveLength(1)
  })

  it('stays while one of several windows is used up: room in the 5-hour window is none in the week', () => {
    const [room] = reading(40).limits[0]!.windows
    const spent = { ...room!, kind: 'weekly' as const, usedPercent: 100 }
    for (const windows of [[room!, spent], [spent, room!], []]) {
      expect(
        withReading(
          withBlock({}, 'a', block()),
          'a',
          { limits: [{ limitId: 'codex', windows }] },
          NOW + 1,
        ).a?.blocks,
      ).toHaveLength(1)
    }
  })

  it('stays when the reading is older than the block, or the reason is no limit', () => {
    expect(
      withReading(withBlock({}, 'a', block({ sinceMs: NOW + 1 })), 'a', reading(40), NOW + 1).a
        ?.blocks,
    ).toHaveLength(1)
    expect(
      withReading(withBlock({}, 'a', block({ reason: 'rate_limit' })), 'a', reading(40), NOW + 1).a
        ?.blocks,
    ).toHaveLength(1)
  })

  it('does not come back from a process that still holds it once another one has read that there is room', async () => {
    const file = path.join(await temporaryFolder(), 'quota.json')
    const [holder, reader, third] = [0, 1, 2].map(() =>
      createQuotaLedger({ file, clock: systemClock, log: silentLogger }),
    )
    holder!.block('a', block())
    await holder!.flush()
    await reader!.load()
    reader!.observe('a', reading(40, NOW + 5), NOW + 5)
    await reader!.close()
    holder!.block('b', block())
    await holder!.close()
    await third!.load()
    expect([third!.activeBlocks('a', NOW + 6), third!.activeBlocks('b', NOW + 6).length]).toEqual([
      [],
      1,
    ])
    await third!.close()
  })

  it('does not come back from the copy of another process once it was lifted', () => {
    const theirs = withBlock({}, 'a', block())
    const ours = withoutBlocks(theirs, 'a', undefined, NOW + 5)
    expect(mergedLedgers(ours, theirs, NOW + 6).a?.blocks).toEqual([])
    expect(mergedLedgers(theirs, ours, NOW + 6).a?.blocks).toEqual([])
  })

  it('comes back when it is seen again after it was lifted', () => {
    const lifted = withoutBlocks(withBlock({}, 'a', block()), 'a', undefined, NOW + 5)
    const again = withBlock(lifted, 'a', block({ sinceMs: NOW + 9 }))
    expect(mergedLedgers(again, lifted, NOW + 10).a?.blocks).toHaveLength(1)
  })
})

describe('clearing an account by hand', () => {
  it('of one scope leaves its other blocks and its readings, here and where another process merges them', async () => {
    const file = path.join(await temporaryFolder(), 'quota.json')
    const [one, other] = [0, 1].map(() =>
      createQuotaLedger({ file, clock: systemClock, log: silentLogger }),
    )
    one!.block('a', block())
    one!.block('a', block({ scope: 'model:gpt-5.5', reason: 'model_not_supported' }))
    one!.observe('a', reading(100, NOW), NOW - 1)
    await one!.flush()
    await other!.load()
    one!.clear('a', NOW + 5, 'model:gpt-5.5')
    const left = (ledger: typeof one): unknown => [
      ledger!.activeBlocks('a', NOW + 6).map(({ scope }) => scope),
      Object.keys(ledger!.windowsByLimit('a', NOW + 6)),
    ]
    expect(left(one)).toEqual([['limit:codex'], ['codex']])
    await one!.close()
    other!.block('b', block())
    await other!.close()
    const third = createQuotaLedger({ file, clock: systemClock, log: silentLogger })
    await third.load()
    expect(left(third)).toEqual([['limit:codex'], ['codex']])
    await third.close()
  })

  it('of a scope without a block changes nothing', () => {
    const state = withBlock({}, 'a', block())
    expect(withoutBlocks(state, 'a', 'model:gpt-5.5', NOW + 1)).toBe(state)
    expect(withoutBlocks(state, 'nobody', undefined, NOW + 1)).toBe(state)
  })

  it('forgets its readings, also those other processes still have', () => {
    const theirs = withReading({}, 'a', reading(100), NOW)
    const ours = withoutReadings(theirs, 'a', NOW + 5)
    expect(mergedLedgers(ours, theirs, NOW + 6).a?.limits).toEqual({})
  })
})

describe('a reading worth telling', () => {
  const before = withReading({}, 'a', reading(40), NOW)
  const after = (used: number, laterMs = 1_000, from = before) =>
    isWorthTelling(
      from.a,
      withAlerts(
        withReading(from, 'a', reading(used, NOW + laterMs), NOW + laterMs),
        'a',
        NOW + laterMs,
      ).state.a!,
    )

  it.each([
    ['the first of an account', () => after(40, 0, {})],
    ['the first after a long silence', () => after(41, 11 * 60_000)],
    ['one from a clock that was set back for long', () => after(41, -11 * 60_000)],
    ['one that reaches a level', () => after(76)],
    ['one that uses a window up', () => after(100)],
    [
      'one that ends a window that was used up',
      () => after(40, 2_000, withReading({}, 'a', reading(100), NOW)),
    ],
    [
      'one that lifts a block',
      () => after(41, 2_000, withBlock(before, 'a', block({ sinceMs: NOW + 1_000 }))),
    ],
  ])('is %s', (_, isTold) => {
    expect(isTold()).toBe(true)
  })

  it('is none that only moves the percentage', () => {
    expect([after(40), after(41), after(74), after(0)]).toEqual([false, false, false, false])
  })
})

describe('mergedLedgers', () => {
  const states: fc.Arbitrary<LedgerState> = fc
    .array(
      fc.tuple(
        fc.constantFrom('a', 'b'),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 0, max: 120 }),
        fc.boolean(),
      ),
      { maxLength: 6 },
    )
    .map((steps) =>
      steps.reduce<LedgerState>(
        (state, [uid, at, used, isBlock]) =>
          isBlock
            ? withBlock(state, uid, block({ sinceMs: NOW + at }))
            : withReading(state, uid, reading(used, NOW + at), NOW + at),
        {},
      ),
    )

  it('keeps of every limit family the younger reading', () => {
    fc.assert(
      fc.property(states, states, (ours, theirs) => {
        const merged = mergedLedgers(ours, theirs, NOW + 100)
        for (const uid of ['a', 'b']) {
          const times = [ours, theirs].map(
            (state) => state[uid]?.limits.codex?.windows[0]?.observedAtMs ?? 0,
          )
          expect(merged[uid]?.limits.codex?.windows[0]?.observedAtMs ?? 0).toBe(Math.max(...times))
        }
      }),
    )
  })

  it('changes nothing when it is merged with itself', () => {
    fc.assert(
      fc.property(states, (state) => {
        const once = mergedLedgers(state, state, NOW + 100)
        expect(mergedLedgers(once, once, NOW + 100)).toEqual(once)
      }),
    )
  })
})

describe('quota ledger', () => {
  const ledgerAt = (file: string, watch = false) =>
    createQuotaLedger({ file, clock: systemClock, log: silentLogger, watch })

  it('lets another process know, and keeps what that one knew', async () => {
    const file = path.join(await temporaryFolder(), 'quota.json')
    const one = ledgerAt(file)
    const two = ledgerAt(file)
    one.observe('a', reading(10), NOW + 1)
    await one.close()
    two.block('b', block())
    await two.close()
    const three = ledgerAt(file)
    await three.load()
    expect(three.activeBlocks('b', NOW + 1)).toHaveLength(1)
    expect(three.windowsByLimit('a', NOW + 1).codex).toHaveLength(1)
    await three.close()
  })

  it('writes a block and a level at once, and a reading that says little calmly', async () => {
    const file = path.join(await temporaryFolder(), 'quota.json')
    const ledger = ledgerAt(file)
    const stored = async () =>
      parseLedger(await readFile(file, 'utf8').catch(() => '{"version":1,"accounts":{}}'))
    ledger.observe('a', reading(10), NOW)
    await expect.poll(async () => (await stored()).a?.readAtMs).toBe(NOW)
    ledger.observe('a', reading(11), NOW + 1)
    ledger.observe('b', reading(76), NOW + 1)
    await expect.poll(async () => (await stored()).b?.alerted).toBeDefined()
    ledger.block('c', block())
    await expect.poll(async () => (await stored()).c?.blocks).toHaveLength(1)
    const timers = vi.spyOn(globalThis, 'setTimeout')
    onTestFinished(() => timers.mockRestore())
    ledger.observe('a', reading(12, NOW + 2), NOW + 2)
    expect(timers.mock.lastCall?.[1]).toBe(CALM_MS)
    await ledger.close()
    expect((await stored()).a?.readAtMs).toBe(NOW + 2)
  })

  it('follows the changes of other processes while it lives', async () => {
    const file = path.join(await temporaryFolder(), 'quota.json')
    const one = ledgerAt(file, true)
    await one.load()
    const two = ledgerAt(file)
    two.block('b', block())
    await two.close()
    await expect.poll(() => one.activeBlocks('b', NOW + 1)).toHaveLength(1)
    await one.close()
  })

  it('tells a level once, however often it is read and in however many processes (a toast with every answer)', async () => {
    const file = path.join(await temporaryFolder(), 'quota.json')
    const told: string[] = []
    const open = () =>
      createQuotaLedger({
        file,
        clock: systemClock,
        log: silentLogger,
        onAlert: (uid, { level }) => void told.push(`${uid} ${level}`),
      })
    const one = open()
    for (const used of [10, 76, 77, 91, 92]) one.observe('a', reading(used), NOW + 1)
    one.observe('b', reading(91), NOW + 1)
    expect(told).toEqual(['a 25', 'a 10', 'b 10'])
    await one.close()
    const two = open()
    await two.load()
    two.observe('a', reading(93), NOW + 2)
    await two.close()
    expect(told).toHaveLength(3)
  })

  it('says nothing of blocks and windows that are over', () => {
    const ledger = ledgerAt('/nowhere/quota.json')
    ledger.block('a', block({ untilMs: NOW + 10 }))
    ledger.observe('a', reading(100), NOW)
    expect(ledger.activeBlocks('a', NOW + 11)).toEqual([])
    expect(ledger.windowsByLimit('a', NOW + 70_000)).toEqual({})
  })

  it('starts anew over a file it cannot understand', async () => {
    const file = path.join(await temporaryFolder(), 'quota.json')
    await writeFile(file, '{"version":')
    const ledger = ledgerAt(file)
    await ledger.load()
    ledger.block('a', block())
    await ledger.close()
    expect(JSON.parse(await readFile(file, 'utf8')).accounts.a.blocks).toHaveLength(1)
  })
})
