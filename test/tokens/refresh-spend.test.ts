import { storeWith } from '../support/store-with.js'
import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import type { RefreshContext } from '../../lib/tokens/context.js'
import { factsOf } from '../../lib/tokens/login-facts.js'
import { TokenCommitter } from '../../lib/tokens/commit.js'
import type { ReceivedEntry } from '../../lib/tokens/journal/entry.js'
import type { RefreshOutcome } from '../../lib/oauth/oauth-client.js'
import { RefreshJournal } from '../../lib/tokens/journal/journal.js'
import { tryLease } from '../../lib/tokens/lease.js'
import { RefreshMemory } from '../../lib/tokens/memory.js'
import { fingerprintOf, pauseMs } from '../../lib/tokens/token-rules.js'
import { type SpendRequest, spendRefreshToken, type SpendResult } from '../../lib/tokens/spend.js'
import type { AccountStore } from '../../lib/accounts/store/store.js'
import { CodexError } from '../../lib/kernel/errors.js'
import { silentLogger } from '../../lib/kernel/logger.js'
import { failFiles } from '../support/faulty-files.js'
import { hastyClock } from '../support/hasty-clock.js'
import { tokenStage } from '../support/token-stage.js'

const ROTATED: RefreshOutcome = {
  kind: 'rotated',
  tokens: { accessToken: 'at_new', refreshToken: 'rt_new', expiresAt: Date.now() + 3_600_000 },
}

/** One token to spend under its lease, with real files and a login server that answers as told. */
async function spendStage(
  outcome: RefreshOutcome = ROTATED,
  storeOver: (store: AccountStore) => Partial<AccountStore> = () => ({}),
) {
  const stage = await tokenStage({ expiresInMs: -1000 })
  const clock = hastyClock((ms) => (ms === 2_000 ? 3_600_000 : ms))
  const journal = new RefreshJournal(stage.dir)
  const memory = new RefreshMemory(clock)
  const store = storeWith(stage.store, storeOver(stage.store))
  const common = {
    store,
    memory,
    clock,
    log: silentLogger,
    journal,
    copies: { of: async () => [], change: async () => undefined },
    onUnsaved: () => undefined,
    onSaved: () => undefined,
    ended: new AbortController().signal,
  }
  const asked: string[] = []
  const context: RefreshContext = {
    ...common,
    committer: new TokenCommitter(common),
    dir: stage.dir,
    lastSeen: new Map(),
    random: () => 0.5,
    label: () => 'Account 1',
    refreshGrant: async (refreshToken) => {
      asked.push(refreshToken)
      return outcome
    },
  }
  const spender = {
    spend: (one: SpendRequest): Promise<SpendResult> => spendRefreshToken(context, one),
  }
  const fingerprint = fingerprintOf(stage.refreshToken)
  const lease = await tryLease(stage.dir, fingerprint)
  if (lease === undefined) throw new Error('nobody else has the lease')
  const request: SpendRequest = {
    account: stage.account,
    fingerprint,
    reason: 'proactive_expiry',
    unwanted: 'at_first',
    lease,
  }
  const received: ReceivedEntry = {
    state: 'received',
    pool: stage.file,
    uid: stage.account.uid,
    startedAt: Date.now() - 5_000,
    login: factsOf(stage.account),
    tokens: {
      accessToken: 'at_saved',
      refreshToken: 'rt_saved',
      expiresAt: Date.now() + 3_600_000,
    },
  }
  return { ...stage, spender, request, journal, memory, fingerprint, asked, received }
}

const UNWRITABLE = (): Partial<AccountStore> => ({
  update: async () => Promise.reject(new CodexError('store_not_written', 'No room.')),
})

describe('a refresh token', () => {
  it('is not spent by a process that lost the right to it while it slept, and no intent stays behind (two processes spent one token)', async () => {
    const { spender, request, journal, fingerprint, asked, dir, memory, account } =
      await spendStage()
    for (const name of await readdir(dir))
      if (name.includes('.lock.')) await rm(path.join(dir, name))
    await expect(spender.spend(request)).rejects.toMatchObject({
      code: 'refresh_failed',
      message: expect.stringContaining('was lost'),
    })
    expect(asked).toEqual([])
    expect(await journal.read(fingerprint)).toBeUndefined()
    expect(memory.pauseOf(account.uid)).toBeUndefined()
  })

  it('is spent only once its intent is on the disk, which proves that there is room for its successor', async () => {
    const { spender, request, asked, dir } = await spendStage()
    failFiles('open', (target) =>
      target.startsWith(dir) && target.endsWith('.tmp') ? 'ENOSPC' : undefined,
    )
    await expect(spender.spend(request)).rejects.toMatchObject({
      code: 'store_not_written',
      message: expect.stringMatching(/was not refreshed.*ENOSPC/),
    })
    expect(asked).toEqual([])
  })

  it('is not spent where the journal cannot be read: a successor may lie in it', async () => {
    const { spender, request, asked, dir } = await spendStage()
    failFiles('readFile', (target) => (target.startsWith(dir) ? 'EIO' : undefined))
    await expect(spender.spend(request)).rejects.toMatchObject({
      code: 'store_not_written',
      message: expect.stringMatching(
        /was not refreshed because the refresh journal cannot be read \(EIO\)/,
      ),
    })
    expect(asked).toEqual([])
  })

  it('is spent where an entry of it makes no sense: nothing is known of a successor then', async () => {
    const { spender, request, asked, journal, fingerprint, dir, store } = await spendStage()
    await journal.write(fingerprint, {
      state: 'started',
      pool: '/p',
      uid: 'u',
      startedAt: 1,
      host: 'h',
      pid: 1,
    })
    const { writeFile } = await import('node:fs/promises')
    await writeFile(path.join(dir, `${fingerprint}.json`), '{"state":')
    expect(await spender.spend(request)).toMatchObject({
      kind: 'refreshed',
      refreshed: { rotated: true },
    })
    expect(asked).toHaveLength(1)
    expect((await store.read()).accounts[0]?.refreshToken).toBe('rt_new')
  })

  it('is not spent while its successor lies in the journal: that comes into the account file, and the account is looked at anew', async () => {
    const { spender, request, asked, journal, fingerprint, received, store } = await spendStage()
    await journal.write(fingerprint, received)
    expect(await spender.spend(request)).toEqual({ kind: 'again' })
    expect(asked).toEqual([])
    expect((await store.read()).accounts[0]).toMatchObject({
      accessToken: 'at_saved',
      refreshToken: 'rt_saved',
    })
    expect(await journal.list()).toEqual([])
  })

  it('has a successor that serves also while the account file takes nothing', async () => {
    const { spender, request, asked, journal, fingerprint, received } = await spendStage(
      ROTATED,
      UNWRITABLE,
    )
    await journal.write(fingerprint, received)
    expect(await spender.spend(request)).toMatchObject({
      kind: 'refreshed',
      refreshed: { rotated: false, account: { accessToken: 'at_saved' } },
    })
    // The one that was refused is no help; the next may be asked for only when this one is safe.
    await expect(spender.spend({ ...request, unwanted: 'at_saved' })).rejects.toMatchObject({
      code: 'store_not_written',
    })
    expect(asked).toEqual([])
    expect(await journal.read(fingerprint)).toEqual(received)
  })
})

describe('a login server that did not renew a token', () => {
  const failed: RefreshOutcome = { kind: 'failed', detail: 'status 503', answered: true }

  it('is left alone for seconds after the first failure and longer after each, by every window; a command of the user may ask at once', async () => {
    const { spender, request, journal, fingerprint, asked, memory, account } =
      await spendStage(failed)
    const pauses: number[] = []
    for (const attempts of [1, 2, 3]) {
      await expect(spender.spend({ ...request, reason: 'forced' })).rejects.toMatchObject({
        code: 'refresh_failed',
      })
      const entry = await journal.read(fingerprint)
      if (entry?.state !== 'failed') throw new Error('the failure is in the journal')
      expect(entry.attempts).toBe(attempts)
      pauses.push(entry.retryAt - entry.failedAt)
    }
    expect(pauses).toEqual([1_500, 3_000, 6_000])
    // Another window, which remembers nothing, finds the pause in the journal.
    memory.endPause(account.uid)
    await expect(spender.spend(request)).rejects.toMatchObject({ code: 'refresh_failed' })
    expect(asked).toHaveLength(3)
    expect(memory.pauseOf(account.uid)).toBeDefined()
  })

  it('is left alone as long as it asks for', async () => {
    const { spender, request, journal, fingerprint } = await spendStage({
      ...failed,
      retryAfterMs: 90_000,
    })
    await expect(spender.spend(request)).rejects.toThrow()
    const entry = await journal.read(fingerprint)
    expect(entry?.state === 'failed' && entry.retryAt - entry.failedAt).toBe(90_000)
  })

  it('is left alone after an answer without an access token too, whose refresh token is kept', async () => {
    const { spender, request, store, memory, account } = await spendStage({
      kind: 'rotated',
      tokens: { refreshToken: 'rt_new' },
    })
    await expect(spender.spend(request)).rejects.toMatchObject({ code: 'refresh_failed' })
    expect((await store.read()).accounts[0]).toMatchObject({
      refreshToken: 'rt_new',
      accessToken: 'at_first',
    })
    expect(memory.pauseOf(account.uid)).toBeDefined()
  })

  it('waits 1 to 2 s after the first failure, never more than a minute by our own choice, nor five by its own', () => {
    expect([
      pauseMs(1, undefined, 0),
      pauseMs(1, undefined, 1),
      pauseMs(2, undefined, 1),
      pauseMs(3, undefined, 1),
    ]).toEqual([1_000, 2_000, 4_000, 8_000])
    for (const attempts of [6, 20, 5_000]) expect(pauseMs(attempts, undefined, 1)).toBe(60_000)
    expect([pauseMs(1, 30_000, 0), pauseMs(1, 3_600_000, 0), pauseMs(9, 1_000, 0)]).toEqual([
      30_000, 300_000, 30_000,
    ])
  })
})
