import { chmod, mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { fingerprintOf } from '../../lib/tokens/token-rules.js'
import { RefreshJournal } from '../../lib/tokens/journal/journal.js'
import { tokenStage } from '../support/token-stage.js'

describe('tokens.access', () => {
  it('answers a good token at once, without a promise and without the network', async () => {
    const { newTokens, account, server } = await tokenStage()
    const grant = newTokens().access(account)
    expect(grant).toMatchObject({ token: 'at_first' })
    expect(server.counts).toEqual({ rotated: 0, reused: 0, failed: 0 })
  })

  it('spends one refresh for 20 requests at once on an expired token', async () => {
    const { newTokens, account, server, store } = await tokenStage({ expiresInMs: -1000 })
    const tokens = newTokens()
    const grants = await Promise.all(Array.from({ length: 20 }, async () => tokens.access(account)))
    expect(new Set(grants.map((grant) => grant.token))).toEqual(new Set(['at_a_1']))
    expect(server.counts).toEqual({ rotated: 1, reused: 0, failed: 0 })
    expect((await store.read()).accounts[0]).toMatchObject({ accessToken: 'at_a_1' })
  })

  it('lets several instances over one file adopt one refresh', async () => {
    const { newTokens, account, server } = await tokenStage({ expiresInMs: -1000 })
    const instances = [newTokens(), newTokens(), newTokens(), newTokens()]
    server.delayMs = 50
    const grants = await Promise.all(
      instances.flatMap((tokens) => [0, 1].map(async () => tokens.access(account))),
    )
    expect(new Set(grants.map((grant) => grant.token)).size).toBe(1)
    expect(server.counts).toMatchObject({ rotated: 1, reused: 0 })
  })

  it('goes on with the old token when the login server is down and the token is still valid', async () => {
    const { newTokens, account, server, complaints } = await tokenStage({ expiresInMs: 30_000 })
    server.script.push({ status: 503, body: {} })
    expect(await newTokens().access(account)).toMatchObject({ token: 'at_first' })
    expect(complaints).toContain(
      'Early refresh for Account 1 did not work; the current token still does.',
    )
  })

  it('marks the account and says how to log in again when the refresh token is dead', async () => {
    const { newTokens, account, server, store } = await tokenStage({ expiresInMs: -1000 })
    server.script.push({ status: 401, body: { error: { code: 'refresh_token_expired' } } })
    const tokens = newTokens()
    await expect(tokens.access(account)).rejects.toMatchObject({
      code: 'login_required',
      hint: expect.stringContaining('{login}'),
    })
    expect((await store.read()).accounts[0]?.needsLogin?.reason).toContain('expired unused')
    await expect(tokens.access(account)).rejects.toMatchObject({ code: 'login_required' })
    expect(server.counts.failed).toBe(1)
  })

  it('asks a failing login server once, not once per request', async () => {
    const { newTokens, account, server } = await tokenStage({ expiresInMs: -1000 })
    server.script.push({ status: 500, body: {} }, { status: 500, body: {} })
    const tokens = newTokens()
    for (let attempt = 0; attempt < 2; attempt += 1)
      await expect(tokens.access(account)).rejects.toMatchObject({
        code: 'refresh_failed',
        message: 'Account 1: the login server did not refresh the token.',
        hint: expect.stringContaining('{doctor}'),
      })
    expect(server.counts.failed).toBe(1)
  })

  it('does not spend a token whose successor could not be stored', async () => {
    const { newTokens, account, server, dir } = await tokenStage({ expiresInMs: -1000 })
    await mkdir(dir, { recursive: true })
    // A file in place of the journal's folder: as root, permissions alone would not stop the write.
    const { rm, writeFile } = await import('node:fs/promises')
    await rm(dir, { recursive: true })
    await writeFile(dir, '')
    await expect(newTokens().access(account)).rejects.toMatchObject({ code: 'store_not_written' })
    expect(server.counts.rotated).toBe(0)
    await chmod(path.dirname(dir), 0o700)
  })

  it('survives short-lived tokens without a refresh per request', async () => {
    const { newTokens, account, server } = await tokenStage({
      expiresInMs: -1000,
      lifetimeSeconds: 30,
    })
    const tokens = newTokens()
    const first = await tokens.access(account)
    await tokens.access(first.account)
    await tokens.access(first.account)
    expect(server.counts.rotated).toBe(1)
  })
})

describe('tokens.afterUnauthorized', () => {
  it('adopts a token somebody else has stored meanwhile, without spending anything', async () => {
    const { newTokens, account, server, store } = await tokenStage()
    await store.update((pool) => ({
      ...pool,
      accounts: [{ ...pool.accounts[0]!, accessToken: 'at_other', tokenRotatedAt: Date.now() }],
    }))
    expect(await newTokens().afterUnauthorized(account, 'at_first')).toMatchObject({
      token: 'at_other',
    })
    expect(server.counts.rotated).toBe(0)
  })

  it('refreshes once, and not again when even the new token is refused', async () => {
    const { newTokens, account, server } = await tokenStage()
    const tokens = newTokens()
    const grant = await tokens.afterUnauthorized(account, 'at_first')
    expect(grant.token).toBe('at_a_1')
    await expect(tokens.afterUnauthorized(grant.account, grant.token)).rejects.toMatchObject({
      code: 'refresh_failed',
      message: 'Account 1: the backend rejects the token even right after a refresh.',
      hint: 'Sign in to this account again: {login}',
    })
    expect(server.counts.rotated).toBe(1)
  })
})

describe('tokens.recover', () => {
  it('brings home what a killed process had received but not stored', async () => {
    const { newTokens, dir, refreshToken, store, file, account } = await tokenStage()
    await new RefreshJournal(dir).write(fingerprintOf(refreshToken), {
      state: 'received',
      pool: file,
      uid: account.uid,
      startedAt: Date.now(),
      tokens: {
        accessToken: 'at_saved',
        refreshToken: 'rt_saved',
        expiresAt: Date.now() + 3_600_000,
      },
    })
    await newTokens().recover()
    expect((await store.read()).accounts[0]).toMatchObject({
      accessToken: 'at_saved',
      refreshToken: 'rt_saved',
    })
    expect(await new RefreshJournal(dir).list()).toEqual([])
  })
})

describe('what lies on the disk', () => {
  it('holds the refresh token in the account file and nowhere else after a refresh', async () => {
    const { newTokens, account, file, dir } = await tokenStage({ expiresInMs: -1000 })
    await newTokens().access(account)
    expect(await readFile(file, 'utf8')).toContain('rt_a_2')
    expect(await new RefreshJournal(dir).list()).toEqual([])
  })
})
