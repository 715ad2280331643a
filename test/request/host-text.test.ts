import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { errorEventBytes, errorResponse } from '../../lib/request/failures/host-error.js'
import {
  HOST_RETRY_PATTERNS,
  hostSafeText,
  isHostSafe,
} from '../../lib/request/failures/host-text.js'
import { CodexError, ERROR_TABLE, type ErrorCode } from '../../lib/kernel/errors.js'

const codes = Object.keys(ERROR_TABLE) as ErrorCode[]
const RISKY = [
  '429',
  'rate limit',
  'Server Error',
  'try again later',
  'timeout',
  'fetch failed',
  'overloaded',
  'exhausted',
  'unavailable',
  'prompt is too long',
  'ECONNRESET',
  '503',
]

describe('hostSafeText', () => {
  it('leaves nothing in a text that makes the host repeat or compact, whatever the text', () => {
    const texts = fc
      .array(fc.oneof(fc.constantFrom(...RISKY), fc.string({ unit: 'grapheme', maxLength: 20 })), {
        maxLength: 8,
      })
      .map((parts) => parts.join(' '))
    fc.assert(fc.property(texts, (text) => isHostSafe(hostSafeText(text))))
  })

  it.each([
    ['turns the direction of what follows', 'Backend says: \u202ereversed'],
    ['isolates a direction', 'Backend says: \u2066reversed\u2069'],
    ['is drawn as nothing', 'Backend says: re\u200bversed'],
    ['is a tag that a model reads and nobody sees', 'Backend says: reversed\u{e0041}\u{e0042}'],
    ['commands a terminal', 'Backend says: \u001b[31mreversed\u001b]0;title\u0007'],
    ['is half a character', 'Backend says: reversed\ud800'],
  ])('keeps nothing of a message of the backend that %s', (_, text) => {
    expect(hostSafeText(text).replace('\ufffd', '')).toBe('Backend says: reversed')
  })

  it('keeps a harmless sentence as it is', () => {
    expect(hostSafeText('Account 2 (work): weekly limit is used up.')).toBe(
      'Account 2 (work): weekly limit is used up.',
    )
  })
})

describe('errorResponse', () => {
  it.each(codes)('answers %s with a status and a text the host does not repeat', async (code) => {
    const response = errorResponse(
      new CodexError(code, 'Server error 503: rate limit, try again later.'),
    )
    const text = await response.text()
    expect([404, 408, 409, 429]).not.toContain(response.status)
    expect(response.status).toBeLessThan(500)
    expect(JSON.parse(text).error.message).toBeTruthy()
    for (const pattern of HOST_RETRY_PATTERNS) expect(text).not.toMatch(pattern)
  })

  it('never shows a token', async () => {
    const jwt = `eyJ${'a'.repeat(20)}.${'b'.repeat(20)}.${'c'.repeat(20)}`
    expect(
      await errorResponse(new CodexError('internal', `It failed with Bearer ${jwt}`)).text(),
    ).not.toContain(jwt)
  })
})

describe('errorEventBytes', () => {
  it('is one whole event the host shows and does not repeat', () => {
    const text = new TextDecoder().decode(
      errorEventBytes(new CodexError('stream_broken', 'The answer broke off.')),
    )
    expect(text).toMatch(/^event: error\ndata: \{.*\}\n\n$/)
    expect(JSON.parse(text.split('data: ')[1]!).error).toMatchObject({
      code: 'invalid_prompt',
      message: expect.stringContaining('broke off'),
    })
  })
})
