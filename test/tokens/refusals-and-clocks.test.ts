import { writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { withAccount } from '../../lib/accounts/edits.js'
import { type Clock, systemClock } from '../../lib/kernel/clock.js'
import { formatPool } from '../../lib/accounts/store/pool-format.js'
import { storeWith } from '../support/store-with.js'
import { tokenStage } from '../support/token-stage.js'

const HOUR = 3_600_000

describe('a refresh token that another program has spent', () => {
  it('is given a moment, in which the other stores its successor: that is used, and nobody has to sign in again', async () => {
    const { newTokens, account, store, server } = await tokenStage({ expiresInMs: -1000 })
    server.script.push({ status: 401, body: { error: { code: 'refresh_token_reused' } } })
    const waiting = Promise.resolve(newTokens().access(account))
    await expect.poll(() => server.counts.failed, { timeout: 15_000 }).toBe(1)
    await store.update((pool) =>
      withAccount(pool, account.uid, (one) => ({
        ...one,
        refreshToken: 'rt_other',
        accessToken: 'at_other',
        expiresAt: Date.now() + HOUR,
      })),
    )
    expect((await waiting).token).toBe('at_other')
    expect((await store.read()).accounts[0]?.needsLogin).toBeUndefined()
    expect(server.counts).toMatchObject({ failed: 1, reused: 0, rotated: 0 })
  })
})

describe('an account that needs a new sign-in', () => {
  it('is refused after some looks where the file forgets every token that is found for it: no request turns in a circle', async () => {
    const stage = await tokenStage({ expiresInMs: -HOUR })
    const marked = {
      ...stage.account,
      accountUserId: 's',
      needsLogin: { since: 1, reason: 'The sign-in has ended.' },
    }
    let changes = 0
    const forgetful = storeWith(stage.store, {
      read: async () => ({ version: 3, accounts: [marked], activeIndex: 0 }),
      update: async (change) => {
        changes += 1
        return change({ version: 3, accounts: [marked], activeIndex: 0 })
      },
    })
    const tokens = stage.newTokens({
      store: forgetful,
      poolFiles: {
        list: async () => [path.join(stage.folder, 'other.json')],
        store: () => forgetful,
      },
    })
    await writeFile(
      path.join(stage.folder, 'other.json'),
      formatPool({
        version: 3,
        accounts: [{ ...marked, needsLogin: undefined, refreshToken: 'rt_there' }],
        activeIndex: 0,
      }),
    )
    await expect(tokens.refreshNow(marked)).rejects.toMatchObject({
      code: 'login_required',
      message: 'Account 1: The sign-in has ended.',
    })
    expect(changes).toBeGreaterThan(1)
    expect(changes).toBeLessThan(100)
    expect(stage.server.counts.rotated).toBe(0)
  })
})

describe('a pause after a failed refresh', () => {
  it('ends when the clock is set back before its begin: an account would rest for hours', async () => {
    let aheadMs = HOUR
    const clock: Clock = { now: () => Date.now() + aheadMs, sleep: systemClock.sleep }
    const stage = await tokenStage({ expiresInMs: -HOUR, clock })
    stage.server.script.push({ status: 503, body: {} })
    const failed = stage.newTokens().access(stage.account)
    await expect(failed).rejects.toMatchObject({ code: 'refresh_failed' })
    // Another window, which knows of the failure from the disk alone.
    await expect(stage.newTokens().access(stage.account)).rejects.toMatchObject({
      code: 'refresh_failed',
    })
    expect([stage.server.counts.failed, stage.server.counts.rotated]).toEqual([1, 0])
    aheadMs = 0
    expect((await stage.newTokens().access(stage.account)).token).toBe('at_a_1')
  })
})
