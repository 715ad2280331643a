import path from 'node:path'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { namesIn, type PersonalityValue } from '../../lib/config/personality-value.js'
import { mergeSettings } from '../../lib/config/resolve.js'
import { resolveConfig } from '../../lib/config/load.js'
import { SETTINGS } from '../../lib/config/settings.js'
import { chosenFor } from '../../lib/personality/choice.js'
import { isHereIn } from '../../lib/personality/here.js'
import { nameFrom, problemOfOwnName } from '../../lib/personality/names.js'

const turn = { agent: 'build', model: 'gpt-5.5', isChild: false }
const choose = (value: PersonalityValue, asking: Partial<typeof turn> = {}, here = '') =>
  chosenFor(value, { ...turn, ...asking }, (folder) => folder === here)

describe('the personality of a request', () => {
  const value = {
    default: 'general',
    agents: { plan: 'of-plan', explore: 'of-explore', build: 'none' },
    models: { 'gpt-5.5': 'of-model' },
    projects: { '/work': 'of-project' },
  }

  it('is that of the agent, then of the model, of the project, and of everything', () => {
    expect(choose(value, { agent: 'plan' }, '/work')).toBe('of-plan')
    expect(choose(value, { agent: 'other' }, '/work')).toBe('of-model')
    expect(choose(value, { agent: 'other', model: 'gpt-5.4' }, '/work')).toBe('of-project')
    expect(choose(value, { agent: 'other', model: 'gpt-5.4' })).toBe('general')
    expect(choose('mine')).toBe('mine')
  })

  it('knows a project by its folder, in full or from the home folder, and by nothing that may be another one', () => {
    const home = path.resolve('/home/me')
    const isHere = isHereIn(path.join(home, 'work'), home)
    for (const folder of [path.join(home, 'work'), '~/work'])
      expect(isHere(folder), folder).toBe(true)
    for (const folder of ['work', './work', '~', '~work', '~other/work', ''])
      expect(isHere(folder), folder).toBe(false)
  })

  it('is nothing for an agent, a model or a project that is set to none', () => {
    expect(choose(value)).toBeUndefined()
    expect(choose({ default: 'mine', models: { 'gpt-5.5': 'none' } })).toBeUndefined()
    expect(choose({ default: 'mine', projects: { '/work': 'none' } }, {}, '/work')).toBeUndefined()
  })

  it('knows a model by its other names', () => {
    expect(choose({ models: { 'openai/gpt-5.5': 'mine' } })).toBe('mine')
  })

  it('speaks in a sub-agent only where that agent is named', () => {
    expect(choose(value, { agent: 'general', isChild: true }, '/work')).toBeUndefined()
    expect(choose(value, { agent: 'explore', isChild: true })).toBe('of-explore')
  })

  it('takes no member of an object for the name of an agent', () => {
    expect(choose('mine', { agent: 'toString' })).toBe('mine')
    expect(choose('mine', { agent: '__proto__' })).toBe('mine')
  })
})

describe('the setting', () => {
  const loaded = (user: unknown, project?: unknown) =>
    resolveConfig({
      env: {},
      userFile: { path: 'user', text: JSON.stringify({ personality: user }) },
      ...(project !== undefined && {
        projectFile: { path: 'project', text: JSON.stringify({ personality: project }) },
      }),
    })

  it('takes a name in any case, from the environment too', () => {
    expect(loaded('Mine').config.personality).toBe('mine')
    expect(mergeSettings({ env: { CODEX_AUTH_PERSONALITY: 'Mine' } }).config.personality).toBe(
      'mine',
    )
  })

  it.each(['', '../mine', 'a/b', 'a\\b', 'a:b', 'mine.md', '.', 'x'.repeat(65), 'a b', 'ä'])(
    'refuses %j as a name and does without',
    (name) => {
      const { config, problems } = loaded(name)
      expect(config.personality).toBe('none')
      expect(problems).toHaveLength(1)
    },
  )

  it('of a project never brings in a name that the user does not use, wherever it stands', () => {
    const name = fc.constantFrom('mine', 'house', 'friendly', 'none')
    const table = fc.dictionary(fc.constantFrom('build', 'plan', 'gpt-5.5', '/work'), name)
    const value = fc.oneof(
      name,
      fc.record(
        { default: name, models: table, agents: table, projects: table },
        { requiredKeys: [], noNullPrototype: true },
      ),
    )
    fc.assert(
      fc.property(value, value, (user, project) => {
        const { config } = loaded(user, project)
        const own = namesIn(loaded(user).config.personality)
        expect(own).toEqual(expect.arrayContaining(namesIn(config.personality)))
      }),
    )
  })

  it('of a project may switch a personality off, and may not say what speaks in other projects', () => {
    expect(choose(loaded('mine', 'none').config.personality)).toBeUndefined()
    const { config } = loaded(
      { default: 'mine', agents: { plan: 'other' } },
      {
        default: 'other',
        projects: { '/elsewhere': 'other' },
      },
    )
    expect(config.personality).toEqual({
      default: 'other',
      models: {},
      agents: { plan: 'other' },
      projects: {},
    })
  })

  it('of a project never speaks where the user has switched it off', () => {
    const wanted = {
      default: 'mine',
      agents: { build: 'mine', plan: 'mine' },
      models: { 'gpt-5.5': 'mine', 'gpt-5.4': 'mine' },
    }
    const here = loaded({ default: 'mine', projects: { '/work': 'none' } }, wanted)
    for (const agent of ['build', 'plan', 'other'])
      expect(choose(here.config.personality, { agent }, '/work')).toBeUndefined()

    const { personality } = loaded(
      { default: 'mine', agents: { build: 'none' }, models: { 'gpt-5.4': 'none' } },
      wanted,
    ).config
    expect(choose(personality)).toBeUndefined()
    expect(choose(personality, { agent: 'other', model: 'gpt-5.4' })).toBeUndefined()
    expect(choose(personality, { agent: 'plan' })).toBe('mine')
  })

  it('of a project is told why it does not count', () => {
    const { config, problems } = loaded('none', 'friendly')
    expect(config.personality).toBe('none')
    expect(problems).toEqual([expect.objectContaining({ key: 'personality', where: 'project' })])
  })

  it('is off until somebody sets it', () => {
    expect(SETTINGS.personality.default).toBe('none')
    expect(SETTINGS.personalityCommand.default).toBe(false)
  })
})

describe('a name', () => {
  it.each(['con', 'NUL', 'com1', 'a/b', 'a:b', '..', ''])('is not %j', (text) => {
    expect(nameFrom(text).problem).toBeDefined()
  })
  it.each(['none', 'friendly', 'pragmatic'])('of a file is not %s', (name) => {
    expect(problemOfOwnName(name)).toBeDefined()
  })
  it('is shown in a message only so far as it is readable', () => {
    expect(nameFrom('x'.repeat(5_000_000)).problem!.length).toBeLessThan(300)
  })
})
