import { readFile } from 'node:fs/promises'

import { describe, expect, it } from 'vitest'

import { parseEvents } from '../../lib/history/pool-events.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { ask, coreOver, firstTurn, FULL, ROOMY, type Stage } from '../support/core-over.js'
import { homeIn } from '../support/home.js'

const limited = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ name: `used-${String(index)}`, windows: FULL }))

/** What the user was told on the screen, once all of it is told. */
async function toastsOf(stage: Stage): Promise<readonly string[]> {
  await stage.core.close()
  return stage.said.filter((said) => !/^(?:debug|info|warn|error): /.test(said))
}

describe('a request that passes accounts at their limit', () => {
  it('is one toast, however many they are: how many, until when, and who continues', async () => {
    const stage = await coreOver([...limited(20), { name: 'roomy', windows: ROOMY }])
    expect((await ask(stage.core, await firstTurn(), 'ses_1')).status).toBe(200)
    const toasts = await toastsOf(stage)
    expect(toasts).toHaveLength(1)
    expect(toasts[0]).toMatch(
      /^\d+ accounts are at a limit, the first until .+; continuing with Account 21 \(.+\)\.$/,
    )
    const { noticesFile } = resolvePaths(homeIn(stage.home))
    const [event, ...others] = parseEvents(await readFile(noticesFile, 'utf8'))
    expect(others).toEqual([])
    expect(event).toMatchObject({ kind: 'switch', why: expect.stringMatching(/limit until /) })
  })

  it('names the one account, its limit and its end', async () => {
    const stage = await coreOver([...limited(1), { name: 'roomy', windows: ROOMY }])
    expect((await ask(stage.core, await firstTurn(), 'ses_1')).status).toBe(200)
    const toasts = await toastsOf(stage)
    expect(toasts).toEqual([
      expect.stringMatching(
        /^Account 1 \(.+\) is at its 5-hour limit until .+; continuing with Account 2 \(.+\)\.$/,
      ),
    ])
  })

  it('is one short error and no toast where nobody can serve', async () => {
    const stage = await coreOver(limited(20))
    const { status, text } = await ask(stage.core, await firstTurn(), 'ses_1')
    expect(status).toBe(403)
    const { message } = (JSON.parse(text) as { error: { message: string } }).error
    expect(message).toMatch(
      /^All 20 accounts are at a limit; the first is free again .+\. See each account: npx oc-codex-multi-auth status --why$/,
    )
    expect(message.length).toBeLessThan(160)
    expect(await toastsOf(stage)).toEqual([])
  })

  it('names commands as they work where the error is read', async () => {
    const stage = await coreOver(limited(2), { place: () => 'tui' })
    const { text } = await ask(stage.core, await firstTurn(), 'ses_1')
    expect(text).toContain('/codex-status --why')
    expect(text).not.toMatch(/npx|\{status/)
  })
})
