import { describe, expect, it } from 'vitest'

import { withAccount, withLogin } from '../../lib/accounts/edits.js'
import type { Account } from '../../lib/accounts/account.js'
import { fingerprintOf } from '../../lib/tokens/token-rules.js'
import { tryLease } from '../../lib/tokens/lease.js'
import { BusyElsewhere, PROACTIVE_WAIT_MS } from '../../lib/tokens/tokens.js'
import { systemClock } from '../../lib/kernel/clock.js'
import { failFiles } from '../support/faulty-files.js'
import { hastyClock } from '../support/hasty-clock.js'
import { type TokenStage, tokenStage } from '../support/token-stage.js'

const MINUTE = 60_000

/** The same tokens with the same clock, and one more account in the pool. */
async function addAccount(
  { store, server }: TokenStage,
  name: string,
  change: Partial<Account>,
): Promise<Account> {
  const login = {
    refreshToken: server.grant(name),
    accessToken: `at_${name}`,
    expiresAt: Date.now() + 3 * MINUTE,
    accountId: name,
    addedAt: 0,
    lastUsed: 0,
  }
  const pool = await store.update((before) => withLogin(before, login).pool)
  const { uid } = pool.accounts.at(-1)!
  return (
    await store.update((before) => withAccount(before, uid, (one) => ({ ...one, ...change })))
  ).accounts.at(-1)!
}

const tokenOf = async ({ store }: TokenStage, { uid }: Account): Promise<string | undefined> =>
  (await store.read()).accounts.find((one) => one.uid === uid)?.accessToken

describe('a refresh in the background', () => {
  it('renews what ends within minutes, and spends nothing for accounts that are off, ended, keys, or good for long', async () => {
    const stage = await tokenStage()
    const off = await addAccount(stage, 'off', { enabled: false })
    const ended = await addAccount(stage, 'ended', {
      needsLogin: { since: 1, reason: 'it was revoked' },
    })
    const key = await addAccount(stage, 'key', { kind: 'api-key', apiKey: 'sk-1' })
    const soon = await addAccount(stage, 'soon', {})
    stage.newTokens().refreshSoon([stage.account, off, ended, key, soon].map(({ uid }) => uid))
    await expect.poll(() => tokenOf(stage, soon), { timeout: 10_000 }).toBe('at_soon_1')
    expect(stage.server.counts).toEqual({ rotated: 1, reused: 0, failed: 0 })
    expect(stage.complaints).toEqual([])
  })

  it('leaves a login server alone that failed a moment ago, and goes on with the next account', async () => {
    const stage = await tokenStage({ expiresInMs: 3 * MINUTE })
    const soon = await addAccount(stage, 'soon', {})
    const later = await addAccount(stage, 'later', {})
    stage.server.script.push({ status: 503, body: {} })
    const tokens = stage.newTokens()
    tokens.refreshSoon(['acc_gone', stage.account.uid, soon.uid])
    await expect.poll(() => tokenOf(stage, soon), { timeout: 10_000 }).toBe('at_soon_1')
    expect(stage.complaints).toHaveLength(2)
    tokens.refreshSoon([stage.account.uid, later.uid])
    await expect.poll(() => tokenOf(stage, later), { timeout: 10_000 }).toBe('at_later_2')
    expect([stage.server.counts.failed, stage.complaints.length]).toEqual([1, 2])
  })
})

describe('a request whose token ends within the minute', () => {
  it('is served with a new one', async () => {
    const { newTokens, account } = await tokenStage({ expiresInMs: 30_000 })
    expect(await newTokens().access(account)).toMatchObject({ token: 'at_a_1' })
  })

  it('goes on with the old one when the new one is not there after three seconds, and the new one is stored all the same', async () => {
    const stage = await tokenStage({
      expiresInMs: 30_000,
      clock: hastyClock((ms) => (ms === PROACTIVE_WAIT_MS ? 0 : ms)),
    })
    stage.server.delayMs = 500
    expect(await stage.newTokens().access(stage.account)).toMatchObject({
      token: 'at_first',
    })
    await expect.poll(() => tokenOf(stage, stage.account), { timeout: 10_000 }).toBe('at_a_1')
  })

  it('is cancelled at once by Esc, and not answered with the old one', async () => {
    const stage = await tokenStage({ expiresInMs: 30_000 })
    stage.server.delayMs = 500
    const given = new AbortController()
    const access = Promise.resolve(stage.newTokens().access(stage.account, given.signal))
    await expect.poll(() => stage.server.counts.rotated).toBe(1)
    given.abort(new Error('Esc'))
    await expect(access).rejects.toThrow('Esc')
  })

  it('goes on with the old one at once while another process renews it', async () => {
    const stage = await tokenStage({
      expiresInMs: 30_000,
      clock: hastyClock((ms) => (ms === PROACTIVE_WAIT_MS ? 3_600_000 : ms)),
    })
    const lease = await tryLease(stage.dir, fingerprintOf(stage.refreshToken))
    expect(await stage.newTokens().access(stage.account)).toMatchObject({ token: 'at_first' })
    expect(stage.complaints).toEqual([])
    await lease?.release()
  })
})

describe('a request whose token has ended', () => {
  it('is cancelled at once by Esc; the refresh goes on, for its token is spent', async () => {
    const stage = await tokenStage({ expiresInMs: -1000 })
    stage.server.delayMs = 500
    const esc = new AbortController()
    stage.server.onSpent = () => esc.abort()
    await expect(async () => stage.newTokens().access(stage.account, esc.signal)).rejects.toThrow(
      'aborted',
    )
    await expect.poll(() => tokenOf(stage, stage.account), { timeout: 10_000 }).toBe('at_a_1')
    const before = new AbortController()
    before.abort()
    await expect(
      stage.newTokens().afterUnauthorized(stage.account, 'at_first', before.signal),
    ).rejects.toThrow('aborted')
  })

  it('is answered with what another process stores, soon after it does, and spends nothing', async () => {
    const stage = await tokenStage({ expiresInMs: -1000 })
    const lease = await tryLease(stage.dir, fingerprintOf(stage.refreshToken))
    const asked: boolean[] = []
    const waiting = Promise.resolve(
      stage.newTokens().access(stage.account, undefined, () => asked.push(true) > 0),
    )
    await expect.poll(() => asked).toEqual([true])
    await stage.store.update((pool) =>
      withAccount(pool, stage.account.uid, (one) => ({
        ...one,
        accessToken: 'at_other',
        refreshToken: 'rt_other',
        expiresAt: Date.now() + MINUTE,
      })),
    )
    expect(await waiting).toMatchObject({ token: 'at_other' })
    expect(stage.server.counts.rotated).toBe(0)
    await lease?.release()
  })

  it('renews it itself when the other process gives up', async () => {
    const stage = await tokenStage({ expiresInMs: -1000 })
    const lease = await tryLease(stage.dir, fingerprintOf(stage.refreshToken))
    const waiting = Promise.resolve(
      stage.newTokens().access(stage.account, undefined, () => {
        void lease?.release()
        return true
      }),
    )
    expect(await waiting).toMatchObject({ token: 'at_a_1' })
  })

  it('says so at once when it may not wait, so that another account can serve', async () => {
    const stage = await tokenStage({ expiresInMs: -1000 })
    const lease = await tryLease(stage.dir, fingerprintOf(stage.refreshToken))
    const refused = Promise.resolve(stage.newTokens().access(stage.account, undefined, () => false))
    await expect(refused).rejects.toBeInstanceOf(BusyElsewhere)
    await expect(refused).rejects.toMatchObject({
      code: 'refresh_failed',
      message: 'Account 1: another process is refreshing the token.',
      hint: 'Send the prompt again',
    })
    await lease?.release()
  })

  it('does not wait for ever for a process that hangs, nor longer than its own window lives', async () => {
    const clock = hastyClock(() => 0)
    const stage = await tokenStage({ expiresInMs: -1000, clock })
    const lease = await tryLease(stage.dir, fingerprintOf(stage.refreshToken))
    await expect(async () => stage.newTokens().access(stage.account)).rejects.toMatchObject({
      code: 'refresh_failed',
      message: expect.stringContaining('does not finish'),
      hint: expect.stringContaining('do not respond'),
    })
    expect(clock.pauses.filter((ms) => ms === 20).reduce((sum, ms) => sum + ms, 0)).toBe(45_000)
    const tokens = stage.newTokens()
    await expect(async () =>
      tokens.access(stage.account, undefined, () => tokens.close() instanceof Promise),
    ).rejects.toThrow('shutting down')
    expect(stage.server.counts.rotated).toBe(0)
    await lease?.release()
  }, 120_000)

  it('is renewed once when the clock is set ahead meanwhile: a new token that seems to be over is used, and the backend decides', async () => {
    let aheadMs = 0
    const stage = await tokenStage({
      expiresInMs: -1000,
      clock: { ...systemClock, now: () => Date.now() + aheadMs },
    })
    failFiles('rename', (_from) => {
      if (stage.server.counts.rotated > 0) aheadMs = 24 * 60 * MINUTE
      return undefined
    })
    const tokens = stage.newTokens()
    const first = await tokens.access(stage.account)
    expect(first.token).toBe('at_a_1')
    for (const _again of [1, 2, 3])
      expect((await tokens.access(first.account)).token).toBe('at_a_1')
    expect(stage.server.counts.rotated).toBe(1)
  })

  it('asks for a sign-in, or a key, where there is none, and never sends an empty token', async () => {
    const stage = await tokenStage()
    const tokens = stage.newTokens()
    for (const apiKey of [undefined, '']) {
      const key: Account = { uid: 'acc_key', kind: 'api-key', apiKey, addedAt: 0, lastUsed: 0 }
      expect(() => tokens.access(key)).toThrow(
        expect.objectContaining({ code: 'login_required', message: 'Account 1 has no API key.' }),
      )
      await expect(tokens.refreshNow(key)).rejects.toMatchObject({ code: 'login_required' })
    }
    await stage.store.update((pool) =>
      withAccount(pool, stage.account.uid, ({ accessToken: _none, ...one }) => one),
    )
    expect(await tokens.access({ ...stage.account, accessToken: '' })).toMatchObject({
      token: 'at_a_1',
    })
    await stage.store.update((pool) => ({ ...pool, accounts: [] }))
    await expect(async () =>
      tokens.access({ ...stage.account, accessToken: '' }),
    ).rejects.toMatchObject({
      code: 'login_required',
      message: expect.stringContaining('was removed'),
    })
  })
})

describe('a token that was refused', () => {
  it('is renewed once more when the renewal that was under way brings the very same one', async () => {
    const stage = await tokenStage()
    stage.server.delayMs = 200
    const tokens = stage.newTokens()
    const running = tokens.refreshNow(stage.account)
    const grant = await tokens.afterUnauthorized(stage.account, 'at_a_1')
    expect((await running).token).toBe('at_a_1')
    expect(grant.token).toBe('at_a_2')
  })

  it('of an endpoint with a key asks nobody for another one', async () => {
    const stage = await tokenStage()
    await expect(
      stage
        .newTokens()
        .afterUnauthorized({ ...stage.account, kind: 'api-key', apiKey: 'sk-1' }, 'sk-1'),
    ).rejects.toMatchObject({
      code: 'login_required',
      message: expect.stringContaining('does not accept'),
    })
    expect(stage.server.counts.rotated).toBe(0)
  })
})
