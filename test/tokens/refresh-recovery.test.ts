import { readdir } from 'node:fs/promises'

import { describe, expect, it } from 'vitest'

import { withoutAccount } from '../../lib/accounts/edits.js'
import type { JournalEntry } from '../../lib/tokens/journal/entry.js'
import { RefreshJournal, RECEIVED_MAX_AGE_MS } from '../../lib/tokens/journal/journal.js'
import { tryLease } from '../../lib/tokens/lease.js'
import { fingerprintOf } from '../../lib/tokens/token-rules.js'
import { tokenStage } from '../support/token-stage.js'

const ELSEWHERE = 'd'.repeat(32)

async function journalStage() {
  const stage = await tokenStage()
  const journal = new RefreshJournal(stage.dir)
  const base = { pool: stage.file, uid: stage.account.uid, startedAt: Date.now() - 3_600_000 }
  const failed = (change: Partial<JournalEntry> = {}) =>
    ({
      state: 'failed',
      ...base,
      failedAt: 1,
      retryAt: 2,
      attempts: 3,
      answered: false,
      ...change,
    }) as JournalEntry
  const received = (change: Partial<JournalEntry> = {}) =>
    ({
      state: 'received',
      ...base,
      tokens: {
        accessToken: 'at_saved',
        refreshToken: 'rt_saved',
        expiresAt: Date.now() + 3_600_000,
      },
      ...change,
    }) as JournalEntry
  return { ...stage, journal, failed, received, own: fingerprintOf(stage.refreshToken) }
}

describe('what is left in the journal at a start', () => {
  it('is kept while it explains the loss of a token that is still there, and while it belongs to another account file', async () => {
    const stage = await journalStage()
    await stage.journal.write(stage.own, stage.failed())
    await stage.journal.write(ELSEWHERE, stage.failed({ pool: '/home/other/accounts.json' }))
    await stage.newTokens().recover()
    expect(await stage.journal.read(stage.own)).toEqual(stage.failed())
    expect(await stage.journal.read(ELSEWHERE)).toEqual(
      stage.failed({ pool: '/home/other/accounts.json' }),
    )
  })

  it('goes when nobody has the token of it any more, or after a month', async () => {
    const stage = await journalStage()
    await stage.journal.write(ELSEWHERE, stage.failed())
    await stage.journal.write(
      stage.own,
      stage.failed({ startedAt: Date.now() - 31 * 24 * 3_600_000 }),
    )
    await stage.newTokens().recover()
    expect(await stage.journal.list()).toEqual([])
  })

  it('holds tokens of removed accounts for months, since they may come back with a backup, and not for ever', async () => {
    const stage = await journalStage()
    await stage.store.update((pool) => withoutAccount(pool, stage.account.uid))
    await stage.journal.write(stage.own, stage.received())
    await stage.journal.write(
      ELSEWHERE,
      stage.received({ startedAt: Date.now() - RECEIVED_MAX_AGE_MS - 60_000 }),
    )
    await stage.newTokens().recover()
    expect(await stage.journal.list()).toEqual([stage.own])
    expect(await stage.journal.read(stage.own)).toMatchObject({
      tokens: { refreshToken: 'rt_saved' },
    })
  })

  it('is left to whoever is at work on it, and is free again when we are done (a lease that stayed held up the next refresh)', async () => {
    const stage = await journalStage()
    await stage.journal.write(stage.own, stage.received())
    const theirs = await tryLease(stage.dir, stage.own)
    await stage.newTokens().recover()
    expect((await stage.store.read()).accounts[0]?.refreshToken).toBe(stage.refreshToken)
    await theirs?.release()
    await stage.newTokens().recover()
    expect((await stage.store.read()).accounts[0]?.refreshToken).toBe('rt_saved')
    expect(await readdir(stage.dir)).toEqual([])
  })
})
