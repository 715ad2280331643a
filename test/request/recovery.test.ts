import { describe, expect, it } from 'vitest'

import { classifyResponse } from '../../lib/request/failures/classify.js'
import { answersAsked, ask, coreOver, FULL } from '../support/core-over.js'
import { turnBody, user } from '../support/conversation.js'
import { toolData } from '../support/run-tool.js'

const call = (id: string) => ({ type: 'function_call', call_id: id, name: 'bash', arguments: '{}' })
const output = (id: string, text: string) => ({
  type: 'function_call_output',
  call_id: id,
  output: text,
})
describe('a session whose history the backend refuses', () => {
  it.each([
    ['a call that was interrupted', [user('a'), call('call_1'), user('SIM:say went on')]],
    [
      'an output whose call was cut away',
      [output('call_1', 'the old result'), user('SIM:say went on')],
    ],
    [
      'a call and an output of different names',
      [user('a'), call('call_1'), output('call_2', 'r'), user('SIM:say went on')],
    ],
  ])(
    'goes on after %s: the request is repaired once, on the same account',
    async (_name, input) => {
      const { core, simulator, said } = await coreOver(['a', 'b'])
      const { status, text } = await ask(core, turnBody(input))
      expect({ status, isAnswered: text.includes('went on') }).toEqual({
        status: 200,
        isAnswered: true,
      })
      expect(
        answersAsked(simulator).map((request) => `${request.account} ${request.status}`),
      ).toEqual([expect.stringContaining('400'), expect.stringContaining('200')])
      expect(new Set(answersAsked(simulator).map(({ account }) => account)).size).toBe(1)
      expect(said.join()).toContain('it was repaired for this request')
    },
  )

  it('loses no text of it', async () => {
    const { core, simulator } = await coreOver(['a'])
    await ask(core, turnBody([output('call_1', 'the old result'), user('SIM:say went on')]))
    expect(answersAsked(simulator).at(-1)?.body).toContain('the old result')
  })

  it('sends a history that is whole as it is', async () => {
    const { core, simulator } = await coreOver(['a'])
    const whole = turnBody([
      user('a'),
      call('call_1'),
      output('call_1', 'r'),
      user('SIM:say went on'),
    ])
    await ask(core, whole)
    expect(answersAsked(simulator).map(({ status, body }) => ({ status, body }))).toEqual([
      { status: 200, body: whole },
    ])
  })

  it.each([
    ['No tool output found for function call call_1.', 'broken_history'],
    ['No tool call found for function call output with call_id call_1.', 'broken_history'],
    ['No tool output found for custom tool call call_1.', 'broken_history'],
    [
      `Item 'rs_1' of type 'reasoning' was provided without its required following item.`,
      'invalid_encrypted_content',
    ],
    [
      `Item 'fc_1' of type 'function_call' was provided without its required 'reasoning' item: 'rs_1'.`,
      'invalid_encrypted_content',
    ],
    ['No tool named bash is known.', 'bad_request'],
  ])('knows %j for %s', (message, kind) => {
    const text = JSON.stringify({
      error: { message, type: 'invalid_request_error', param: 'input', code: null },
    })
    expect(
      classifyResponse({
        status: 400,
        headers: new Headers(),
        bodyText: text,
        limitId: 'codex',
        nowMs: 0,
        model: 'gpt-5.5',
      }).kind,
    ).toBe(kind)
  })
})

describe('a refusal because of a rule', () => {
  it('names the accounts the rule allows, and no other that is blocked too', async () => {
    const { core } = await coreOver([
      { name: 'a', windows: FULL },
      { name: 'b', windows: FULL },
    ])
    for (const session of ['ses_1', 'ses_2']) await ask(core, turnBody([user('x')]), session)
    await toolData(core.runtime, 'switch', { account: '1', pin: 'hard' })
    const { text } = await ask(core, turnBody([user('x')]), 'ses_3')
    expect(text).toContain('pinned')
    expect(text).toContain('Account 1')
    expect(text).not.toContain('Account 2')
  })
})
