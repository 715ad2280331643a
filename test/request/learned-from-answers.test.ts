import { describe, expect, it } from 'vitest'

import type { Block } from '../../lib/routing/limits.js'
import { ask } from '../support/core-over.js'
import { turnBody } from '../support/conversation.js'
import {
  COMPLETED,
  CREATED,
  DELTA,
  errorIn,
  event,
  good,
  refusal,
  type ScriptedStage,
  scripted,
  stream,
} from '../support/scripted-backend.js'

const HOUR = 3_600_000
const inSeconds = (seconds: number): string => String(Math.round(Date.now() / 1000) + seconds)
/** Headers of one window of a family. */
const windowHeaders = (
  family: string,
  position: 'primary' | 'secondary',
  usedPercent: number,
  minutes: number,
  resetInSec: number,
): Record<string, string> => ({
  [`x-${family}-${position}-used-percent`]: String(usedPercent),
  [`x-${family}-${position}-window-minutes`]: String(minutes),
  [`x-${family}-${position}-reset-at`]: inSeconds(resetInSec),
})
const usageLimit = (headers: Record<string, string> = {}) =>
  refusal(429, { error: { type: 'usage_limit_reached' } }, headers)

function blocksOf({ core, uidOf }: ScriptedStage, name: string): readonly Block[] {
  return core.runtime.ledger.activeBlocks(uidOf(name), Date.now())
}

describe('what an answer says about quota', () => {
  it.each([
    ['a good answer', (headers: Record<string, string>) => good(headers)],
    ['a refusal', (headers: Record<string, string>) => refusal(400, { detail: 'no' }, headers)],
  ])(
    'in the headers of %s is known at once (an account would be chosen by stale quota)',
    async (_name, answer) => {
      const stage = await scripted(['a'], () =>
        answer(windowHeaders('codex', 'primary', 37, 300, 600)),
      )
      await ask(stage.core, turnBody())
      expect(stage.core.runtime.ledger.windowsByLimit(stage.uidOf('a'), Date.now())).toMatchObject({
        codex: [{ kind: 'five_hour', usedPercent: 37, source: 'headers' }],
      })
    },
  )

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    [
      'windows',
      {
        rate_limits: {
          primary: { used_percent: 62, window_minutes: 10_080, reset_at: Number(inSeconds(600)) },
        },
      },
      { limits: { codex: { windows: [{ kind: 'weekly', usedPercent: 62, source: 'event' }] } } },
    ],
    [
      'credits',
      { credits: { has_credits: true, unlimited: false, balance: '3' } },
      { credits: { hasCredits: true, balance: '3' } },
    ],
    ['the plan', { plan_type: 'pro' }, { planType: 'pro' }],
  ])('inside the stream is known too, if it is no more than %s', async (_name, said, known) => {
    const stage = await scripted(['a'], () =>
      stream(CREATED + event('codex.rate_limits', said) + DELTA + COMPLETED),
    )
    const { text } = await ask(stage.core, turnBody())
    expect(stage.core.runtime.ledger.of(stage.uidOf('a'))).toMatchObject(known)
    expect(text).not.toContain('codex.rate_limits')
  })
})

describe('the end of a limit that the answer gives no time for', () => {
  /** End of the block that this refusal leaves, in seconds from now, to the nearest hundred. */
  async function endsIn(headers: Record<string, string>): Promise<Record<string, number>> {
    const stage = await scripted(['a'], () => usageLimit(headers))
    await ask(stage.core, turnBody())
    return Object.fromEntries(
      blocksOf(stage, 'a').map(({ scope, untilMs }) => [
        scope,
        Math.round((untilMs - Date.now()) / 100_000) * 100,
      ]),
    )
  }
  const fiveHour = (position: 'primary' | 'secondary', used: number) =>
    windowHeaders('codex', position, used, 300, 2_000)
  const weekly = (position: 'primary' | 'secondary', used: number) =>
    windowHeaders('codex', position, used, 10_080, 500_000)

  it('is the reset of the window that is used up: an account at its 5-hour limit is not left alone for the week', async () => {
    expect(await endsIn({ ...fiveHour('primary', 100), ...weekly('secondary', 99) })).toEqual({
      'limit:codex': 2_000,
    })
  })

  it.each(['primary', 'secondary'] as const)(
    'is the last reset where both windows are used up, with the short one as %s (it would be asked in vain until then)',
    async (short) => {
      const long = short === 'primary' ? 'secondary' : 'primary'
      expect(await endsIn({ ...fiveHour(short, 100), ...weekly(long, 100) })).toEqual({
        'limit:codex': 500_000,
      })
    },
  )

  it('is that of the family the request counted against, and blocks no other', async () => {
    const other = {
      ...windowHeaders('codex-fox', 'primary', 100, 300, 7_000),
      'x-codex-active-limit': 'codex-fox',
    }
    expect(await endsIn({ ...fiveHour('primary', 100), ...other })).toEqual({
      'limit:codex_fox': 7_000,
    })
  })
})

describe('an account that is refused for a reason time rarely mends', () => {
  it.each([
    [
      'a workspace that was switched off for a day',
      refusal(402, { detail: { code: 'deactivated_workspace', message: 'off' } }),
      24,
      'workspace_deactivated',
    ],
    [
      'a workspace that only a header says was switched off',
      refusal(
        403,
        {},
        {
          'x-error-json': Buffer.from('{"error":{"code":"deactivated_workspace"}}').toString(
            'base64',
          ),
        },
      ),
      24,
      'workspace_deactivated',
    ],
    [
      'a plan without Codex for six hours',
      refusal(429, { error: { type: 'usage_not_included' } }),
      6,
      'usage_not_included',
    ],
    [
      'a refusal without a reason for ten minutes',
      refusal(403, { detail: 'Forbidden' }),
      1 / 6,
      'forbidden',
    ],
  ])('is left alone: %s', async (_name, answer, hours, reason) => {
    const stage = await scripted(['a'], () => answer)
    await ask(stage.core, turnBody())
    const found = blocksOf(stage, 'a')
    expect(
      found.map((block) => [block.scope, block.reason, (block.untilMs - block.sinceMs) / HOUR]),
    ).toEqual([['*', reason, hours]])
  })
})

describe('a failure that comes as an event of a stream', () => {
  it('is judged by the status and the headers inside it, moves on, and keeps the account out until its own end', async () => {
    const said = {
      status: 429,
      error: { type: 'usage_limit_reached' },
      headers: windowHeaders('codex', 'primary', 100, 300, 2_000),
    }
    const stage = await scripted(['a', 'b'], ({ account }) =>
      account === 'a' ? stream(CREATED + event('error', said)) : undefined,
    )
    expect((await ask(stage.core, turnBody())).text).toContain('hello')
    expect(stage.accounts()).toEqual(['a', 'b'])
    expect(
      blocksOf(stage, 'a').map(({ scope, reason, untilMs }) => [
        scope,
        reason,
        Math.round((untilMs - Date.now()) / 100_000),
      ]),
    ).toEqual([['limit:codex', 'usage_limit', 20]])
  })

  it('tells the pause it wants in a header of its own, and the same account is asked after it', async () => {
    const said = {
      status: 503,
      error: { message: 'busy' },
      headers: { 'retry-after-ms': 300, 'no header': 'x', 'x-bad': 'a\nb' },
    }
    const stage = await scripted(['a', 'b'], (_asked, count) =>
      count === 0 ? stream(CREATED + event('error', said)) : undefined,
    )
    await ask(stage.core, turnBody())
    expect(stage.accounts()).toEqual(['a', 'a'])
    expect((stage.asked[1]?.atMs ?? 0) - (stage.asked[0]?.atMs ?? 0)).toBeGreaterThan(290)
  })
})

describe('an error body of a validator', () => {
  it.each<[string, unknown, RegExp]>([
    ['a sentence', { detail: 'Store must be set to false' }, /Store must be set to false/],
    [
      'a code and a sentence',
      { detail: { code: 'odd_thing', message: 'Nothing fits' } },
      /Nothing fits/,
    ],
    [
      'a list',
      { detail: [{ loc: ['body', 'input'], msg: 'field required' }, { msg: 'too short' }, 'x'] },
      /field required; too short/,
    ],
    ['a sentence in place of the object', { error: 'Nothing fits at all' }, /Nothing fits at all/],
    ['a sentence beside the code', { code: 'odd_thing', message: 'Nothing fits' }, /Nothing fits/],
  ])('is told to the user where it is %s', async (_name, body, sentence) => {
    const { core, asked } = await scripted(['a', 'b'], () => refusal(400, body))
    const { status, text } = await ask(core, turnBody())
    expect([status, errorIn(text).message]).toEqual([400, expect.stringMatching(sentence)])
    expect(asked).toHaveLength(1)
  })

  it.each([
    ['in a detail', { detail: 'Your input exceeds the context window of this model.' }],
    [
      'beside a code that says nothing',
      {
        error: {
          type: 'invalid_request_error',
          message: "This model's maximum context length is 272000 tokens.",
        },
      },
    ],
  ])(
    'that says only in words that the conversation is too long reaches the host as just that, so that it compacts (%s)',
    async (_name, body) => {
      const { core, asked } = await scripted(['a', 'b'], () => refusal(400, body))
      expect(errorIn((await ask(core, turnBody())).text).code).toBe('context_length_exceeded')
      expect(asked).toHaveLength(1)
    },
  )
})

describe('the turn state of the backend', () => {
  const user = { role: 'user', content: [{ type: 'input_text', text: 'hi' }] }
  const call = { type: 'function_call', call_id: 'c1', name: 'read', arguments: '{}' }
  const continued = turnBody([
    user,
    call,
    { type: 'function_call_output', call_id: 'c1', output: 'done' },
  ])
  const stateOf = (headers: Headers | undefined) => headers?.get('x-codex-turn-state')

  it('is sent back while the turn goes on, to the same account alone, and not into another turn', async () => {
    let isLimited = false
    const { core, asked, accounts } = await scripted(['a', 'b'], ({ account }) =>
      isLimited && account === 'a'
        ? usageLimit()
        : good({ 'x-codex-turn-state': `state of ${account}` }),
    )
    await ask(core, turnBody())
    await ask(core, continued)
    await ask(core, turnBody())
    await ask(core, continued, 'ses_2')
    isLimited = true
    await ask(core, continued)
    expect(accounts().slice(0, 3)).toEqual(['a', 'a', 'a'])
    expect(asked.slice(0, 3).map(({ headers }) => stateOf(headers))).toEqual([
      null,
      'state of a',
      null,
    ])
    expect(stateOf(asked[3]?.headers)).toBeNull()
    expect([accounts().at(-1), stateOf(asked.at(-1)?.headers)]).toEqual(['b', null])
  })

  it('is left where it is when it is longer than any sensible one', async () => {
    const { core, asked } = await scripted(['a'], () =>
      good({ 'x-codex-turn-state': 's'.repeat(5_000) }),
    )
    await ask(core, turnBody())
    await ask(core, continued)
    expect(stateOf(asked[1]?.headers)).toBeNull()
  })
})
