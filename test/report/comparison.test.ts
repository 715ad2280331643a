import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { compared, PERIODS } from '../../lib/report/comparison.js'
import { projectNames, underOneKey } from '../../lib/report/projects.js'
import { anyHistory, DAY, NOW, turn } from './entries.js'

const NAMES = {
  accountOf: (uid: string) => uid,
  projectOf: (key: string | undefined) => key ?? 'unknown',
  isBilled: () => false,
}

describe('a period beside the one before it', () => {
  it('counts each answer in one of the two, and those of before in none', () => {
    const entries = [
      turn({ atMs: NOW - 15 * DAY }),
      turn({ atMs: NOW - 14 * DAY }),
      turn({ atMs: NOW - 8 * DAY }),
      turn({ atMs: NOW - 7 * DAY }),
      turn({ atMs: NOW }),
    ]
    expect(compared(entries, 'week', NOW, NAMES).total.answers).toEqual({
      now: 1,
      before: 2,
      difference: -1,
    })
  })

  it('has the same sum by account, by project and by model, and rows for what was used in one of the two only', () => {
    fc.assert(
      fc.property(anyHistory, fc.constantFrom(...PERIODS), (entries, period) => {
        const { total, accounts, projects, models } = compared(entries, period, NOW, NAMES)
        for (const rows of [accounts, projects, models])
          for (const when of ['now', 'before', 'difference'] as const)
            expect(rows.reduce((sum, { tokens }) => sum + tokens[when], 0)).toBe(total.tokens[when])
      }),
    )
    const once = [turn({ atMs: NOW - 8 * DAY, model: 'old' }), turn({ atMs: NOW, model: 'new' })]
    expect(
      compared(once, 'week', NOW, NAMES)
        .models.map(({ name }) => name)
        .sort(),
    ).toEqual(['new', 'old'])
  })

  it('says from when on the history is there where that is within the time before', () => {
    expect(compared([turn({ atMs: NOW - 9 * DAY })], 'week', NOW, NAMES).beginsMs).toBe(
      NOW - 9 * DAY,
    )
    expect(compared([turn({ atMs: NOW - 20 * DAY })], 'week', NOW, NAMES).beginsMs).toBeNull()
  })

  it('gives answers that were billed no value', () => {
    const names = { ...NAMES, isBilled: (uid: string) => uid === 'key' }
    const entries = [turn({ uid: 'key', inputTokens: 1e6, cachedTokens: 0 })]
    expect(compared(entries, 'day', NOW, names).total.usd.now).toBe(0)
  })
})

describe('names of projects', () => {
  it('are those of the folders, with a part of the hash where two folders share one', () => {
    const keys = ['shop-0123456789ab', 'api-00112233aabb', 'api-ffeeddccbbaa']
    const nameOf = projectNames([...keys, undefined])
    expect([...keys, undefined].map(nameOf)).toEqual([
      'shop',
      'api (0011)',
      'api (ffee)',
      'unknown',
    ])
  })

  it('tell a folder called unknown from what is not known', () => {
    const nameOf = projectNames(['unknown-0123456789ab', undefined])
    expect(nameOf('unknown-0123456789ab')).not.toBe(nameOf(undefined))
  })

  it('are the whole key where that has no hash', () => {
    expect(projectNames(['strange'])('strange')).toBe('strange')
  })
})

describe('the history of a project', () => {
  it('is one, whichever of its keys an answer was kept under; that of others is left alone', () => {
    const project = { key: 'work-1', aliases: ['work-2', 'work-3'] }
    const keys = ['work-1', 'work-2', 'work-3', 'other-1']
    const entries = [...keys.map((one) => turn({ project: one })), turn({})]
    const found = underOneKey(entries, project)
    expect(found.map((entry) => (entry.type === 'turn' ? entry.project : ''))).toEqual([
      'work-1',
      'work-1',
      'work-1',
      'other-1',
      undefined,
    ])
    expect(underOneKey(entries, undefined)).toBe(entries)
    expect(underOneKey(entries, { key: 'work-1', aliases: [] })).toBe(entries)
  })
})
