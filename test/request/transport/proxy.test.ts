import { describe, expect, it } from 'vitest'

import { proxyFor } from '../../../lib/request/transport/proxy.js'

const URL_ = 'https://chatgpt.com/backend-api/codex/responses'
const proxy = 'http://user:pass@proxy.test:3128'

describe('the proxy for the WebSocket', () => {
  it.each([
    ['none without a variable', {}, undefined],
    ['that of HTTPS_PROXY', { HTTPS_PROXY: proxy }, proxy],
    ['that of the lower-case name', { https_proxy: proxy }, proxy],
    ['that of ALL_PROXY', { ALL_PROXY: proxy }, proxy],
    ['never that of plain HTTP', { HTTP_PROXY: proxy }, undefined],
    ['none for a text that is no address', { HTTPS_PROXY: 'nonsense' }, undefined],
    ['none for an empty one', { HTTPS_PROXY: ' ' }, undefined],
    ['none where NO_PROXY names all', { HTTPS_PROXY: proxy, NO_PROXY: '*' }, undefined],
    [
      'none where it names the host',
      { HTTPS_PROXY: proxy, NO_PROXY: 'a.test, chatgpt.com' },
      undefined,
    ],
    ['none where it names the domain', { HTTPS_PROXY: proxy, NO_PROXY: '.com' }, undefined],
    [
      'none where it names host and port',
      { HTTPS_PROXY: proxy, NO_PROXY: 'chatgpt.com:443' },
      undefined,
    ],
    [
      'that of the variable where another port is named',
      { HTTPS_PROXY: proxy, NO_PROXY: 'chatgpt.com:80' },
      proxy,
    ],
    [
      'that of the variable where the name only ends alike',
      { HTTPS_PROXY: proxy, NO_PROXY: 'gpt.com' },
      proxy,
    ],
  ])('is %s', (_what, env, expected) => {
    expect(proxyFor(URL_, env)).toBe(expected)
  })

  it('is that of HTTP_PROXY for an address of this machine without TLS', () => {
    expect(proxyFor('http://127.0.0.1:1/x', { HTTP_PROXY: proxy })).toBe(proxy)
    expect(proxyFor('http://127.0.0.1:1/x', { HTTP_PROXY: proxy, NO_PROXY: '127.0.0.1' })).toBe(
      undefined,
    )
  })
})
