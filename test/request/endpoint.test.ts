import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { DEFAULT_ENDPOINTS, resolveEndpoints } from '../../lib/oauth/endpoints.js'
import {
  assertResponsesRequest,
  codexDestination,
  destinationOf,
} from '../../lib/request/endpoint.js'

describe('assertResponsesRequest', () => {
  it.each([
    'https://api.openai.com/v1/responses',
    'https://api.openai.com/v1/responses/',
    'https://chatgpt.com/backend-api/codex/responses?x=1',
    'https://gateway.example/v1/chat/completions',
  ])('takes %s as a request for the Responses API', (url) => {
    expect(() => assertResponsesRequest(url)).not.toThrow()
  })

  it.each([
    'https://api.openai.com/v1/embeddings',
    'https://api.openai.com/v1/models',
    'https://api.openai.com/v1/responses/compact',
    'file:///etc/passwd',
    'not a url',
    '',
  ])('refuses %j, so that no credential goes there', (url) => {
    expect(() => assertResponsesRequest(url)).toThrow(
      expect.objectContaining({ code: 'destination_refused' }),
    )
  })
})

describe('codexDestination', () => {
  it('is the Codex backend whatever host the request named', () => {
    expect(codexDestination(DEFAULT_ENDPOINTS)).toBe(
      'https://chatgpt.com/backend-api/codex/responses',
    )
  })
})

describe('resolveEndpoints', () => {
  it('answers the real hosts when nothing is set', () => {
    expect(resolveEndpoints({})).toEqual(DEFAULT_ENDPOINTS)
  })

  it('follows the simulator on loopback', () => {
    expect(
      resolveEndpoints({ OC_CODEX_SIMULATOR_BACKEND: 'http://127.0.0.1:9/backend-api/' }).backend,
    ).toBe('http://127.0.0.1:9/backend-api')
  })

  it.each([
    'https://evil.example',
    'http://127.0.0.1.evil.example',
    'http://user:pw@127.0.0.1',
    'http://localhost:1',
    'http://10.0.0.1',
  ])('refuses to send credentials to %s', (url) => {
    expect(() => resolveEndpoints({ OC_CODEX_SIMULATOR_ISSUER: url })).toThrow(
      expect.objectContaining({ code: 'destination_refused' }),
    )
  })
})

describe('destinationOf', () => {
  const times = { addedAt: 0, lastUsed: 0 }

  it('sends a ChatGPT account to the Codex backend and a key to its own origin, whatever is configured', () => {
    fc.assert(
      fc.property(
        fc.webUrl({ validSchemes: ['https'] }),
        fc.webUrl({ validSchemes: ['https'] }),
        (own, configured) => {
          const chatgpt = { uid: 'a', refreshToken: 'r', baseUrl: own, ...times }
          expect(destinationOf(chatgpt, DEFAULT_ENDPOINTS, { url: configured, source: 'x' })).toBe(
            'https://chatgpt.com/backend-api/codex/responses',
          )
          const key = { uid: 'b', kind: 'api-key' as const, apiKey: 'k', baseUrl: own, ...times }
          expect(
            new URL(destinationOf(key, DEFAULT_ENDPOINTS, { url: configured, source: 'x' })).origin,
          ).toBe(new URL(own).origin)
        },
      ),
    )
  })

  it('sends a key without an endpoint to the configured one, else to the public API', () => {
    const key = { uid: 'b', kind: 'api-key' as const, apiKey: 'k', ...times }
    expect(
      destinationOf(key, DEFAULT_ENDPOINTS, { url: 'https://gateway.example', source: 'x' }),
    ).toBe('https://gateway.example/backend-api/codex/responses')
    expect(destinationOf(key, DEFAULT_ENDPOINTS, undefined)).toBe(
      'https://api.openai.com/v1/responses',
    )
    expect(
      destinationOf(
        { ...key, baseUrl: 'https://eu.api.openai.com/v1' },
        DEFAULT_ENDPOINTS,
        undefined,
      ),
    ).toBe('https://eu.api.openai.com/v1/responses')
    expect(
      destinationOf({ ...key, baseUrl: 'https://notapi.openai.com' }, DEFAULT_ENDPOINTS, undefined),
    ).toBe('https://notapi.openai.com/backend-api/codex/responses')
  })

  it('refuses an endpoint without TLS that is not on this machine', () => {
    const key = {
      uid: 'b',
      kind: 'api-key' as const,
      apiKey: 'k',
      baseUrl: 'http://gateway.example',
      ...times,
    }
    expect(() => destinationOf(key, DEFAULT_ENDPOINTS, undefined)).toThrow(
      expect.objectContaining({ code: 'destination_refused' }),
    )
  })

  it('says which setting is wrong when it is not the account', () => {
    const key = { uid: 'b', kind: 'api-key' as const, apiKey: 'k', ...times }
    expect(() =>
      destinationOf(key, DEFAULT_ENDPOINTS, { url: 'gateway', source: 'the setting baseUrl' }),
    ).toThrow('The base URL in the setting baseUrl is not a URL')
  })
})
