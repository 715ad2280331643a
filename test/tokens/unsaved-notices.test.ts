import { describe, expect, it } from 'vitest'

import type { Account } from '../../lib/accounts/account.js'
import { type UnsavedTokens, UnsavedNotices } from '../../lib/tokens/unsaved-notices.js'
import { systemClock } from '../../lib/kernel/clock.js'
import { tokenStage } from '../support/token-stage.js'

const MINUTE = 60_000
const IN_MEMORY: UnsavedTokens = { uid: 'acc_1', place: 'memory', why: 'ENOSPC', sinceMs: 1 }

async function noticeStage() {
  const { store, account } = await tokenStage()
  const shown: { title: string | undefined; message: string }[] = []
  const logged: string[] = []
  const clock = { nowMs: 10 * MINUTE }
  const notices = new UnsavedNotices(
    {
      store,
      clock: { ...systemClock, now: () => clock.nowMs },
      log: { log: (level, message) => void logged.push(`${level} ${message}`) },
      label: () => 'work',
      toast: ({ title, message }) => void shown.push({ title, message }),
    },
    new Map<string, Account>([['acc_1', account]]),
  )
  return { notices, shown, logged, clock }
}

describe('the message about new tokens that no disk has', () => {
  it('comes once a minute for an account however often the disk is tried, and at once for another account', async () => {
    const { notices, shown, logged, clock } = await noticeStage()
    notices.tell(IN_MEMORY)
    clock.nowMs += MINUTE - 1
    notices.tell(IN_MEMORY)
    expect(shown).toHaveLength(1)
    notices.tell({ ...IN_MEMORY, uid: 'acc_2' })
    expect(shown[1]?.message).toMatch(/^An account: /)
    clock.nowMs += 1
    notices.tell(IN_MEMORY)
    expect(shown).toHaveLength(3)
    expect(shown[0]).toEqual({
      title: 'Codex login in danger',
      message: expect.stringContaining('work: the new tokens could not be written to any disk'),
    })
    expect(logged[0]).toBe(`error ${shown[0]?.message}`)
  })

  it('comes again when the clock was set back by more than a minute', async () => {
    const { notices, shown, clock } = await noticeStage()
    notices.tell(IN_MEMORY)
    clock.nowMs -= MINUTE
    notices.tell(IN_MEMORY)
    expect(shown).toHaveLength(2)
  })

  it('is not for tokens that are safe in the journal', async () => {
    const { notices, shown, logged } = await noticeStage()
    notices.tell({ ...IN_MEMORY, place: 'journal' })
    expect([shown, logged]).toEqual([[], []])
  })

  it('is taken back once, and only where it was given', async () => {
    const { notices, shown, logged } = await noticeStage()
    notices.tellSaved('acc_1')
    expect([shown, logged]).toEqual([[], []])
    notices.tell(IN_MEMORY)
    notices.tellSaved('acc_1')
    notices.tellSaved('acc_1')
    expect(shown.slice(1)).toEqual([
      { title: 'Codex accounts', message: 'work: the new tokens are saved now.' },
    ])
    expect(logged[1]).toBe('info work: the new tokens are saved now.')
    notices.tell(IN_MEMORY)
    expect(shown).toHaveLength(3)
  })
})
