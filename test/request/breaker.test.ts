import { describe, expect, it } from 'vitest'

import { BREAKER_THRESHOLD } from '../../lib/request/breaker.js'
import { toolData } from '../support/run-tool.js'
import { ask, coreOver, firstTurn, FULL, ROOMY, served } from '../support/core-over.js'

/** A port on which nobody listens. */
const DEAD = 'http://127.0.0.1:9/v1'

describe('the breaker of a host', () => {
  it('leaves the other hosts alone: a dead endpoint of a key keeps no ChatGPT account from serving', async () => {
    const { core, simulator } = await coreOver([{ name: 'a', windows: FULL }, 'key'], {
      change: (account, index) =>
        index === 0
          ? account
          : {
              kind: 'api-key',
              apiKey: 'sk-test-0123456789',
              baseUrl: DEAD,
              addedAt: 1,
              lastUsed: 0,
            },
    })
    const body = await firstTurn()
    const failures = (): number => core.runtime.metrics.snapshot().counters['failures.network'] ?? 0
    await Promise.all(
      Array.from({ length: BREAKER_THRESHOLD }, (_, count) => ask(core, body, `ses_${count}`)),
    )
    const before = failures()
    await ask(core, body, 'ses_refused')
    expect(failures()).toBe(before)

    simulator.patchAccount('a', { windows: ROOMY })
    await toolData(core.runtime, 'limits')
    const from = simulator.requests.length
    expect((await ask(core, body, 'ses_other')).status).toBe(200)
    expect(served(simulator, from)).toEqual(['a'])
  })
})
