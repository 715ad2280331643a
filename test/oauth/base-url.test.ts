import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { parseBaseUrl } from '../../lib/oauth/base-url.js'

const responses = (text: string) => parseBaseUrl(text, 'test').responsesUrl

describe('parseBaseUrl', () => {
  it.each([
    ['https://c.example', 'https://c.example/backend-api/codex/responses'],
    ['https://c.example///', 'https://c.example/backend-api/codex/responses'],
    [' https://c.example:8443/base/ ', 'https://c.example:8443/base/backend-api/codex/responses'],
    ['https://c.example/backend-api', 'https://c.example/backend-api/codex/responses'],
    ['https://c.example/backend-api/codex/', 'https://c.example/backend-api/codex/responses'],
    [
      'https://c.example/backend-api/codex/responses',
      'https://c.example/backend-api/codex/responses',
    ],
    ['https://c.example/x?team=1', 'https://c.example/x/backend-api/codex/responses?team=1'],
    ['http://127.0.0.1:9', 'http://127.0.0.1:9/backend-api/codex/responses'],
    ['http://[::1]:9', 'http://[::1]:9/backend-api/codex/responses'],
    ['http://localhost:9/', 'http://localhost:9/backend-api/codex/responses'],
  ])('joins %j to %j', (text, url) => {
    expect(responses(text)).toBe(url)
  })

  it('changes nothing when its result is joined again', () => {
    fc.assert(
      fc.property(
        fc.webUrl({ validSchemes: ['https'], withQueryParameters: true, withFragments: true }),
        (url) => {
          const once = responses(url)
          expect(responses(once)).toBe(once)
          expect(new URL(once).origin).toBe(new URL(url).origin)
        },
      ),
    )
  })

  it.each([
    '',
    'c.example',
    'http://c.example',
    'http://127.0.0.1.evil.example',
    'ftp://c.example',
    'https://u:p@c.example',
    'javascript:1',
  ])('refuses %j and names the source', (text) => {
    expect(() => parseBaseUrl(text, 'the plugin configuration')).toThrow(
      expect.objectContaining({
        code: 'destination_refused',
        message: expect.stringContaining('the plugin configuration') as string,
      }),
    )
  })
})
