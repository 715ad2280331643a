import { readFile } from 'node:fs/promises'
import path from 'node:path'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { withAccount, withLogin } from '../../lib/accounts/edits.js'
import { mergePools } from '../../lib/accounts/merge.js'
import { withUids } from '../../lib/accounts/store/pool-format.js'
import { codeFromPaste } from '../../lib/login/paste-login.js'
import { accountFromLogin } from '../../lib/login/account-from-login.js'
import { createBreaker } from '../../lib/request/breaker.js'
import { tryLock } from '../../lib/kernel/lock/lock.js'
import {
  answersAsked,
  ask,
  coreOver,
  firstTurn,
  pathsOf,
  RESPONSES,
  served,
} from '../support/core-over.js'
import { sourcesOf } from '../support/repository.js'
import { toolData } from '../support/run-tool.js'
import { temporaryFolder } from '../support/temporary.js'
import { tokenStage } from '../support/token-stage.js'

const pool = (...accounts: Parameters<typeof withUids>[0]) => ({
  version: 3 as const,
  accounts: withUids(accounts),
  activeIndex: 0,
})
const record = (changes: Record<string, unknown> = {}) => ({
  refreshToken: 'rt',
  accountId: 'w',
  accountUserId: 'u',
  addedAt: 1,
  lastUsed: 0,
  ...changes,
})

describe('known defects with credentials', () => {
  it('a change of the pool does not wait for a refresh that is under way', async () => {
    const { newTokens, account, server, store } = await tokenStage({ expiresInMs: -1000 })
    server.delayMs = 1_500
    let isDone = false
    const grant = Promise.resolve(newTokens().access(account)).then((result) => {
      isDone = true
      return result
    })
    await expect.poll(() => server.counts.rotated).toBe(1)
    await store.update((before) =>
      withAccount(before, account.uid, (one) => ({ ...one, accountNote: 'meanwhile' })),
    )
    expect(isDone).toBe(false)
    expect((await grant).token).toBe('at_a_1')
    expect((await store.read()).accounts[0]).toMatchObject({
      accountNote: 'meanwhile',
      accessToken: 'at_a_1',
    })
  })

  it('two locks of one file under different names do not free each other', async () => {
    const file = path.join(await temporaryFolder(), 'pool')
    const outer = await tryLock(`${file}.transaction`, 4_000)
    const inner = await tryLock(`${file}.refresh`, 4_000)
    await inner?.release()
    expect(outer?.isHeld()).toBe(true)
    expect(await tryLock(`${file}.transaction`, 4_000)).toBeUndefined()
    await outer?.release()
  })

  it('whatever is merged, the token that was rotated last stays', () => {
    const stamps = fc.option(fc.nat(1000), { nil: undefined })
    fc.assert(
      fc.property(stamps, stamps, (ours, theirs) => {
        const stamped = (token: string, at: number | undefined) =>
          record({ refreshToken: token, ...(at === undefined ? {} : { tokenRotatedAt: at }) })
        const { accounts } = mergePools(
          pool(stamped('ours', ours)),
          pool(stamped('theirs', theirs)),
        ).pool
        expect(accounts.map(({ refreshToken }) => refreshToken)).toEqual([
          (theirs ?? 0) > (ours ?? 0) ? 'theirs' : 'ours',
        ])
      }),
    )
  })

  it('a check of health that renews a token stores it, so that the next one works too', async () => {
    const { core, simulator } = await coreOver(['a'], { expiresInMs: -1000 })
    expect(await toolData(core.runtime, 'health')).toMatchObject({ healthyCount: 1 })
    expect(await toolData(core.runtime, 'doctor')).toBeTruthy()
    simulator.expireAccess('a')
    expect(await toolData(core.runtime, 'refresh')).toBeTruthy()
    const refreshes = simulator.requests.filter((request) => request.path === '/oauth/token')
    expect(refreshes.map(({ status }) => status)).not.toContain(401)
    expect((await ask(core, await firstTurn())).status).toBe(200)
  })

  it('an edit keeps a token that was rotated elsewhere since it was looked at', async () => {
    const { store, newTokens, account } = await tokenStage({ expiresInMs: -1000 })
    await store.read()
    await newTokens().access(account)
    await store.update((before) =>
      withAccount(before, account.uid, (one) => ({ ...one, accountLabel: 'work' })),
    )
    expect((await store.read()).accounts[0]).toMatchObject({
      accountLabel: 'work',
      accessToken: 'at_a_1',
    })
  })

  it('a caller that comes with the old record after the refresh gets the new token without another one', async () => {
    const { newTokens, account, server } = await tokenStage({ expiresInMs: -1000 })
    const tokens = newTokens()
    await tokens.access(account)
    expect(await tokens.access(account)).toMatchObject({ token: 'at_a_1' })
    expect(server.counts).toEqual({ rotated: 1, reused: 0, failed: 0 })
  })

  it('failures of the network, however many, mark and remove no account', async () => {
    const { newTokens, account, server, store } = await tokenStage({ expiresInMs: -1000 })
    server.script.push(
      ...[500, 502, 429, 400].map((status) => ({
        status,
        body: { error: { code: 'temporarily_unavailable' } },
      })),
    )
    for (let attempt = 0; attempt < 4; attempt += 1)
      await expect(newTokens().refreshNow(account)).rejects.toMatchObject({
        code: 'refresh_failed',
      })
    expect((await store.read()).accounts).toMatchObject([
      { uid: account.uid, refreshToken: account.refreshToken },
    ])
    expect((await store.read()).accounts[0]).not.toHaveProperty('needsLogin')
    expect(await newTokens().refreshNow(account)).toMatchObject({ token: 'at_a_1' })
  })

  it('an empty text in the place of a token never takes the place of a good one', () => {
    const merged = mergePools(
      pool(record({ accessToken: 'at', oauthScope: 'openid' })),
      pool(record({ refreshToken: '', accessToken: 'x', oauthScope: '', tokenRotatedAt: 9 })),
    )
    expect(merged.pool.accounts[0]).toMatchObject({ refreshToken: 'rt', oauthScope: 'openid' })
  })

  it('a login that says nothing of its scope is a usable account', () => {
    const account = accountFromLogin({ accessToken: 'x', refreshToken: 'y', expiresAt: 9 }, 1)
    expect(account.enabled).not.toBe(false)
    expect(account).not.toHaveProperty('oauthScope')
  })

  it('an account that has nothing but a refresh token gets an access token with its first use', async () => {
    const { core, simulator } = await coreOver(['a'], {
      change: ({ accessToken: _token, expiresAt: _expiry, ...rest }) => rest,
    })
    expect((await ask(core, await firstTurn())).status).toBe(200)
    expect(pathsOf(simulator)).toContain('/oauth/token')
  })

  it('nothing of the plugin reads the terminal of the host or writes to it', async () => {
    const sources = await sourcesOf(
      'lib',
      (file) => !file.startsWith('lib/cli/') && !file.startsWith('simulator/'),
    )
    expect(sources.length).toBeGreaterThan(100)
    for (const { file, text } of sources)
      expect(text, file).not.toMatch(
        /process\.stdin|process\.std(?:out|err)\.write|\bconsole\.|node:readline/,
      )
  })

  it('a pasted address gives its code, wherever it holds it', () => {
    const pasted = [
      'http://localhost:1455/auth/callback?code=ac_1&state=S',
      'http://localhost:1455/auth/callback#code=ac_1&state=S',
      '#code=ac_1',
      'ac_1',
    ]
    expect(pasted.map((text) => codeFromPaste(text, 'S'))).toEqual(pasted.map(() => 'ac_1'))
  })

  it('nothing ends the process but the command line', async () => {
    const sources = await sourcesOf('lib', (file) => !file.startsWith('lib/cli/'))
    for (const { file, text } of sources)
      expect(text, file).not.toMatch(/process\.(?:exit|exitCode|abort)\b/)
  })

  it('a token that is refused before its time is renewed once and the request is answered', async () => {
    const { core, simulator } = await coreOver(['a'])
    simulator.expireAccess('a')
    expect((await ask(core, await firstTurn())).text).toContain('response.completed')
    expect(answersAsked(simulator).map(({ status }) => status)).toEqual([401, 200])
    expect(pathsOf(simulator)).toEqual([RESPONSES, '/oauth/token', RESPONSES])
  })

  it('an account whose token stays refused is left alone, and the other one serves', async () => {
    const { core, simulator } = await coreOver(['a', 'b'])
    simulator.addRules({
      when: { endpoint: 'responses', account: 'a' },
      do: { type: 'unauthorized' },
    })
    const body = await firstTurn()
    expect((await ask(core, body)).status).toBe(200)
    const from = simulator.requests.length
    expect((await ask(core, body, 'ses_2')).status).toBe(200)
    expect(served(simulator, from)).toEqual(['b'])
  })

  it('a probe of the half-open breaker that is refused with a 400 closes it: the backend has answered', () => {
    const breaker = createBreaker()
    for (let count = 0; count < 50; count += 1) breaker.failed(1_000)
    const later = 1_000 + 60_000
    expect(breaker.openUntil(later, {})).toBeUndefined()
    breaker.reached()
    const others = [{}, {}].map((request) => breaker.openUntil(later + 1, request))
    expect(others).toEqual([undefined, undefined])
  })

  it('a probe that is aborted lets the next request find out', () => {
    const breaker = createBreaker()
    for (let count = 0; count < 50; count += 1) breaker.failed(1_000)
    const later = 1_000 + 60_000
    const probe = {}
    expect(breaker.openUntil(later, probe)).toBeUndefined()
    breaker.abandoned(probe)
    expect(breaker.openUntil(later + 1, {})).toBeUndefined()
  })

  it('the only account gets a second chance after a connection that was cut', async () => {
    const { core, simulator } = await coreOver(['a'])
    simulator.addRules({
      when: { endpoint: 'responses' },
      times: 1,
      do: { type: 'cut', at: 'connect' },
    })
    expect((await ask(core, await firstTurn())).text).toContain('response.completed')
  })

  it('after a refresh the token lies in one file', async () => {
    const { core, simulator, home } = await coreOver(['a'], { expiresInMs: -1000 })
    await ask(core, await firstTurn())
    const { refreshToken } = (await core.runtime.store.read()).accounts[0] ?? {}
    expect(simulator.requests[0]?.path).toBe('/oauth/token')
    await core.close()
    const { readdir } = await import('node:fs/promises')
    const files = (await readdir(home, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
    const holding: string[] = []
    for (const file of files)
      if ((await readFile(file, 'utf8')).includes(refreshToken ?? 'missing'))
        holding.push(path.basename(file))
    expect(holding).toEqual(['oc-codex-multi-auth-accounts.json'])
  })

  it('every call of the network outside the request path has an end of its own', async () => {
    const sources = await sourcesOf('lib', (file) => !file.startsWith('lib/cli/'))
    const callers = sources.filter(({ text }) =>
      /(?:deps|runtime)\.fetch\(|[^.\w]fetch\((?:`|url|deps)/.test(text),
    )
    expect(callers.map(({ file }) => file)).not.toEqual([])
    for (const { file, text } of callers)
      expect(text, file).toMatch(/AbortSignal\.timeout|headerTimeoutMs/)
  })

  it('no login of another program is ended: no address of a revocation or a logout is called', async () => {
    const sources = await sourcesOf('lib')
    expect(sources.filter(({ text }) => /oauth\/(revoke|logout)/.test(text))).toEqual([])
  })

  it('a refresh keeps the workspace the account was signed in for', async () => {
    const { core, simulator } = await coreOver(['a'], { expiresInMs: -1000 })
    const { accountId } = simulator.account('a')
    await ask(core, await firstTurn())
    expect(answersAsked(simulator).at(-1)?.headers['chatgpt-account-id']).toBe(accountId)
  })

  it('the token of one seat is never written to the record of another', () => {
    const seats = pool(
      record({ accountUserId: 'u1', refreshToken: 'one' }),
      record({ accountUserId: 'u2', refreshToken: 'two' }),
    )
    const { pool: after } = withLogin(seats, record({ accountUserId: 'u2', refreshToken: 'new' }))
    expect(after.accounts.map(({ refreshToken }) => refreshToken)).toEqual(['one', 'new'])
  })
})
