import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { maskEmail, redact, redactForeign, redactText } from '../../lib/kernel/text/redact.js'

const base64url = fc.stringMatching(/^[A-Za-z0-9_-]{20,60}$/)
const jwt = fc
  .tuple(base64url, base64url, base64url)
  .map(([head, body, sign]) => `eyJ${head}.${body}.${sign}`)
const apiKey = fc
  .tuple(fc.constantFrom('sk-', 'sk-proj-', 'rt_', 'rt-', 'sess-', 'at-'), base64url)
  .map((parts) => parts.join(''))

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
    const keys = [
      'refreshToken',
      'refresh_token',
      'accessToken',
      'id_token',
      'apiKey',
      'api-key',
      'authorization',
      'Cookie',
      'client_secret',
      'password',
      'passphrase',
      'code_verifier',
      'access',
      'refresh',
    ]
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.stringMatching(/^[\w!]{6,30}$/), (key, secret) => {
        expect(JSON.stringify(redact({ nested: [{ [key]: secret }] }))).not.toContain(secret)
      }),
    )
  })

  it('keeps counts and times that only sound like secrets', () => {
    const harmless = {
      inputTokens: 12,
      cachedTokens: 3,
      tokenRotatedAt: 5,
      hasRefreshToken: true,
      prompt_cache_key: 'ses_1',
    }
    expect(redact(harmless)).toEqual(harmless)
  })

  it('hides the parameters of an OAuth callback', () => {
    expect(redactText('http://localhost:1455/auth/callback?code=abc123&state=xyz789')).toBe(
      'http://localhost:1455/auth/callback?code=[hidden]&state=[hidden]',
    )
  })

  it('hides opaque tokens in the words of others, and keeps names, dates and the ids of the backend', () => {
    const token = 'zJ8fK2mQ9xT4vB7nL1pR6sW3'
    expect(
      redactForeign(`refused ${token}, "${token}=="; or 0a1b2c3d-1111-4222-8333-444455556666`),
    ).toBe('refused [hidden], "[hidden]"; or [hidden]')
    const harmless =
      'gpt-5.6-codex-max-2026-01-01 claude-sonnet-4-20250514 req_011CQq7Yt6Bn5Vb4 https://platform.openai.com/docs/guides/error-codes'
    expect(redactForeign(harmless)).toBe(harmless)
  })

  it('hides user name and password in an address, and leaves other addresses alone', () => {
    expect(
      redactText('see https://joe:p@ss@host.example/a and https://host.example/@scope/x'),
    ).toBe('see https://[hidden]@host.example/a and https://host.example/@scope/x')
  })

  it('masks e-mail addresses in the middle of a text', () => {
    expect(redactText('signed in as jane.doe@example.com.')).toBe('signed in as ja…@e….com.')
  })

  it('shows an error by name and clean message only', () => {
    expect(redact(new TypeError('Bearer abcdefgh'))).toEqual({
      name: 'TypeError',
      message: '[hidden]',
    })
  })

  it('ends on cycles', () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    expect(JSON.stringify(redact(cycle))).toContain('…')
    const list: unknown[] = []
    list.push(list, { list }, { tokens: [list] })
    expect(JSON.stringify(redact([[list[0]]]).at(0))).toContain('…')
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

describe('secrets of other services', () => {
  const opaque = fc.stringMatching(/^[A-Za-z0-9]{24,40}$/)
  const shapes: Readonly<Record<string, (secret: string) => string>> = {
    GitHub: (secret) => `ghp_${secret}`,
    'GitHub, fine-grained': (secret) => `github_pat_${secret}`,
    Slack: (secret) => `xoxb-12-${secret}`,
    AWS: (secret) => `AKIA${secret.slice(0, 16).toUpperCase()}`,
    PEM: (secret) => `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`,
    'a cut PEM block': (secret) => `-----BEGIN EC PRIVATE KEY-----\n${secret}\n`,
    'a bearer header': (secret) => `authorization: Bearer ${secret}`,
    'a basic header': (secret) => `Proxy-Authorization: Basic ${secret}==`,
    'a cookie': (secret) => `Cookie: theme=dark; session=${secret}; lang=en`,
    'a setting': (secret) => `DB_PASSWORD=${secret}`,
    YAML: (secret) => `password: ${secret}`,
    JSON: (secret) =>
      JSON.stringify({ auth: secret, deep: { 'x-api-key': secret, token: secret } }),
    'JSON in JSON': (secret) =>
      JSON.stringify({ message: JSON.stringify({ client_secret: secret }) }),
    'JSON with quotes in the value': (secret) => JSON.stringify({ password: `"${secret}"` }),
    'a query': (secret) => `https://host/path?api_key=${secret}&x=1`,
    'an object': (secret) => `{ accessToken: '${secret}' }`,
  }

  it.each(Object.keys(shapes))('are hidden in %s', (name) => {
    fc.assert(
      fc.property(opaque, (secret) => {
        const text = shapes[name]?.(secret) ?? ''
        for (const clean of [
          redactText(text),
          redactText(`before ${text} after`),
          redactForeign(text),
        ])
          expect(clean.toLowerCase()).not.toContain(secret.slice(0, 16).toLowerCase())
      }),
    )
  })

  it('are hidden under every name that says so, singular and plural, and counts under such names stay', () => {
    for (const key of [
      'token',
      'auth',
      'authorization',
      'password',
      'passwd',
      'secret',
      'api_key',
      'apiKey',
      'X-Api-Key',
      'aws_secret_access_key',
      'privateKey',
      'Set-Cookie',
      'db.password',
    ]) {
      expect(redact({ [key]: 'letmein' })).toEqual({ [key]: '[hidden]' })
      expect(redactText(`{"${key}":"letmein"}`)).toBe(`{"${key}":"[hidden]"}`)
      expect(redactText(`${key}=letmein`)).toBe(`${key}=[hidden]`)
    }
    expect(redact({ tokens: ['letmein'], secrets: { a: 1 } })).toEqual({
      tokens: ['[hidden]'],
      secrets: { a: 1 },
    })
    expect(redact({ tokens: { input: 3, output: 4 }, token: 12, max_tokens: 5 })).toEqual({
      tokens: { input: 3, output: 4 },
      token: 12,
      max_tokens: 5,
    })
  })

  it.each([
    'token limit exceeded',
    'Invalid token: expired.',
    'Your authentication token has been invalidated: sign in again.',
    'This model takes at most max_tokens=128000 tokens, input_tokens: 200000',
    'The password is wrong; secrets are kept in the keychain.',
    'authorization: failed because the account is disabled',
    'The API key you gave is not valid: see https://platform.openai.com/account/api-keys',
    'Unsupported parameter: tool_choice. Use "auto" or "none".',
    'cookie: not found',
    '{"error":{"code":"token_expired","type":"invalid_token","message":"Token expired"}}',
    '-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----',
  ])('are not seen in the sentence %j', (sentence) => {
    expect(redactText(sentence)).toBe(sentence)
  })

  it('stay hidden when a clean text is cleaned again', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.constantFrom(
              'token',
              'Cookie',
              'password',
              '=',
              ':',
              ' ',
              '"',
              "'",
              '\\',
              'Bearer ',
              '\n',
              '[hidden]',
              'a1b2c3d4',
              ';',
              '&',
              ']',
            ),
            fc.string({ maxLength: 4 }),
          ),
          { maxLength: 20 },
        ),
        (parts) => {
          const clean = redactText(parts.join(''))
          expect(redactText(clean)).toBe(clean)
        },
      ),
    )
  })
})
