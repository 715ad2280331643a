import { describe, expect, it } from 'vitest'

import type { Account } from '../../lib/accounts/account.js'
import { outgoingHeaders } from '../../lib/bridge/headers.js'

const account = (fields: Partial<Account> = {}): Account => ({ uid: 'acc_1', addedAt: 0, lastUsed: 0, accountId: 'ws-1', ...fields })
const send = (host: HeadersInit | undefined, fields: Partial<Account> = {}, turnState?: string) =>
  outgoingHeaders(host, { token: 'tok', account: account(fields), userAgent: 'opencode/test', turnState })

describe('outgoingHeaders', () => {
  it('replaces the host dummy credential by that of the account', () => {
    const headers = send({ Authorization: 'Bearer dummy', 'X-Api-Key': 'k', 'OpenAI-Organization': 'org' })
    expect(headers.authorization).toBe('Bearer tok')
    expect(headers).not.toHaveProperty('x-api-key')
    expect(headers).not.toHaveProperty('openai-organization')
  })

  it('passes session, affinity and identity headers of the host unchanged', () => {
    const host = { 'session-id': 'ses_1', 'x-session-affinity': 'ses_1', 'x-session-id': 'ses_1', originator: 'opencode', 'user-agent': 'opencode/1.18.33' }
    expect(send(host)).toMatchObject(host)
  })

  it('says opencode where the hook of the host that says so is switched off', () => {
    expect(send(undefined)).toMatchObject({ originator: 'opencode', 'user-agent': 'opencode/test', 'content-type': 'application/json' })
  })

  it('strips the internal title mark of the host (host facts §2)', () => {
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
    const host = { 'ChatGPT-Account-Id': 'other', 'X-OpenAI-Internal-Codex-Residency': 'us', 'X-OpenAI-Account-Routing-Override': 'us_cr', 'X-OpenAI-Fedramp': 'true', 'session-id': 'ses_1' }
    const headers = send(host, { kind: 'api-key', residency: 'us', routingOverride: 'us_cr', fedramp: true })
    expect(Object.keys(headers).filter((name) => /chatgpt|codex|openai/.test(name))).toEqual([])
    expect(headers).toMatchObject({ 'session-id': 'ses_1', authorization: 'Bearer tok' })
  })

  it('echoes the turn state it is given', () => {
    expect(send({}, {}, 'state')['x-codex-turn-state']).toBe('state')
  })

  it.each([[new Headers({ 'Session-Id': 's' })], [[['Session-Id', 's']] as [string, string][]], [{ 'Session-Id': 's' }]])('reads every form of headers', (host) => {
    expect(send(host)['session-id']).toBe('s')
  })
})
