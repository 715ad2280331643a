import { writeFile } from 'node:fs/promises'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { accountsServing, withAccountCounts } from '../../lib/catalogue/account-counts.js'
import { parseCatalogue } from '../../lib/catalogue/catalogue.js'
import { type HostModel, mergeModels } from '../../lib/catalogue/host-models.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { aHome, homeIn } from '../support/home.js'

const hostModel = (id: string, fields: Partial<HostModel> = {}): HostModel => ({
  id,
  name: id,
  api: { id, url: '', npm: '@ai-sdk/openai' },
  limit: { context: 400_000, input: 272_000, output: 128_000 },
  variants: {
    none: { reasoningEffort: 'none' },
    low: { reasoningEffort: 'low', mine: true },
    fastish: { serviceTier: 'x' },
  },
  ...fields,
})
const entry = (slug: string, fields: Record<string, unknown> = {}) => ({
  slug,
  display_name: slug.toUpperCase(),
  context_window: 272_000,
  supported_reasoning_levels: [{ effort: 'low' }, { effort: 'max' }, { effort: 'ultra' }],
  visibility: 'list',
  priority: 1,
  ...fields,
})
const catalogue = (...entries: unknown[]) => parseCatalogue({ models: entries }) ?? []

describe('parseCatalogue', () => {
  it('reads what it needs, in the order of priority, and skips entries it cannot read', () => {
    const models = catalogue(
      entry('b', { priority: 2 }),
      'junk',
      { slug: 7 },
      entry('a', { service_tiers: [{ id: 'priority' }], visibility: 'hide' }),
    )
    expect(models).toMatchObject([
      { id: 'a', name: 'A', input: 272_000, listed: false, fast: true },
      { id: 'b', listed: true, fast: false },
    ])
  })

  it('does not take an answer without readable models for an empty catalogue', () => {
    expect([
      parseCatalogue({ models: [] }),
      parseCatalogue({ models: ['x'] }),
      parseCatalogue('html'),
      parseCatalogue(null),
    ]).toEqual([undefined, undefined, undefined, undefined])
  })
})

describe('mergeModels', () => {
  it('adds a model that the host has not heard of, fully specified', () => {
    const merged = mergeModels({ old: hostModel('old') }, [catalogue(entry('new'))], new Set())
    expect(merged.new).toMatchObject({
      id: 'new',
      name: 'NEW',
      api: { id: 'new', npm: '@ai-sdk/openai' },
      limit: { context: 400_000, input: 272_000, output: 128_000 },
    })
    expect(Object.keys(merged.new?.variants ?? {})).toEqual(expect.arrayContaining(['low', 'max']))
  })

  it('does not add a model the backend hides', () => {
    expect(
      mergeModels(
        { old: hostModel('old') },
        [catalogue(entry('secret', { visibility: 'hide' }))],
        new Set(),
      ),
    ).not.toHaveProperty('secret')
  })

  it('shortens a limit the backend does not grant and never lengthens one', () => {
    const host = {
      big: hostModel('big', { limit: { context: 1_050_000, input: 922_000, output: 128_000 } }),
      small: hostModel('small', { limit: { context: 90_000, input: 50_000, output: 40_000 } }),
    }
    const merged = mergeModels(host, [catalogue(entry('big'), entry('small'))], new Set())
    expect(merged.big?.limit).toEqual({ context: 400_000, input: 272_000, output: 128_000 })
    expect(merged.small?.limit).toEqual({ context: 90_000, input: 50_000, output: 40_000 })
  })

  it('offers the efforts of the backend, keeps options of existing ones and variants that are no efforts', () => {
    const { variants } =
      mergeModels({ m: hostModel('m') }, [catalogue(entry('m'))], new Set()).m ?? {}
    expect(variants).toEqual({
      low: { reasoningEffort: 'low', mine: true },
      max: {
        reasoningEffort: 'max',
        reasoningSummary: 'auto',
        include: ['reasoning.encrypted_content'],
      },
      fastish: { serviceTier: 'x' },
    })
  })

  it('keeps the variant without reasoning first where the backend takes it, because OpenCode asks for titles with it', () => {
    const none = { none: { reasoningEffort: 'none' }, low: { reasoningEffort: 'low' } }
    const kept = mergeModels(
      { 'gpt-5.5': hostModel('gpt-5.5', { variants: none }) },
      [catalogue(entry('gpt-5.5'))],
      new Set(),
    )['gpt-5.5']?.variants
    expect(Object.keys(kept ?? {})[0]).toBe('none')
    const dropped = mergeModels(
      { 'gpt-6-sol': hostModel('gpt-6-sol', { variants: none }) },
      [catalogue(entry('gpt-6-sol'))],
      new Set(),
    )['gpt-6-sol']?.variants
    expect(Object.keys(dropped ?? {})).not.toContain('none')
  })

  it('leaves a model alone that the user defined', () => {
    const mine = hostModel('m', { limit: { context: 9, output: 9 } })
    expect(mergeModels({ m: mine }, [catalogue(entry('m'))], new Set(['m'])).m).toBe(mine)
  })

  it('takes the best of several accounts', () => {
    const merged = mergeModels(
      { old: hostModel('old') },
      [
        catalogue(entry('n', { context_window: 100_000 })),
        catalogue(entry('n', { context_window: 200_000 })),
      ],
      new Set(),
    )
    expect(merged.n?.limit.input).toBe(200_000)
  })

  it('treats a -fast entry of the host by the model it stands for', () => {
    const fast = hostModel('m-fast', {
      api: { id: 'm' },
      limit: { context: 1_050_000, input: 922_000, output: 128_000 },
    })
    expect(
      mergeModels({ 'm-fast': fast }, [catalogue(entry('m'))], new Set())['m-fast']?.limit.input,
    ).toBe(272_000)
  })

  it('leaves out what the account’s list says a model does not take, in the model and in its variants', () => {
    const host = {
      m: hostModel('m', {
        variants: { low: { reasoningEffort: 'low', reasoningSummary: 'auto' } },
      }),
      n: hostModel('n'),
    }
    const plain = { supports_reasoning_summaries: false, support_verbosity: false }
    const merged = mergeModels(host, [catalogue(entry('m', plain), entry('n'))], new Set())
    expect(merged.m?.options).toEqual({ reasoningSummary: null, textVerbosity: null })
    expect(merged.m?.variants?.low).toEqual({
      reasoningEffort: 'low',
      reasoningSummary: null,
      textVerbosity: null,
    })
    expect(merged.n?.options).toBeUndefined()
    const either = mergeModels(
      host,
      [catalogue(entry('m', plain)), catalogue(entry('m'))],
      new Set(),
    )
    expect(either.m?.options).toBeUndefined()
  })

  it('gives a model that the host does not know the verbosity the Codex CLI would send', () => {
    const lists = [
      catalogue(
        entry('loud', { support_verbosity: true, default_verbosity: 'high' }),
        entry('odd', { default_verbosity: 'shouting' }),
      ),
    ]
    const merged = mergeModels({ old: hostModel('old') }, lists, new Set())
    expect(merged.loud?.options).toEqual({ textVerbosity: 'high' })
    expect(merged.odd?.options).toEqual({})
  })

  it('offers the fast form of a model that has one, once, and never over a real model or the user’s', () => {
    const fast = { service_tiers: [{ id: 'priority' }] }
    const lists = [
      catalogue(
        entry('new', fast),
        entry('slow'),
        entry('real', fast),
        entry('real-fast'),
        entry('mine', fast),
        entry('hidden', { ...fast, visibility: 'hide' }),
      ),
    ]
    const merged = mergeModels(
      { old: hostModel('old'), mine: hostModel('mine') },
      lists,
      new Set(['mine']),
    )
    expect(merged['new-fast']).toMatchObject({
      id: 'new-fast',
      name: 'NEW Fast',
      api: { id: 'new' },
      options: { serviceTier: 'priority' },
    })
    expect(merged['real-fast']).toMatchObject({ name: 'REAL-FAST', api: { id: 'real-fast' } })
    expect(Object.keys(merged).filter((id) => /^(?:slow|mine|hidden)-fast$/.test(id))).toEqual([])
  })

  it('is not led astray by names that every object has, by unknown efforts, or by control characters', () => {
    const lists = [
      catalogue(
        entry('constructor', { display_name: 'Con\u001b[31mstructor' }),
        entry('__proto__'),
        entry('m', {
          supported_reasoning_levels: [
            { effort: 'hyper' },
            { effort: 'constructor' },
            { effort: '__proto__' },
            { effort: 'a b' },
            { effort: '' },
          ],
        }),
      ),
    ]
    const merged = mergeModels({ m: hostModel('m') }, lists, new Set())
    expect(Object.keys(merged).sort()).toEqual(['constructor', 'm'])
    expect(merged.constructor).toMatchObject({ id: 'constructor', name: 'Con [31mstructor' })
    expect(Object.keys(merged.m?.variants ?? {})).toEqual(['hyper', 'constructor', 'fastish'])
    expect(merged.m?.variants?.constructor).toMatchObject({ reasoningEffort: 'constructor' })
  })

  it('takes a list of 500 models, and one that says nothing but names', () => {
    const many = Array.from({ length: 500 }, (_, index) => entry(`model-${index}`))
    expect(
      Object.keys(mergeModels({ m: hostModel('m') }, [catalogue(...many)], new Set())),
    ).toHaveLength(501)
    const bare = {
      slug: 'm',
      context_window: null,
      supported_reasoning_levels: 'x',
      service_tiers: 7,
    }
    const host = { m: hostModel('m') }
    expect(mergeModels(host, [catalogue(bare)], new Set())).toEqual(host)
  })

  it('leaves a model its length and its efforts where the list has none that can be meant', () => {
    const odd = [
      { context_window: 1 },
      { context_window: 0 },
      { context_window: -5 },
      { context_window: 1e308 },
      { context_window: '272000' },
      { supported_reasoning_levels: [{ effort: 'a b' }] },
      { supported_reasoning_levels: [null] },
      { supported_reasoning_levels: { effort: 'low' } },
    ]
    const bare = { slug: 'm', context_window: null, supported_reasoning_levels: null }
    const host = { m: hostModel('m') }
    for (const fields of odd)
      expect(
        mergeModels(host, [catalogue({ ...bare, ...fields })], new Set()),
        JSON.stringify(fields),
      ).toEqual(host)
    const none = catalogue({ ...bare, supported_reasoning_levels: [] })
    expect(mergeModels(host, [none], new Set()).m?.variants).not.toHaveProperty('low')
  })

  it('never takes a model of the host away, whatever the catalogue says', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1 })),
        fc.array(fc.string({ minLength: 1 })),
        (ids, slugs) => {
          const host = Object.fromEntries(ids.map((id) => [id, hostModel(id)]))
          expect(
            Object.keys(
              mergeModels(host, [catalogue(...slugs.map((slug) => entry(slug)))], new Set()),
            ),
          ).toEqual(expect.arrayContaining(Object.keys(host)))
        },
      ),
    )
  })
})

describe('how many accounts may run a model', () => {
  const list = (...entries: unknown[]) => ({
    models: catalogue(...entries),
    etag: undefined,
    client: '0.169.0',
    fetchedAtMs: 1,
  })
  const fast = { service_tiers: [{ id: 'priority' }] }
  const lists = {
    a: list(entry('all', fast), entry('one')),
    b: list(entry('all')),
    c: list(entry('all')),
    elsewhere: list(entry('nobody')),
  }
  const names = (uids: readonly string[], userDefined: readonly string[] = []) => {
    const ids = ['all', 'one', 'nobody']
    const models = {
      ...Object.fromEntries(ids.map((id) => [id, hostModel(id)])),
      'all-fast': hostModel('all-fast', {
        api: { id: 'all' },
        options: { serviceTier: 'priority' },
      }),
    }
    const counted = withAccountCounts(models, lists, new Set(uids), new Set(userDefined))
    return Object.values(counted).map(({ name }) => name)
  }

  it('is said in the name of a model that some may not run, and of its fast form, and nowhere else', () => {
    expect(names(['a', 'b', 'c'])).toEqual([
      'all',
      'one (1 of 3 accounts)',
      'nobody',
      'all-fast (1 of 3 accounts)',
    ])
  })

  it('is not said where all may, where nothing is known, and of the user’s own models', () => {
    expect(names(['a'])).toEqual(['all', 'one', 'nobody', 'all-fast'])
    expect(names([])).toEqual(['all', 'one', 'nobody', 'all-fast'])
    expect(names(['unknown'])).toEqual(['all', 'one', 'nobody', 'all-fast'])
    expect(names(['a', 'b', 'c'], ['one'])[1]).toBe('one')
  })

  it('counts the accounts that serve in the folder: those of the project, enabled, with a list', async () => {
    const home = await aHome([
      { refreshToken: 'rt_1', accountId: 'w1', addedAt: 1, lastUsed: 0 },
      { refreshToken: 'rt_2', accountId: 'w2', addedAt: 1, lastUsed: 0, enabled: false },
      { kind: 'api-key', apiKey: 'sk', baseUrl: 'https://k.example', addedAt: 1, lastUsed: 0 },
    ])
    const paths = resolvePaths(homeIn(home))
    expect((await accountsServing(paths, home, true)).size).toBe(1)
    await writeFile(paths.accountsFile, '{')
    expect((await accountsServing(paths, home, true)).size).toBe(0)
  })
})
