import { readdir } from 'node:fs/promises'

import { describe, expect, it } from 'vitest'

import { withoutAccount } from '../../lib/accounts/edits.js'
import { intentOf, type JournalEntry, type StartedEntry } from '../../lib/tokens/journal/entry.js'
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

describe('a refresh that another process has begun', () => {
  const begun = async (change: Partial<StartedEntry> = {}) => {
    const stage = await journalStage()
    const base = { pool: stage.file, uid: stage.account.uid, startedAt: Date.now() - 3_600_000 }
    await stage.journal.write(ELSEWHERE, { ...intentOf(base, undefined), ...change })
    return { ...stage, unsaved: () => stage.newTokens().unsaved() }
  }

  it('has brought tokens that are not saved when it lasts longer than any answer', async () => {
    expect(await (await begun()).unsaved()).toEqual([
      expect.stringContaining(`Account 1: process ${process.pid} holds new tokens`),
    ])
  })

  it('is nothing to speak of while its answer may be on its way', async () => {
    const stage = await begun({ startedAt: Date.now() })
    const lease = await tryLease(stage.dir, ELSEWHERE)
    expect(await stage.unsaved()).toEqual([])
    await lease?.release()
  })

  it('is spoken of as soon as it has given its right back without saying what came of it', async () => {
    expect(await (await begun({ startedAt: Date.now() })).unsaved()).toHaveLength(1)
  })

  it('is spoken of when it keeps its right for longer than any answer takes', async () => {
    const stage = await begun()
    const lease = await tryLease(stage.dir, ELSEWHERE)
    expect(await stage.unsaved()).toHaveLength(1)
    await lease?.release()
  })

  it('holds nothing when its process has ended, and neither does one that failed', async () => {
    const stage = await begun({ host: 'elsewhere', scope: 'elsewhere' })
    await stage.journal.write(stage.own, stage.failed())
    expect(await stage.unsaved()).toEqual([])
  })
})
