import { expect, it, onTestFinished } from 'vitest'

import { openCommandDialog } from '../../lib/dialog-entry.js'
import { dataForTui } from '../../lib/calls-entry.js'
import { answerQuestions, askProcess } from '../../lib/tui/process-channel.js'
import { ask, coreOver, firstTurn } from '../support/core-over.js'
import { tuiHost } from '../support/tui-host.js'

it('a question is answered by the server of its folder, and by nobody else', async () => {
  const here = answerQuestions('/here', async (asked) => ({ here: asked }))
  const there = answerQuestions('/there', async () => {
    throw new Error('not asked')
  })
  onTestFinished(() => {
    here.close()
    there.close()
  })
  expect(await askProcess({ id: '1', directory: '/here', asked: 7 }, 5_000)).toEqual({ here: 7 })
  expect(await askProcess({ id: '2', directory: '/there', asked: 7 }, 50)).toBeUndefined()
  expect(await askProcess({ id: '3', directory: '/nowhere', asked: 7 }, 50)).toBeUndefined()
})

it('the dialogs show the counters and decisions of the thread that sends the requests', async () => {
  const { core, home } = await coreOver(['a', 'b'])
  await ask(core, await firstTurn())
  const server = answerQuestions(home, (asked) => dataForTui(core.runtime, asked))
  onTestFinished(() => server.close())
  const { ui, waitFor } = tuiHost()
  const opening = {
    ui,
    where: { env: core.runtime.env, directory: home },
    view: () => undefined,
    now: () => Date.now(),
  }
  await openCommandDialog(opening, 'metrics', '')
  expect(await waitFor('Counter')).not.toContain('has sent no request')
  await openCommandDialog(opening, 'status', '--why')
  expect(await waitFor('w without reasons')).not.toContain('No decision yet')
})
