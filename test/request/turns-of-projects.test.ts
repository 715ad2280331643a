import { expect, it } from 'vitest'

import { ask, coreOver, firstTurn } from '../support/core-over.js'

it.each([
  ['its name and a hash, never the path', 'shop frontend', /^shop-frontend-[0-9a-f]{12}$/],
  ['nothing outside of a project', undefined, undefined],
])('the history keeps of the folder an answer was for: %s', async (_what, project, kept) => {
  const { core, home } = await coreOver(['personal'], project === undefined ? {} : { project })
  expect((await ask(core, await firstTurn())).status).toBe(200)
  const turns = (await core.runtime.history.read()).filter((entry) => entry.type === 'turn')
  expect(turns).toHaveLength(1)
  if (kept === undefined) expect(turns[0]).not.toHaveProperty('project')
  else expect(turns[0]?.project).toMatch(kept)
  expect(JSON.stringify(turns)).not.toContain(home)
})
