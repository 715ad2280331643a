import { describe, expect, it } from 'vitest'

import {
  type CapturedRequest,
  differences,
  loadCapture,
  USUAL_ALLOWANCES,
} from './captured-request.js'

async function changed(change: (request: CapturedRequest) => void): Promise<string[]> {
  const captured = await loadCapture('04-after-tool-output')
  const actual = structuredClone(captured)
  change(actual)
  return differences(actual, captured)
}

describe('comparing a request with a captured one', () => {
  it('finds nothing when they are equal', async () => {
    expect(await changed(() => undefined)).toEqual([])
  })

  it('names a member that is new, gone or of another value', async () => {
    const found = await changed(({ body }) => {
      body['max_output_tokens'] = 32_000
      body['store'] = true
      delete body['include']
    })
    expect(found).toEqual([
      'body.store is true (was false)',
      'body.include[] is missing (was "list")',
      'body.include[0] is missing (was "reasoning.encrypted_content")',
      'body.max_output_tokens was added: 32000',
    ])
  })

  it('sees an id deep inside the conversation', async () => {
    const found = await changed(({ body }) => {
      const input = body['input'] as Record<string, unknown>[]
      input[1] = { ...input[1], id: 'rs_1' }
    })
    expect(found).toEqual(['body.input[1].id was added: "rs_1"'])
  })

  it('accepts what differs between any two runs only in its usual shape', async () => {
    const found = await changed((request) => {
      request.headers['session-id'] = 'ses_other'
      request.headers['authorization'] = 'Bearer other'
      request.headers['accept'] = 'application/json'
      request.body['prompt_cache_key'] = 'another thing'
    })
    expect(found).toEqual([
      'headers.accept is "application/json" (was "*/*")',
      'body.prompt_cache_key is "another thing" (was "ses_e0578741fffeT8RbLa31paMXo4")',
    ])
  })

  it('compares the beginning of a text that the capture shortened', async () => {
    const found = await changed(({ body }) => {
      body['instructions'] = `Something before. ${String(body['instructions'])}`
    })
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(/^body\.instructions is "Something before\./)
  })

  it('tells tools apart by name, so that one tool more shifts no other', async () => {
    const found = await changed(({ body }) => {
      const tools = body['tools'] as Record<string, unknown>[]
      tools.unshift({ type: 'function', name: 'aaa', strict: false })
    })
    expect(found).toEqual([
      'body.tools{aaa}.type was added: "function"',
      'body.tools{aaa}.name was added: "aaa"',
      'body.tools{aaa}.strict was added: false',
    ])
  })

  it('gives a reason for every allowance', () => {
    expect(USUAL_ALLOWANCES.filter(({ why }) => why === '')).toEqual([])
  })
})
