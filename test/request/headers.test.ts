import { readFileSync } from 'node:fs'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Account } from '../../lib/accounts/account.js'
import {
  assertSendable,
  outgoingHeaders,
  passedHeaders,
} from '../../lib/request/headers/headers.js'

const account = (fields: Partial<Account> = {}): Account => ({
  uid: 'acc_1',
  addedAt: 0,
  lastUsed: 0,
  accountId: 'ws-1',
  ...fields,
})
const send = (host: HeadersInit | undefined, fields: Partial<Account> = {}, turnState?: string) =>
  outgoingHeaders(host, {
    token: 'tok',
    account: account(fields),
    userAgent: 'opencode/test',
    turnState,
  })

describe('outgoingHeaders', () => {
  it('replaces the host dummy credential by that of the account', () => {
    const headers = send({
      Authorization: 'Bearer dummy',
      'X-Api-Key': 'k',
      'OpenAI-Organization': 'org',
    })
    expect(headers.authorization).toBe('Bearer tok')
    expect(headers).not.toHaveProperty('x-api-key')
    expect(headers).not.toHaveProperty('openai-organization')
  })

  it('passes session, affinity and identity headers of the host unchanged', () => {
    const host = {
      'session-id': 'ses_1',
      'x-session-affinity': 'ses_1',
      'x-session-id': 'ses_1',
      originator: 'opencode',
      'user-agent': 'opencode/1.18.33',
    }
    expect(send(host)).toMatchObject(host)
  })

  it('says opencode where the hook of the host that says so is switched off', () => {
    expect(send(undefined)).toMatchObject({
      originator: 'opencode',
      'user-agent': 'opencode/test',
      'content-type': 'application/json',
    })
  })

  it('strips the internal title mark of the host', () => {
    expect(send({ 'x-opencode-title': 'true' })).not.toHaveProperty('x-opencode-title')
  })

  it('never forwards an account id that the host brought', () => {
    expect(send({ 'ChatGPT-Account-Id': 'other' })['chatgpt-account-id']).toBe('ws-1')
  })

  it('names workspace, residency, routing override and FedRAMP of the account, each only when it has one', () => {
    expect(send({}, { residency: 'us', routingOverride: 'us_cr', fedramp: true })).toMatchObject({
      'chatgpt-account-id': 'ws-1',
      'x-openai-internal-codex-residency': 'us',
      'x-openai-account-routing-override': 'us_cr',
      'x-openai-fedramp': 'true',
    })
    expect(Object.keys(send({}))).not.toContain('x-openai-fedramp')
  })

  it('says nothing of a ChatGPT account where an API key is used, whoever brings it', () => {
    const host = {
      'ChatGPT-Account-Id': 'other',
      'X-OpenAI-Internal-Codex-Residency': 'us',
      'X-OpenAI-Account-Routing-Override': 'us_cr',
      'X-OpenAI-Fedramp': 'true',
      'session-id': 'ses_1',
    }
    const headers = send(host, {
      kind: 'api-key',
      residency: 'us',
      routingOverride: 'us_cr',
      fedramp: true,
    })
    expect(Object.keys(headers).filter((name) => /chatgpt|codex|openai/.test(name))).toEqual([])
    expect(headers).toMatchObject({ 'session-id': 'ses_1', authorization: 'Bearer tok' })
  })

  it('echoes the turn state it is given', () => {
    expect(send({}, {}, 'state')['x-codex-turn-state']).toBe('state')
  })

  it.each([
    [new Headers({ 'Session-Id': 's' })],
    [[['Session-Id', 's']] as [string, string][]],
    [{ 'Session-Id': 's' }],
  ])('reads every form of headers', (host) => {
    expect(send(host)['session-id']).toBe('s')
  })
})

describe('headers of the host', () => {
  it('reach the backend as OpenCode sends them, in the same order and with the same bytes', () => {
    const { headers } = JSON.parse(
      readFileSync(new URL('../fixtures/opencode/02-first-turn.json', import.meta.url), 'utf8'),
    ) as { headers: Record<string, string> }
    const sent = send({ ...headers, authorization: 'Bearer dummy' })
    const own = [
      'originator',
      'user-agent',
      'session-id',
      'x-session-affinity',
      'x-session-id',
    ].filter((name) => headers[name] !== undefined)
    expect(own.length).toBeGreaterThan(3)
    for (const name of own) expect(sent[name]).toBe(headers[name])
    expect(Object.keys(sent).sort()).toEqual(
      [
        ...new Set([
          ...own,
          'accept',
          'authorization',
          'chatgpt-account-id',
          'content-type',
          'originator',
          'user-agent',
        ]),
      ].sort(),
    )
  })

  it.each([
    'proxy-authorization',
    'content-encoding',
    'content-length',
    'x-openai-account-routing-override',
    'expect',
    'upgrade',
    'te',
    'trailer',
    'forwarded',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-real-ip',
    'via',
    'cookie',
    'host',
    'connection',
    'keep-alive',
    'transfer-encoding',
    'x-api-key',
    'openai-organization',
    'referer',
    'origin',
    'x-codex-turn-metadata',
    'x-anything',
  ])('do not reach the backend when they are %s, whatever their case', (name) => {
    for (const host of [
      { [name]: 'v' },
      { [name.toUpperCase()]: 'v' },
      [[name, 'v']] as [string, string][],
    ])
      expect(send(host)[name]).toBeUndefined()
  })

  it('cannot break or begin another header, whatever they hold, and nor can what is stored of an account', () => {
    const odd = fc.string({
      unit: fc.constantFrom('a', '\r', '\n', '\0', 'é', '中', '😀', '\ud800', '\t', ' ', ':'),
    })
    fc.assert(
      fc.property(
        fc.constantFrom('session-id', 'user-agent', 'x-session-id', 'openai-beta'),
        odd,
        (name, value) => {
          expect(() => new Headers(send({ [name]: value }, {}, value))).not.toThrow()
        },
      ),
    )
    for (const bad of ['a\r\nx: y', 'tök\u0000en', '中']) {
      const sender = { token: 'tok', account: account(), userAgent: 'ua' }
      expect(() => assertSendable({ ...sender, token: bad }, 'Account 1')).toThrow(
        expect.objectContaining({
          code: 'login_required',
          message: expect.not.stringContaining(bad),
        }),
      )
      expect(() =>
        assertSendable({ ...sender, account: account({ accountId: bad }) }, 'Account 1'),
      ).toThrow(expect.objectContaining({ code: 'login_required' }))
    }
  })

  it('come back from the backend only where they mean something to it: no cookie, no encoding, no hop', () => {
    const answer = new Headers({
      'content-type': 'text/event-stream',
      'x-request-id': 'r',
      'set-cookie': 'a=b',
      'content-encoding': 'gzip',
      'content-length': '5',
      connection: 'close',
      'transfer-encoding': 'chunked',
      'x-codex-turn-state': 's',
      'x-codex-primary-used-percent': '5',
      'retry-after': '5',
    })
    expect([...passedHeaders(answer).keys()].sort()).toEqual(['content-type', 'x-request-id'])
  })

  it.each(['', ' ', '\t '])('are not sent with an empty credential (%j)', (token) => {
    const sender = { token, account: account(), userAgent: 'u', turnState: undefined }
    expect(() => assertSendable(sender, 'Account 1')).toThrow(
      expect.objectContaining({
        code: 'login_required',
        message: expect.stringMatching(/^Account 1: .*empty/),
      }),
    )
    expect(() => assertSendable({ ...sender, token: 'at' }, 'Account 1')).not.toThrow()
  })
})
