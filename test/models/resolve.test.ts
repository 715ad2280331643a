import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { EFFORTS, MODEL_FACTS } from '../../lib/models/facts.js'
import { clampEffort, resolveModel, wireEffort } from '../../lib/models/resolve.js'

describe('resolveModel', () => {
  it.each(MODEL_FACTS.map((fact) => fact.id))('leaves the known model %s as it is', (id) => {
    expect(resolveModel(id)).toEqual({ model: id })
  })

  it('takes an effort suffix off a known model', () => {
    expect(resolveModel('gpt-5.5-high')).toEqual({ model: 'gpt-5.5', effort: 'high' })
  })

  it('takes fast and effort suffixes off together', () => {
    expect(resolveModel('gpt-5.5-fast-xhigh')).toEqual({
      model: 'gpt-5.5',
      effort: 'xhigh',
      serviceTier: 'priority',
    })
  })

  it('drops the provider prefix', () => {
    expect(resolveModel('openai/gpt-6-sol')).toEqual({ model: 'gpt-6-sol' })
  })

  it('resolves an alias, also with a suffix', () => {
    expect(resolveModel('gpt-5.6-low')).toEqual({ model: 'gpt-5.6-sol', effort: 'low' })
  })

  it.each(['gpt-7-nova', 'gpt-5.1-codex-max', 'gpt-9-high', 'my-own-model', ''])(
    'passes the unknown id %j unchanged',
    (id) => {
      expect(resolveModel(id)).toEqual({ model: id })
    },
  )

  it('never turns an unknown id into another model', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9.-]{1,30}$/), (id) => {
        const { model, effort, serviceTier } = resolveModel(id)
        if (effort === undefined && serviceTier === undefined)
          expect([id, 'gpt-5.6-sol']).toContain(model)
        else expect(id.startsWith(model) || id.startsWith('gpt-5.6-')).toBe(true)
      }),
    )
  })
})

describe('wireEffort', () => {
  it('sends ultra as what the model understands by it (captures m-gpt-6-astra-ultra, ultra)', () => {
    expect([
      wireEffort('gpt-6-astra', 'ultra'),
      wireEffort('gpt-5.6-sol', 'ultra'),
      wireEffort('gpt-9', 'ultra'),
    ]).toEqual(['xhigh', 'max', 'max'])
  })

  it('sends every other effort as chosen', () => {
    expect(wireEffort('gpt-5.5', 'none')).toBe('none')
  })
})

describe('clampEffort', () => {
  it.each(MODEL_FACTS.flatMap((fact) => EFFORTS.map((effort) => [fact.id, effort] as const)))(
    'sends %s for %s an effort that the model takes',
    (id, effort) => {
      const { efforts, lite } = MODEL_FACTS.find((fact) => fact.id === id)!
      const sent = clampEffort(id, effort)
      if (effort === 'none' && !lite) expect(sent).toBe('none')
      else expect(efforts.filter((one) => one !== 'ultra')).toContain(sent)
    },
  )

  it('sends an unknown model what was asked for', () => {
    expect(clampEffort('gpt-99', 'minimal')).toBe('minimal')
  })
})
