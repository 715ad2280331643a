import { describe, expect, it } from 'vitest'

import { classifyEvent, classifyResponse } from '../../lib/request/failures/classify.js'

const NOW = Date.UTC(2026, 10, 28)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const judge = (status: number, body: unknown, headers: HeadersInit = {}) =>
  classifyResponse({
    status,
    headers: new Headers(headers),
    bodyText: typeof body === 'string' ? body : JSON.stringify(body),
    model: 'gpt-5.5',
    limitId: 'codex',
    nowMs: NOW,
  })
const LIMIT = { code: 'usage_limit_reached', message: 'The usage limit has been reached' }
const blockOf = (fields: object, headers: HeadersInit = {}) =>
  judge(429, { error: { ...LIMIT, ...fields } }, headers).block
const endOf = (fields: object, headers: HeadersInit = {}): number | undefined => {
  const untilMs = blockOf(fields, headers)?.untilMs
  return untilMs === undefined ? undefined : untilMs - NOW
}
const waitOf = (headers: HeadersInit, message = 'Slow down.'): number | undefined =>
  judge(429, { error: { code: 'rate_limit_exceeded', message } }, headers).retryAfterMs

describe('the pause a server asks for', () => {
  it.each([
    [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    [{ 'retry-after-ms': '0' }, 0],
    [{ 'retry-after-ms': '-1', 'retry-after': '9' }, 9_000],
    [{ 'retry-after-ms': '', 'retry-after': '9' }, 9_000],
    [{ 'retry-after-ms': '9e12' }, 32 * DAY],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '1.5' }, 1_500],
    [{ 'retry-after': '9000000' }, 32 * DAY],
    [{ 'retry-after': '-5' }, undefined],
    [{ 'retry-after': new Date(NOW + 90_000).toUTCString() }, 90_000],
    [{ 'retry-after': new Date(NOW - 90_000).toUTCString() }, 0],
    [{ 'retry-after': new Date(NOW + 99 * DAY).toUTCString() }, 32 * DAY],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ])('in the headers %j is %s ms', (headers, ms) => {
    expect(waitOf(headers as Record<string, string>)).toBe(ms)
  })

  it.each([
    ['try again in 250ms.', 250],
    ['Please TRY AGAIN IN 1.3s', 1_300],
    ['try again in 20 seconds', 20_000],
    ['try again in 1 second', 1_000],
    ['try again in 2m', 2 * MINUTE],
    ['try again in 1 minute', MINUTE],
    ['try again in 3 minutes', 3 * MINUTE],
    ['try again in 999999999 minutes', 32 * DAY],
    ['try again in 2 hours', undefined],
    ['try again later', undefined],
  ])('in the sentence "%s" is %s ms, in its own unit', (message, ms) => {
    expect(waitOf({}, message)).toBe(ms)
    expect(waitOf({ 'retry-after': '7' }, message)).toBe(7_000)
  })

  it.each([
    [undefined, 10_000],
    ['30', 30_000],
    ['0', 1],
    ['900', 15 * MINUTE],
    ['3600', 15 * MINUTE],
  ])('of %s s keeps a short limit for %i ms: only a quota window lasts for hours', (header, ms) => {
    const headers = header === undefined ? {} : { 'retry-after': header }
    expect(judge(429, { error: { code: 'rate_limit_exceeded' } }, headers).block).toEqual({
      scope: 'limit:codex',
      reason: 'rate_limit',
      source: 'body',
      sinceMs: NOW,
      untilMs: NOW + ms,
    })
  })
})

describe('the end of an exhausted limit', () => {
  const used = (position: string, percent: number, minutes: number, seconds: number) => ({
    [`x-codex-${position}-used-percent`]: String(percent),
    [`x-codex-${position}-window-minutes`]: String(minutes),
    [`x-codex-${position}-reset-after-seconds`]: String(seconds),
  })
  const windows = { ...used('primary', 100, 300, 3_600), ...used('secondary', 100, 10_080, 86_400) }

  it.each([
    ['its time in the body', { resets_at: NOW / 1000 + 60, resets_in_seconds: 5 }, MINUTE],
    ['its time by the other name', { reset_at: NOW / 1000 + 60 }, MINUTE],
    ['its time as text', { resets_at: String(NOW / 1000 + 60) }, MINUTE],
    ['what is left of it', { resets_in_seconds: 90 }, 90_000],
    ['the last reset of the windows that are used up', {}, DAY],
  ])('is %s', (_name, fields, ms) => {
    expect(endOf(fields, { ...windows, 'retry-after': '7' })).toBe(ms)
  })

  it.each([
    [
      'the reset of the only one used up',
      { ...windows, ...used('secondary', 99, 10_080, 9) },
      HOUR,
    ],
    ['the pause asked for where no window is used up', { 'retry-after': '120' }, 2 * MINUTE],
    ['a short hold where nothing is told', {}, 15 * MINUTE],
    ['a short hold where the pause is none', { 'retry-after': '0' }, 15 * MINUTE],
  ])('is %s', (_name, headers, ms) => {
    expect(endOf({}, headers as Record<string, string>)).toBe(ms)
  })

  it.each([
    ['now', 0, 15 * MINUTE],
    ['over', -5, 15 * MINUTE],
    ['within reach', 32 * 86_400, 32 * DAY],
    ['out of reach', 32 * 86_400 + 1, 15 * MINUTE],
  ])('that is %s holds as long as it can be believed', (_name, seconds, ms) => {
    expect(endOf({ resets_in_seconds: seconds })).toBe(ms)
  })

  it.each([
    [
      'the family in the header',
      { limit_id: 'b' },
      { 'x-codex-active-limit': 'codex-x' },
      'codex_x',
    ],
    ['the family in the body', { limit_id: 'codex-y', metered_limit_name: 'c' }, {}, 'codex_y'],
    ['the metered family', { metered_limit_name: 'codex_z' }, {}, 'codex_z'],
    ['the usual family', { limit_id: ' ' }, { 'x-codex-active-limit': '' }, 'codex'],
  ])('counts for %s', (_name, fields, headers, id) => {
    expect(blockOf(fields, headers as Record<string, string>)).toEqual({
      scope: `limit:${id}`,
      reason: 'usage_limit',
      source: 'body',
      sinceMs: NOW,
      untilMs: NOW + 15 * MINUTE,
    })
  })

  it('comes with the name of the window, where it has one', () => {
    expect(blockOf({}, windows)?.detail).toContain('weekly')
    expect(blockOf({}, used('primary', 100, 300, 60))?.detail).toContain('5-hour')
    expect(Object.keys(blockOf({}, used('primary', 100, 77, 60)) ?? {})).not.toContain('detail')
  })

  it('is that of the family asked for, not of the first that is told', () => {
    const other = {
      'x-codex-x-primary-used-percent': '100',
      'x-codex-x-primary-window-minutes': '300',
      'x-codex-x-primary-reset-after-seconds': '60',
    }
    expect(endOf({ limit_id: 'codex_x' }, { ...windows, ...other })).toBe(MINUTE)
    expect(endOf({ limit_id: 'unknown' }, { ...windows, ...other })).toBe(DAY)
  })
})

describe('what keeps an account out', () => {
  it.each([
    [403, { error: { code: 'something' } }, '*', 'forbidden', 10 * MINUTE],
    [402, {}, '*', 'forbidden', 10 * MINUTE],
    [403, { error: { code: 'usage_not_included' } }, '*', 'usage_not_included', 6 * HOUR],
    [402, { detail: { code: 'deactivated_workspace' } }, '*', 'workspace_deactivated', DAY],
    [
      400,
      { detail: "The 'gpt-5.5' model is not supported when using Codex with a ChatGPT account." },
      'model:gpt-5.5',
      'model_not_supported',
      DAY,
    ],
  ])('after %i %j is a block of %s (%s) with an end', (status, body, scope, reason, ms) => {
    expect(judge(status, body).block).toEqual({
      scope,
      reason,
      source: 'body',
      sinceMs: NOW,
      untilMs: NOW + ms,
    })
  })

  it.each([400, 401, 404, 408, 413, 500, 503])('is nothing after a bare %i', (status) => {
    expect(judge(status, {}).block).toBeUndefined()
  })
})

describe('the parts of an error', () => {
  it.each([
    [{ error: { code: 'Some_Code', message: 'Words.' } }, {}, 'some_code', 'Words.'],
    [{ error: { type: 'some_type' } }, {}, 'some_type', undefined],
    [{ error: 'some_error' }, {}, 'some_error', 'some_error'],
    [{ code: 'top', message: 'Top words.' }, {}, 'top', 'Top words.'],
    [{ detail: { code: 'inner', message: 'Inner words.' } }, {}, 'inner', 'Inner words.'],
    [{ detail: 'A sentence.' }, {}, undefined, 'A sentence.'],
    [{ detail: [{ msg: 'One.' }, 7, { msg: 'Two.' }] }, {}, undefined, 'One.; Two.'],
    [{ error: { code: 'with blanks in it' } }, {}, undefined, undefined],
    ['<html>code</html>', {}, undefined, undefined],
    ['', { 'x-openai-authorization-error': 'from_header' }, 'from_header', undefined],
    [
      '',
      { 'x-error-json': Buffer.from('{"error":{"code":"packed"}}').toString('base64') },
      'packed',
      undefined,
    ],
  ])('%j with headers %j are its code and its sentence', (body, headers, code, message) => {
    const failure = judge(422, body, headers)
    expect([failure.code, failure.message, failure.status]).toEqual([code, message, 422])
  })

  it('are the id of the request too, by either name', () => {
    expect(judge(500, {}, { 'x-request-id': 'a', 'x-oai-request-id': 'b' }).requestId).toBe('a')
    expect(judge(500, {}, { 'x-oai-request-id': 'b' }).requestId).toBe('b')
    expect('requestId' in judge(500, {})).toBe(false)
  })

  it('are read from the event of a stream, with its own status and headers before those of the answer', () => {
    const of = (event: unknown) =>
      classifyEvent({
        event,
        headers: new Headers({ 'retry-after': '5', 'x-request-id': 'outer' }),
        model: 'gpt-5.5',
        limitId: 'codex',
        nowMs: NOW,
      })
    expect(
      of({
        type: 'error',
        status: 429,
        headers: { 'retry-after': 9, 'bad name': 'x', nested: {} },
        error: { code: 'rate_limit_exceeded', message: 'Slow.' },
      }),
    ).toMatchObject({
      kind: 'rate_limit',
      status: 429,
      code: 'rate_limit_exceeded',
      retryAfterMs: 9_000,
      requestId: 'outer',
    })
    expect(
      of({ type: 'response.failed', response: { error: { code: 'server_error' } } }),
    ).toMatchObject({ kind: 'server_error', retryAfterMs: 5_000 })
    expect(of(undefined)).toMatchObject({ kind: 'server_error' })
    expect('status' in of({ type: 'error' })).toBe(false)
  })
})
