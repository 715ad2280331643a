import { createHash } from 'node:crypto'

import { describe, expect, it, onTestFinished } from 'vitest'

import { startSimulator } from '../../simulator/index.js'
import { startShapedLink } from './shaped-link.js'

const BODY = {
  model: 'gpt-5.5',
  instructions: createHash('sha512').update('x').digest('hex').repeat(800),
  input: [{ role: 'user', content: [{ type: 'input_text', text: 'SIM:say hi' }] }],
  store: false,
  stream: true,
}

describe('a shaped link', () => {
  it('takes as long for a body as its rate and its way say, changes nothing, and counts', async () => {
    const simulator = await startSimulator({ accounts: ['one'] })
    onTestFinished(() => simulator.close())
    const link = await startShapedLink({
      port: Number(new URL(simulator.url).port),
      bitsPerSecond: 10_000_000,
      roundTripMs: 40,
    })
    onTestFinished(() => link.close())
    const body = JSON.stringify(BODY)

    const before = performance.now()
    const response = await fetch(
      `${simulator.backend.replace(/:\d+\//, `:${link.port}/`)}/codex/responses`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${simulator.login('one').access_token}` },
        body,
      },
    )
    expect(await response.text()).toContain('"delta":"hi"')

    const sendingMs = (body.length * 8_000) / 10_000_000
    expect(performance.now() - before).toBeGreaterThan(sendingMs + 40)
    expect(simulator.requests[0]?.body).toBe(body)
    expect(link.bytes.up).toBeGreaterThan(body.length)
    expect(link.bytes.down).toBeGreaterThan(1_000)
  })
})
