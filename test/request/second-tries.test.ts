import { describe, expect, it } from 'vitest'

import { ask } from '../support/core-over.js'
import { turnBody } from '../support/conversation.js'
import {
  type Asked,
  COMPLETED,
  CREATED,
  DELTA,
  errorIn,
  event,
  refusal,
  type ScriptedStage,
  scripted,
  stream,
} from '../support/scripted-backend.js'

const ADDRESS = 'https://api.openai.com/v1/responses'
const send = (stage: ScriptedStage, session: string, signal?: AbortSignal) =>
  stage.core.fetch(ADDRESS, {
    method: 'POST',
    headers: { 'session-id': session },
    body: turnBody(),
    ...(signal === undefined ? {} : { signal }),
  })
const gapsOf = (asked: readonly Asked[]): number[] =>
  asked.slice(1).map(({ atMs }, index) => atMs - (asked[index]?.atMs ?? 0))
const inFlight = ({ core, uidOf }: ScriptedStage, name: string): number =>
  core.runtime.decisions
    .recent()[0]
    ?.explain()
    .find(({ uid }) => uid === uidOf(name))
    ?.reasons.flatMap((reason) => (reason.code === 'in_flight' ? [reason.count] : []))[0] ?? 0
const healthOf = ({ core, uidOf }: ScriptedStage, name: string) =>
  core.runtime.health.read(uidOf(name), Date.now())
const usageLimit = (resetsInSeconds: number) =>
  refusal(429, { error: { type: 'usage_limit_reached', resets_in_seconds: resetsInSeconds } })

describe('a second try', () => {
  it('of the same account comes after the pause and costs no token (each would hammer the backend and spend a login)', async () => {
    const stage = await scripted(['a', 'b'], (_asked, count) =>
      count === 0 ? refusal(503, {}, { 'retry-after-ms': '300' }) : undefined,
    )
    await ask(stage.core, turnBody())
    expect([stage.accounts(), stage.renewals()]).toEqual([['a', 'a'], 0])
    expect(gapsOf(stage.asked)[0]).toBeGreaterThan(290)
  })

  it('of the only account after "try again in 250ms" comes after 250 ms, not never', async () => {
    const stage = await scripted(['a'], (_asked, count) =>
      count === 0
        ? refusal(429, {
            error: { code: 'rate_limit_exceeded', message: 'Please try again in 250ms.' },
          })
        : undefined,
    )
    expect((await ask(stage.core, turnBody())).text).toContain('hello')
    expect(gapsOf(stage.asked)[0]).toBeGreaterThan(240)
  })

  it('is not waited for when the backend asks the only account for more patience than a prompt has', async () => {
    const stage = await scripted(['a'], () => refusal(503, {}, { 'retry-after': '60' }))
    expect((await ask(stage.core, turnBody())).status).toBe(403)
    expect(stage.asked).toHaveLength(1)
  })

  it.each([
    [
      'a page of a guard',
      () => stream('<!doctype html><title>Just a moment…</title>', { 'content-type': 'text/html' }),
    ],
    ['a stream that breaks off before any output', () => stream(CREATED, {}, 'cut')],
    ['a stream that ends before any output', () => stream(CREATED)],
    [
      'an answer without a body',
      () => new Response(null, { headers: { 'content-type': 'text/event-stream' } }),
    ],
  ])(
    'after %s is made on the same account, then by another, and the host sees neither',
    async (_name, broken) => {
      const stage = await scripted(['a', 'b'], ({ account }) =>
        account === 'a' ? broken() : undefined,
      )
      const { status, text } = await ask(stage.core, turnBody())
      expect([status, text]).toEqual([200, CREATED + DELTA + COMPLETED])
      expect([stage.accounts(), stage.renewals()]).toEqual([['a', 'a', 'b'], 0])
    },
  )

  it('with another model needs the permission of the user: a chain alone is none', async () => {
    const config = { unsupportedCodexFallbackChain: { 'gpt-5.5': ['gpt-5.4'] } }
    const stage = await scripted(
      ['a'],
      ({ body }) =>
        body.model === 'gpt-5.5'
          ? refusal(400, { error: { code: 'model_not_supported' } })
          : undefined,
      { config: { ...config, unsupportedCodexPolicy: 'strict' } },
    )
    expect(errorIn((await ask(stage.core, turnBody())).text).code).toBe('model_not_supported')
    expect(stage.asked.map(({ body }) => body.model)).toEqual(['gpt-5.5'])
  })

  it.each([
    [true, 2, 200],
    [false, 1, 403],
  ])(
    'at the end of a limit is waited for only when the user allows it (%s)',
    async (isAllowed, requests, status) => {
      const stage = await scripted(
        ['a'],
        (_asked, count) => (count === 0 ? usageLimit(1) : undefined),
        {
          config: { retryAllAccountsRateLimited: isAllowed },
          env: { CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS: '60000' },
        },
      )
      expect((await ask(stage.core, turnBody())).status).toBe(status)
      expect(stage.asked).toHaveLength(requests)
    },
  )

  it.each([
    [true, 1],
    [false, 0],
  ])(
    'of a token ahead of its end is left to the user: with proactiveRefresh %s it is renewed %i times',
    async (proactiveRefresh, renewals) => {
      const stage = await scripted(['a'], () => undefined, {
        config: { proactiveRefresh },
        expiresInMs: 8 * 60_000,
      })
      await ask(stage.core, turnBody())
      // It begins after the answer, and what has not begun when the window closes is not needed any more.
      await expect.poll(() => stage.renewals()).toBe(renewals)
      await stage.core.close()
      expect(stage.renewals()).toBe(renewals)
    },
  )
})

describe('a stream that fails after output', () => {
  const failed = event('response.failed', {
    response: { error: { code: 'server_is_overloaded', message: 'busy' } },
  })
  const ways: readonly (readonly [string, () => Response])[] = [
    ['an event says so', () => stream(CREATED + DELTA + failed)],
    ['the line is cut', () => stream(CREATED + DELTA, {}, 'cut')],
    ['it ends too early', () => stream(CREATED + DELTA)],
  ]

  it.each(ways)(
    'ends for the host with one error and is not asked for again, when %s (what was said would be said and paid twice)',
    async (_name, answer) => {
      const stage = await scripted(['a', 'b'], () => answer())
      const { status, text } = await ask(stage.core, turnBody())
      expect(status).toBe(200)
      expect(text).toMatch(/^event: response\.created[^]*hello[^]*\n\nevent: error\ndata: .*\n\n$/)
      expect(stage.accounts()).toEqual(['a'])
    },
  )

  it.each(ways)(
    'counts against the account: after three of them new sessions go to another one, when %s',
    async (_name, answer) => {
      const stage = await scripted(
        ['a', 'b'],
        ({ account }) => (account === 'a' ? answer() : undefined),
        { config: { rotationStrategy: 'sticky' } },
      )
      for (const session of ['ses_1', 'ses_2', 'ses_3', 'ses_4'])
        await ask(stage.core, turnBody(), session)
      expect(stage.accounts()).toEqual(['a', 'a', 'a', 'b'])
      expect(healthOf(stage, 'a').health).toBeLessThan(90)
    },
  )

  it('is nothing a good answer is taken for: those keep the account whole', async () => {
    const incomplete = event('response.incomplete', {
      response: { incomplete_details: { reason: 'max_output_tokens' } },
    })
    const stage = await scripted(
      ['a', 'b'],
      (_asked, count) => (count % 2 === 0 ? undefined : stream(CREATED + DELTA + incomplete)),
      { config: { rotationStrategy: 'sticky' } },
    )
    for (const session of ['ses_1', 'ses_2', 'ses_3', 'ses_4', 'ses_5'])
      await ask(stage.core, turnBody(), session)
    expect([stage.accounts(), healthOf(stage, 'a')]).toEqual([
      Array(5).fill('a'),
      expect.objectContaining({ health: 100, consecutiveFailures: 0 }),
    ])
  })
})

describe('what the user breaks off', () => {
  const hanging = (text: string) => () => stream(text, {}, 'hang')

  it('ends with its own reason while the answer runs, although the connection itself does not end', async () => {
    const stage = await scripted(['a'], hanging(CREATED + DELTA))
    const abort = new AbortController()
    const response = await send(stage, 'ses_1', abort.signal)
    const reading = response.text()
    abort.abort(new Error('Esc'))
    await expect(reading).rejects.toThrow('Esc')
  })

  it('ends with its own reason before any output', async () => {
    const stage = await scripted(['a', 'b'], hanging(CREATED))
    const abort = new AbortController()
    const answer = send(stage, 'ses_1', abort.signal)
    await expect.poll(() => stage.asked.length).toBe(1)
    abort.abort(new Error('Esc'))
    await expect(answer).rejects.toThrow('Esc')
    expect(stage.asked).toHaveLength(1)
  })

  it.each(['Esc', 'cancel'])(
    'says nothing about the account, however often (%s): the session would leave it, and its cache with it',
    async (how) => {
      const stage = await scripted(['a', 'b'], hanging(CREATED + DELTA))
      for (let count = 0; count < 4; count += 1) {
        const abort = new AbortController()
        const response = await send(stage, 'ses_1', abort.signal)
        const reader = response.body?.getReader()
        await reader?.read()
        if (how === 'cancel') await reader?.cancel()
        else abort.abort(new Error('Esc'))
      }
      expect([stage.accounts(), healthOf(stage, 'a')]).toEqual([
        Array(4).fill('a'),
        expect.objectContaining({ health: 100, consecutiveFailures: 0 }),
      ])
    },
  )
})

describe('the requests an account has under way', () => {
  it('are counted until the answer has ended, not only until it begins', async () => {
    const stage = await scripted(['a', 'b'], () => undefined)
    const open = await send(stage, 'ses_1')
    await ask(stage.core, turnBody(), 'ses_2')
    expect(inFlight(stage, 'a')).toBe(1)
    await open.text()
    await ask(stage.core, turnBody(), 'ses_3')
    expect([inFlight(stage, 'a'), inFlight(stage, 'b')]).toEqual([0, 0])
  })

  it('do not stay counted when an attempt fails (the account would be shunned for ever)', async () => {
    const stage = await scripted(['a', 'b'], ({ account }, count) =>
      count < 6 ? refusal(400, { detail: account }) : undefined,
    )
    for (let count = 0; count < 7; count += 1) await ask(stage.core, turnBody(), `ses_${count}`)
    expect([inFlight(stage, 'a'), inFlight(stage, 'b')]).toEqual([0, 0])
  })
})

describe('what is sent', () => {
  it('holds no header for what is not known of an account (the backend would be told "undefined")', async () => {
    const stage = await scripted(['a'], () => undefined, { account: { accountId: undefined } })
    await ask(stage.core, turnBody())
    const { headers } = stage.asked[0] as Asked
    expect([...headers].filter(([, value]) => /undefined|null/.test(value))).toEqual([])
    expect([headers.get('authorization'), headers.has('chatgpt-account-id')]).toEqual([
      'Bearer at.a',
      false,
    ])
  })

  it('keeps what the host itself wants included in the answer', async () => {
    const stage = await scripted(['a'], () => undefined)
    for (const include of [['message.output_text.logprobs'], [], 'oops', null])
      await ask(stage.core, turnBody(undefined, { include }))
    expect(stage.asked.map(({ body }) => body.include)).toEqual([
      ['message.output_text.logprobs', 'reasoning.encrypted_content'],
      ...Array(3).fill(['reasoning.encrypted_content']),
    ])
  })

  it('holds of a moved session only the reasoning that the account made itself, also after a move back and a compaction', async () => {
    const said = { role: 'user', content: [{ type: 'input_text', text: 'go on' }] }
    const thought = (by: string) => ({
      type: 'reasoning',
      encrypted_content: `by ${by}`,
      summary: [],
    })
    const limited = new Set<string>()
    const stage = await scripted(['a', 'b'], ({ account }) =>
      limited.has(account) ? refusal(403, {}) : undefined,
    )
    const last = () => JSON.stringify(stage.asked.at(-1)?.body.input).match(/by \w+/g) ?? []
    const go = async (...input: object[]) => {
      await ask(stage.core, turnBody([said, ...input]))
      return [stage.accounts().at(-1), ...last()]
    }
    const free = (name: string) => {
      limited.delete(name)
      stage.core.runtime.ledger.clear(stage.uidOf(name), Date.now())
    }
    expect(await go()).toEqual(['a'])
    expect(await go(thought('a1'), said)).toEqual(['a', 'by a1'])
    limited.add('a')
    expect(await go(thought('a1'), said)).toEqual(['b'])
    expect(await go(thought('a1'), said, thought('b1'), said)).toEqual(['b', 'by b1'])
    free('a')
    limited.add('b')
    expect(await go(thought('a1'), said, thought('b1'), said)).toEqual(['a', 'by a1'])
    // Compacted: the pieces stand no longer where they stood.
    expect(await go(thought('b1'), said)).toEqual(['a'])
  })

  it.each([
    [['a'], ['by x']],
    [['a', 'b'], []],
  ])(
    'of a request without a session goes along only where no other account could have made it (accounts %j: %j)',
    async (names, kept) => {
      const stage = await scripted(names, () => undefined)
      const thought = { type: 'reasoning', encrypted_content: 'by x', summary: [] }
      const said = { role: 'user', content: [{ type: 'input_text', text: 'go on' }] }
      await stage.core
        .fetch('https://api.openai.com/v1/responses', {
          method: 'POST',
          body: turnBody([said, thought, said]),
        })
        .then((answer) => answer.text())
      expect(JSON.stringify(stage.asked.at(-1)?.body.input).match(/by \w+/g) ?? []).toEqual(kept)
    },
  )
})
