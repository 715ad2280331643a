import { expect, it, onTestFinished } from 'vitest'

import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { openRuntime } from '../../lib/open-runtime.js'
import { aHome, homeIn } from '../support/home.js'
import { anAccount } from '../support/records.js'
import { toolData } from '../support/run-tool.js'

/** Another id for the same credit would redeem it once more after an update. */
it('the id of a redemption is that of every earlier version', async () => {
  const home = await aHome([anAccount('a', { uid: 'acc_0123456789ab' })])
  const sent: unknown[] = []
  const runtime = openRuntime({
    env: homeIn(home),
    directory: home,
    paths: resolvePaths(homeIn(home)),
    host: { log: () => undefined, toast: () => undefined },
    watch: false,
    fetch: async (_url, init) => {
      if (typeof init?.body !== 'string')
        return Response.json({ credits: [{ id: 'credit_1', status: 'available' }] })
      sent.push(JSON.parse(init.body))
      return Response.json({ code: 'nothing_to_reset', windows_reset: 0 })
    },
  })
  onTestFinished(() => runtime.close())
  await toolData(runtime, 'reset', { action: 'consume', confirm: true })
  expect(sent).toEqual([
    { redeem_request_id: '6e9659eb-1fe2-44b8-a245-bc57e3dba329', credit_id: 'credit_1' },
  ])
})
