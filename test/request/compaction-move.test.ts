import { expect, it } from 'vitest'

import { ask, coreOver, firstTurn, served } from '../support/core-over.js'

it('moves a session off an account that is nearly used up when the host compacts it, says so in the trace, and stays there', async () => {
  let compacts = false
  const { core, simulator } = await coreOver(
    [
      {
        name: 'low',
        windows: [{ minutes: 10_080, limit: 100_000, used: 95_000, resetsInMs: 86_400_000 }],
      },
      {
        name: 'full',
        windows: [{ minutes: 10_080, limit: 100_000, used: 5_000, resetsInMs: 86_400_000 }],
      },
    ],
    { isCompacting: (session) => compacts && session === 'ses_1' },
  )
  const { runtime } = core
  const [low] = (await runtime.store.read()).accounts
  runtime.sessions.set('ses_1', low!.uid, Date.now())
  const body = await firstTurn()

  await ask(core, body)
  await ask(core, body)
  compacts = true
  await ask(core, body)
  compacts = false
  await ask(core, body)

  expect(served(simulator)).toEqual(['low', 'low', 'full', 'full'])
  const choices = runtime.trace.recent().map(({ attempts }) => attempts[0]?.choice)
  expect(choices).toEqual(['session', 'session', 'compaction', 'session'])
})
