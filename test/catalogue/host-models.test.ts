import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { parseCatalogue } from '../../lib/catalogue/catalogue.js'
import { type HostModel, mergeModels } from '../../lib/catalogue/host-models.js'

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
