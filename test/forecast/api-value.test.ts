import { describe, expect, it } from 'vitest'

import { apiValue, apiValueOf } from '../../lib/forecast/api-value.js'

const turn = { model: 'gpt-5.5', inputTokens: 100_000, cachedTokens: 80_000, outputTokens: 1_000 }

describe('the API-equivalent of a turn', () => {
  it('counts cached input at its own price', () => {
    expect(apiValueOf(turn)).toBeCloseTo((20_000 * 5 + 80_000 * 0.5 + 1_000 * 30) / 1e6, 9)
  })

  it('is unknown for a model without a known price', () => {
    expect(apiValueOf({ ...turn, model: 'codex-auto-review' })).toBeUndefined()
    expect(apiValue([turn, { ...turn, model: 'codex-auto-review' }])).toMatchObject({
      usd: apiValueOf(turn),
      turns: 2,
      unpricedModels: ['codex-auto-review'],
    })
  })

  it('is unknown for a model named like a member of every object', () => {
    expect(apiValue([{ ...turn, model: 'constructor' }])).toMatchObject({
      usd: 0,
      unpricedModels: ['constructor'],
    })
  })

  it('is higher for a long request as a whole, and unknown where that price is', () => {
    const long = {
      model: 'gpt-6.1-sol',
      inputTokens: 300_000,
      cachedTokens: 0,
      outputTokens: 1_000,
    }
    expect(apiValueOf(long)).toBeCloseTo((300_000 * 4 + 1_000 * 15) / 1e6, 9)
    expect(apiValueOf({ ...long, model: 'gpt-5.4' })).toBeUndefined()
  })

  it('is nothing for no turns', () => {
    expect(apiValue([])).toEqual({
      usd: 0,
      turns: 0,
      inputTokens: 0,
      cachedTokens: 0,
      outputTokens: 0,
      unpricedModels: [],
    })
  })
})
