import { readFileSync } from 'node:fs'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { objectText } from '../../../lib/request/body/json-edit.js'
import {
  type Anchor,
  additionTo,
  anchorAfter,
  identityOf,
} from '../../../lib/request/transport/continuation.js'
import { user } from '../../support/conversation.js'

interface Turn {
  readonly request: Record<string, unknown> & { readonly input: readonly unknown[] }
  readonly responseId: string
  readonly output: readonly unknown[]
}
const { turns } = JSON.parse(
  readFileSync(new URL('../../fixtures/websocket-turns.json', import.meta.url), 'utf8'),
) as { turns: readonly Turn[] }

const bodyOf = (request: unknown) => objectText(JSON.stringify(request))!
const said = (text: string) => ({
  role: 'assistant',
  content: [{ type: 'output_text', text }],
})
const message = (text: string) => ({
  id: 'msg_1',
  type: 'message',
  status: 'completed',
  ...said(text),
})
const request = (input: readonly unknown[], others: object = {}) => ({
  model: 'gpt-5.5',
  input,
  instructions: 'be kind',
  prompt_cache_key: 'ses_1',
  tools: [],
  ...others,
})
const after = (input: readonly unknown[], output: readonly unknown[]): Anchor =>
  anchorAfter(bodyOf(request(input)), 'resp_1', output)!

describe('captured turns of the host', () => {
  it('continue each other where nothing but the conversation has grown, and say what is new', () => {
    const found = turns.slice(1).map((turn, index) => {
      const before = turns[index]!
      const anchor = anchorAfter(bodyOf(before.request), before.responseId, before.output)!
      const addition = additionTo(anchor, bodyOf(turn.request))
      return 'input' in addition ? (JSON.parse(addition.input) as unknown[]).length : addition.full
    })
    // The third of them has another effort, and the fourth the usual one again.
    expect(found).toEqual([2, 1, 'settings_changed', 'settings_changed', 1, 1])
  })
})

describe('what a request adds to a connection', () => {
  it('is exactly the items behind the answer', () => {
    const anchor = after([user('a')], [message('b')])
    const body = bodyOf(request([user('a'), said('b'), user('c'), user('d')]))
    expect(additionTo(anchor, body)).toEqual({ input: JSON.stringify([user('c'), user('d')]) })
  })

  it.each([
    ['an edited message', [user('A'), said('b'), user('c')], 'history_changed'],
    ['a message taken back', [said('b'), user('c')], 'history_changed'],
    ['a compacted history', [user('summary')], 'history_changed'],
    ['another answer', [user('a'), said('B'), user('c')], 'answer_differs'],
    ['an answer left out', [user('a'), user('c')], 'answer_differs'],
    ['the same again', [user('a'), said('b')], 'nothing_new'],
    ['the answer left out at the end', [user('a')], 'history_changed'],
  ])('is not known with %s', (_what, input, full) => {
    expect(additionTo(after([user('a')], [message('b')]), bodyOf(request(input)))).toEqual({ full })
  })

  it.each(['model', 'instructions', 'tools', 'reasoning', 'text', 'prompt_cache_key'])(
    'is not known with another %s',
    (key) => {
      const anchor = after([user('a')], [message('b')])
      const body = bodyOf(request([user('a'), said('b'), user('c')], { [key]: { other: 1 } }))
      expect(additionTo(anchor, body)).toEqual({ full: 'settings_changed' })
    },
  )

  it('does not depend on the metadata of the single request', () => {
    const anchor = after([user('a')], [message('b')])
    const body = bodyOf(request([user('a'), said('b'), user('c')], { client_metadata: { n: '2' } }))
    expect(additionTo(anchor, body)).toEqual({ input: JSON.stringify([user('c')]) })
  })

  it('is never less than what the backend does not hold, whatever was changed', () => {
    const item = fc.oneof(
      fc.string().map(user),
      fc.string().map(said),
      fc.record({ type: fc.constant('function_call_output'), output: fc.string() }),
    )
    fc.assert(
      fc.property(
        fc.array(item),
        fc.array(fc.string()),
        fc.array(item, { minLength: 1 }),
        fc.array(item),
        fc.boolean(),
        (input, answers, more, other, isSame) => {
          const anchor = after(input, answers.map(message))
          const held = [...input, ...answers.map(said)]
          const next = isSame ? [...held, ...more] : [...other, ...more]
          const addition = additionTo(anchor, bodyOf(request(next)))
          if (isSame) expect(addition).toEqual({ input: JSON.stringify(more) })
          else if ('input' in addition)
            expect(JSON.stringify([...held, ...(JSON.parse(addition.input) as unknown[])])).toBe(
              JSON.stringify(next),
            )
        },
      ),
    )
  })
})

describe('what identifies an item', () => {
  it.each([
    [
      'reasoning by what is sealed in it',
      {
        type: 'reasoning',
        id: 'rs_1',
        encrypted_content: 'E',
        summary: [{ text: '1' }, { text: '2' }],
      },
      { type: 'reasoning', encrypted_content: 'E', summary: [{ text: '2' }] },
    ],
    [
      'a call by its name, id and arguments, however they are written',
      {
        type: 'function_call',
        id: 'fc',
        call_id: 'c',
        name: 'n',
        arguments: '{ "a" : "\\u00e9" }',
      },
      { type: 'function_call', call_id: 'c', name: 'n', arguments: '{"a":"é"}' },
    ],
    ['a message by its text', message('hi'), said('hi')],
  ])('is for %s', (_what, theirs, hosts) => {
    expect(identityOf(theirs)).toBe(identityOf(hosts))
    expect(identityOf(theirs)).toBeDefined()
  })

  it.each([
    { type: 'web_search_call', id: 'ws_1' },
    { type: 'reasoning', summary: [] },
    { type: 'function_call', call_id: 'c', name: 'n', arguments: '{broken' },
    { role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] },
    'text',
  ])('is not known of %j, so an answer with it is not continued', (item) => {
    expect(identityOf(item)).toBeUndefined()
    expect(anchorAfter(bodyOf(request([user('a')])), 'resp_1', [item])).toBeUndefined()
  })
})
