import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { maskEmail, redact, redactForeign, redactText } from '../../lib/kernel/redact.js'

const base64url = fc.stringMatching(/^[A-Za-z0-9_-]{20,60}$/)
const jwt = fc.tuple(base64url, base64url, base64url).map(([head, body, sign]) => `eyJ${head}.${body}.${sign}`)
const apiKey = fc.tuple(fc.constantFrom('sk-', 'sk-proj-', 'rt_', 'rt-', 'sess-', 'at-'), base64url).map((parts) => parts.join(''))

describe('redact', () => {
  it('hides tokens and keys wherever they stand in a text', () => {
    fc.assert(
      fc.property(fc.oneof(jwt, apiKey), fc.string(), fc.string(), (secret, before, after) => {
        const clean = redactText(`${before} ${secret} ${after}`)
        expect(clean).not.toContain(secret)
        expect(clean).not.toContain(secret.slice(6, 24))
      }),
    )
  })

  it('hides the value of every key that names a secret, whatever it looks like', () => {
    const keys = ['refreshToken', 'refresh_token', 'accessToken', 'id_token', 'apiKey', 'api-key', 'authorization', 'Cookie', 'client_secret', 'password', 'passphrase', 'code_verifier', 'access', 'refresh']
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.stringMatching(/^[\w!]{6,30}$/), (key, secret) => {
        expect(JSON.stringify(redact({ nested: [{ [key]: secret }] }))).not.toContain(secret)
      }),
    )
  })

  it('keeps counts and times that only sound like secrets', () => {
    const harmless = { inputTokens: 12, cachedTokens: 3, tokenRotatedAt: 5, hasRefreshToken: true, prompt_cache_key: 'ses_1' }
    expect(redact(harmless)).toEqual(harmless)
  })

  it('hides the parameters of an OAuth callback', () => {
    expect(redactText('http://localhost:1455/auth/callback?code=abc123&state=xyz789')).toBe('http://localhost:1455/auth/callback?code=[hidden]&state=[hidden]')
  })

  it('hides opaque tokens in the words of others, and keeps names, dates and the ids of the backend', () => {
    const token = 'zJ8fK2mQ9xT4vB7nL1pR6sW3'
    expect(redactForeign(`refused ${token}, "${token}=="; or 0a1b2c3d-1111-4222-8333-444455556666`)).toBe('refused [hidden], "[hidden]"; or [hidden]')
    const harmless = 'gpt-5.6-codex-max-2026-01-01 claude-sonnet-4-20250514 req_011CQq7Yt6Bn5Vb4 https://platform.openai.com/docs/guides/error-codes'
    expect(redactForeign(harmless)).toBe(harmless)
  })

  it('hides user name and password in an address, and leaves other addresses alone', () => {
    expect(redactText('see https://joe:p@ss@host.example/a and https://host.example/@scope/x')).toBe('see https://[hidden]@host.example/a and https://host.example/@scope/x')
  })

  it('masks e-mail addresses in the middle of a text', () => {
    expect(redactText('signed in as jane.doe@example.com.')).toBe('signed in as ja…@e….com.')
  })

  it('shows an error by name and clean message only', () => {
    expect(redact(new TypeError('Bearer abcdefgh'))).toEqual({ name: 'TypeError', message: '[hidden]' })
  })

  it('ends on cycles', () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    expect(JSON.stringify(redact(cycle))).toContain('…')
  })
})

describe('maskEmail', () => {
  it.each([
    ['jane.doe@example.com', 'ja…@e….com'],
    ['a@b', 'a…@b…'],
    ['no address', '…'],
  ])('masks %j as %j', (email, masked) => {
    expect(maskEmail(email)).toBe(masked)
  })
})
