import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import type { PersonalityValue } from '../../lib/config/personality-value.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { personalityPart } from '../../lib/shell/personality-part.js'
import type { Place } from '../../lib/shell/turns.js'
import { temporaryFolder } from '../support/temporary.js'
import { homeIn } from '../support/home.js'

/** The part of a session in a home with one text, and the messages the host was given to show. */
async function stage(personality: PersonalityValue, place: Place = 'root') {
  const home = await temporaryFolder()
  const folder = path.join(home, '.config', 'opencode', 'personalities')
  await mkdir(folder, { recursive: true })
  await writeFile(path.join(folder, 'keeper.md'), 'Speak as one.')
  const shown: string[] = []
  const client = {
    tui: {
      showToast: async ({ body }: { body: { message: string } }) => void shown.push(body.message),
    },
  }
  const env = homeIn(home)
  const part = personalityPart(
    { personality },
    { client: client as never, directory: home },
    {
      paths: resolvePaths(env),
      env,
      turns: { of: () => undefined, placeOf: async () => place, forget: () => undefined },
    },
  )
  const turn = { session: 's', agent: 'build', model: 'gpt-5.5', purpose: 'conversation' as const }
  return { part, shown, folder, ask: async (agent = 'build') => part?.({ ...turn, agent }) }
}

describe('the personality of a turn', () => {
  it('is no part of anything while no name is chosen', async () => {
    expect((await stage('none')).part).toBeUndefined()
    expect((await stage({ agents: { plan: 'none' } })).part).toBeUndefined()
  })

  it('is the text with its contract', async () => {
    const { ask, shown } = await stage('keeper')
    expect(await ask()).toMatch(/^# Personality\n\n[^]*\nSpeak as one\.\n<\/personality>$/)
    expect(shown).toEqual([])
  })

  it('that cannot speak is told once, with what to do, and comes back by itself', async () => {
    const { ask, shown, folder } = await stage('gone')
    expect(await ask()).toBeUndefined()
    expect(await ask()).toBeUndefined()
    await expect.poll(() => shown.length).toBe(1)
    expect(shown[0]).toMatch(/^There is no text "gone".*Requests go out without it\. Help: /)
    expect(shown[0]).not.toMatch(/[{}]/)
    await writeFile(path.join(folder, 'gone.md'), 'Back.')
    expect(await ask()).toContain('Back.')
  })

  it('is for a sub-agent only where it is named, and for a session the host does not know', async () => {
    const child = await stage({ default: 'keeper', agents: { explore: 'keeper' } }, 'child')
    expect(await child.ask('general')).toBeUndefined()
    expect(await child.ask('explore')).toContain('Speak as one.')
    expect(await (await stage('keeper', 'unknown')).ask()).toContain('Speak as one.')
  })
})
