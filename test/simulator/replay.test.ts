import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { startSimulator } from '../../simulator/index.js'
import { repositoryRoot } from '../support/repository.js'
import { type Client, connect, type Received, typesOf } from './socket-client.js'

interface Captured {
  readonly upgrade: Readonly<Record<string, string>>
  readonly turns: readonly {
    readonly frame: Readonly<Record<string, unknown>> & { readonly input: readonly object[] }
    readonly answer: readonly string[]
  }[]
}

async function captured(name: string): Promise<Captured> {
  const file = path.join(repositoryRoot, 'test', 'fixtures', 'websocket', `${name}.json`)
  return JSON.parse(await readFile(file, 'utf8')) as Captured
}

/** Connects with the headers of the capture; the token and the workspace are those of the simulator. */
async function replaying(upgrade: Captured['upgrade']): Promise<Client> {
  const simulator = await startSimulator({ accounts: ['one'] })
  onTestFinished(() => simulator.close())
  const { Authorization: _, authorization: __, ...headers } = upgrade
  return connect(simulator, 'one', {
    headers: { ...headers, 'chatgpt-account-id': simulator.account('one').accountId },
    deflate: true,
  })
}

/**
 * Types without what the simulator tells besides: the turn state, the quota, a summary of the reasoning, and events that
 * the server of the captures left out. Pieces of one text count once.
 */
function compared(events: readonly Received[]): string[] {
  return typesOf(events)
    .filter(
      (type) =>
        !/^(?:response\.metadata|codex\.rate_limits|response\.reasoning_summary_.*|response\.content_part\.done|response\.custom_tool_call_input\..*)$/.test(
          type,
        ),
    )
    .filter((type, index, all) => type !== all[index - 1])
}

const once = (types: readonly string[]): string[] =>
  types.filter((type, index) => type !== types[index - 1])

const itemOf = (events: readonly Received[], type: string): Record<string, unknown> =>
  events
    .map((event) =>
      typeof event === 'object' ? (event.item as Record<string, unknown>) : undefined,
    )
    .findLast((item) => item?.type === type) ?? {}

/** What the user of the captures asked for, in the words of the simulator. */
function inWords(text: string, tool: string): string {
  return text.replace(/\bTOOLS2\b/, () => `SIM:tool*2 ${tool}\n`)
}

describe('the frames of Codex CLI', () => {
  it.each([
    ['codex-cli', 'exec_command {"cmd":"true"}', 'function_call'],
    ['codex-cli-lite', 'exec {"input":"text(1)"}', 'custom_tool_call'],
  ])(
    'of %s are answered with the events it was sent when they were captured',
    async (name, tool, call) => {
      const { upgrade, turns } = await captured(name)
      const client = await replaying(upgrade)
      let last: Received[] = []
      for (const { frame, answer } of turns) {
        const before = last.at(-1) as { response?: { id: string } } | undefined
        const text = JSON.stringify({
          ...frame,
          ...(frame.previous_response_id === undefined
            ? {}
            : { previous_response_id: before?.response?.id }),
          input: frame.input.map((item) =>
            'call_id' in item ? { ...item, call_id: itemOf(last, call).call_id } : item,
          ),
        })
        const quoted = JSON.stringify(inWords('TOOLS2', tool)).slice(1, -1)
        last = await client.turn(text.replace('TOOLS2', () => quoted))
        expect(compared(last), text.slice(0, 300)).toEqual(once(answer))
      }
      expect(turns).toHaveLength(4)
    },
  )
})

describe("the frames of the host's own WebSocket", () => {
  it('are answered with the events it was sent when they were captured, the whole history in each', async () => {
    const { upgrade, turns } = await captured('opencode')
    const client = await replaying(upgrade)
    let sealed: unknown
    // The simulator makes one call at a time, so the first answer, with two, is not to be had from it.
    for (const [index, { frame, answer }] of turns.entries()) {
      const text = JSON.stringify(frame, (key, value: unknown) =>
        key === 'encrypted_content' ? sealed : value,
      )
      const quoted = JSON.stringify(inWords('TOOLS2', 'bash {"command":"true"}')).slice(1, -1)
      const events = await client.turn(text.replace('TOOLS2', () => quoted))
      sealed ??= itemOf(events, 'reasoning').encrypted_content
      if (index > 0) expect(compared(events), text.slice(0, 300)).toEqual(once(answer))
    }
    expect(turns).toHaveLength(7)
  })
})
