import { mkdir, rm, utimes } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { type Lease, tryLease } from '../../lib/tokens/lease.js'
import { fingerprintOf } from '../../lib/tokens/token-rules.js'
import { ask, coreOver, firstTurn, ROOMY, type Stage, served } from '../support/core-over.js'

/** Another process holds the right to renew the token of the first account. */
async function leaseOfFirst({ core, home }: Stage): Promise<Lease> {
  const [first] = (await core.runtime.store.read()).accounts
  const lease = await tryLease(
    path.join(home, '.opencode', 'refresh'),
    fingerprintOf(first!.refreshToken),
  )
  onTestFinished(() => lease?.release())
  return lease!
}

const two = (expiresInMs: number): Promise<Stage> =>
  coreOver(['first', { name: 'second', windows: ROOMY }], {
    change: (account, index) => ({
      ...account,
      expiresAt: Date.now() + (index === 0 ? expiresInMs : 3_600_000),
    }),
  })

describe('a request whose account is being renewed by another process', () => {
  it('is served at once by the next account, without a question to the login server', async () => {
    const stage = await two(-1_000)
    await leaseOfFirst(stage)
    const { status } = await ask(stage.core, await firstTurn())
    expect(status).toBe(200)
    expect(served(stage.simulator)).toEqual(['second'])
    expect(stage.simulator.requests.some(({ path: asked }) => asked === '/oauth/token')).toBe(false)
  })

  it('is served with the old token while that is good, also when there is no other account', async () => {
    const stage = await coreOver(['first'], { expiresInMs: 30_000 })
    await leaseOfFirst(stage)
    const { status } = await ask(stage.core, await firstTurn())
    expect([status, served(stage.simulator)]).toEqual([200, ['first']])
  })

  it('goes to the next account also after the backend has refused the old token', async () => {
    const stage = await two(3_600_000)
    stage.simulator.expireAccess('first')
    await leaseOfFirst(stage)
    const { status } = await ask(stage.core, await firstTurn())
    expect(status).toBe(200)
    expect(served(stage.simulator)).toEqual(['first', 'second'])
  })

  it('comes back and waits for the token when nobody else can serve after all', async () => {
    const stage = await two(-1_000)
    stage.simulator.addRules({
      when: { endpoint: 'responses', account: 'second' },
      do: { type: 'usage_limit' },
    })
    const lease = await leaseOfFirst(stage)
    const answer = ask(stage.core, await firstTurn())
    await expect.poll(() => served(stage.simulator), { timeout: 10_000 }).toEqual(['second'])
    await lease.release()
    expect((await answer).status).toBe(200)
    expect(served(stage.simulator)).toEqual(['second', 'first'])
  })

  it('waits at once when it is the only account, and is served when the other process is done', async () => {
    const stage = await coreOver(['first'], { expiresInMs: -1_000 })
    const lease = await leaseOfFirst(stage)
    const answer = ask(stage.core, await firstTurn())
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(served(stage.simulator)).toEqual([])
    await lease.release()
    expect((await answer).status).toBe(200)
  })

  it('is not held up by the lease of a process that died', async () => {
    const stage = await two(-1_000)
    const [first] = (await stage.core.runtime.store.read()).accounts
    const dead = path.join(
      stage.home,
      '.opencode',
      'refresh',
      `${fingerprintOf(first!.refreshToken)}.lock`,
    )
    await mkdir(dead, { recursive: true })
    await utimes(dead, new Date(), new Date())
    expect((await ask(stage.core, await firstTurn())).status).toBe(200)
    expect(served(stage.simulator)).toEqual(['second'])
    await rm(dead, { recursive: true, force: true })
  })
})
