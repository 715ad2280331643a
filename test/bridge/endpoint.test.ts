import { describe, expect, it } from 'vitest'

import { DEFAULT_ENDPOINTS, resolveEndpoints } from '../../lib/auth/endpoints.js'
import { assertResponsesRequest, codexDestination } from '../../lib/bridge/endpoint.js'

describe('assertResponsesRequest', () => {
  it.each([
    'https://api.openai.com/v1/responses',
    'https://api.openai.com/v1/responses/',
    'https://chatgpt.com/backend-api/codex/responses?x=1',
    'https://gateway.example/v1/chat/completions',
  ])('takes %s as a request for the Responses API', (url) => {
    expect(() => assertResponsesRequest(url)).not.toThrow()
  })

  it.each(['https://api.openai.com/v1/embeddings', 'https://api.openai.com/v1/models', 'https://api.openai.com/v1/responses/compact', 'file:///etc/passwd', 'not a url', ''])(
    'refuses %j, so that no credential goes there',
    (url) => {
      expect(() => assertResponsesRequest(url)).toThrow(expect.objectContaining({ code: 'destination_refused' }))
    },
  )
})

describe('codexDestination', () => {
  it('is the Codex backend whatever host the request named', () => {
    expect(codexDestination(DEFAULT_ENDPOINTS)).toBe('https://chatgpt.com/backend-api/codex/responses')
  })
})

describe('resolveEndpoints', () => {
  it('answers the real hosts when nothing is set', () => {
    expect(resolveEndpoints({})).toEqual(DEFAULT_ENDPOINTS)
  })

  it('follows the simulator on loopback', () => {
    expect(resolveEndpoints({ OC_CODEX_SIMULATOR_BACKEND: 'http://127.0.0.1:9/backend-api/' }).backend).toBe('http://127.0.0.1:9/backend-api')
  })

  it.each(['https://evil.example', 'http://127.0.0.1.evil.example', 'http://user:pw@127.0.0.1', 'http://localhost:1', 'http://10.0.0.1'])(
    'refuses to send credentials to %s',
    (url) => {
      expect(() => resolveEndpoints({ OC_CODEX_SIMULATOR_ISSUER: url })).toThrow(expect.objectContaining({ code: 'destination_refused' }))
    },
  )
})
