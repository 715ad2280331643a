import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import type { Core } from '../../../lib/core.js'
import type { Snapshot } from '../../../lib/request/trace/snapshot.js'
import {
  listSnapshots,
  MAX_SNAPSHOTS,
  snapshotName,
  writeSnapshot,
} from '../../../lib/request/trace/snapshot-folder.js'
import { itemsOf, turnBody, user } from '../../support/conversation.js'
import { answersAsked, ask, coreOver, firstTurn, FULL } from '../../support/core-over.js'
import { CREATED, DELTA, good, refusal, scripted, stream } from '../../support/scripted-backend.js'
import { nodeWebSocket } from '../../support/scripted-socket.js'
import { temporaryFolder } from '../../support/temporary.js'
import { expectPrivate } from '../../support/private-place.js'

const SNAPSHOTS = { ENABLE_PLUGIN_REQUEST_LOGGING: 'snapshots' }
const dirOf = (core: Core): string => path.join(core.runtime.paths.logsDir, 'snapshots')

/** The snapshots on the disk once the window has ended, oldest first. */
async function taken(core: Core): Promise<Snapshot[]> {
  await core.close()
  const files = await listSnapshots(dirOf(core))
  return Promise.all(
    files.map(async (file) => JSON.parse(await readFile(file, 'utf8')) as Snapshot),
  )
}

describe('a snapshot', () => {
  it('holds the headers, the shape of the body and the events of an attempt, and no text of them', async () => {
    const { core, simulator } = await coreOver(['a'], { env: SNAPSHOTS })
    await ask(core, await firstTurn())
    const [one, ...others] = await taken(core)
    expect(others).toEqual([])
    expect(one).toMatchObject({
      kind: 'oc-codex-multi-auth snapshot',
      version: 1,
      attempt: 1,
      reason: 'initial_attempt',
      account: expect.stringMatching(/^account-[\da-f]{8}$/),
      destination: 'this machine',
      outcome: 'ok',
      requestOutcome: 'completed',
      passage: { transport: 'http' },
      sent: {
        withTexts: false,
        isCut: false,
        headers: {
          authorization: { '~': [expect.any(Number), expect.any(String)] },
          'content-type': 'application/json',
          originator: 'opencode',
        },
        body: {
          model: 'gpt-5.5',
          stream: true,
          store: false,
          instructions: { '~': [expect.any(Number), expect.any(String)] },
          reasoning: { effort: 'medium' },
          include: ['reasoning.encrypted_content'],
        },
      },
      answer: { status: 200, closed: 'end', others: 0 },
    })
    const asked = simulator.requests.find(
      ({ method, path: to }) => method === 'POST' && to.endsWith('/responses'),
    )
    expect(one?.sent.bodyChars).toBe(asked?.body.length)
    const types = one?.answer?.events.map(({ type }) => type)
    expect(types?.at(0)).toBe('response.created')
    expect(types).toContain('response.output_text.delta')
    expect(types?.at(-1)).toBe('response.completed')
  })

  it('is taken of every attempt, with the reason for it and how it ended', async () => {
    const { core } = await coreOver([{ name: 'a', windows: FULL }, 'b'], { env: SNAPSHOTS })
    expect((await ask(core, await firstTurn())).status).toBe(200)
    const all = await taken(core)
    expect(
      all.map(({ attempt, reason, outcome, answer }) => [attempt, reason, outcome, answer?.status]),
    ).toEqual([
      [1, 'initial_attempt', 'usage_limit', 429],
      [2, 'switched_account_after_usage_limit', 'ok', 200],
    ])
    const [first, second] = all
    expect(first?.request).toBe(second?.request)
    expect(first?.account).not.toBe(second?.account)
    // One window hides the same text in the same way: what differs between two attempts can be seen.
    expect(first?.sent.body).toEqual(second?.sent.body)
  })

  it.each([
    [
      'no connection',
      () => {
        throw Object.assign(new TypeError('fetch failed'), { code: 'ECONNREFUSED' })
      },
      { error: 'ECONNREFUSED', outcome: 'network' },
    ],
    [
      'an answer that breaks off',
      () => stream(CREATED + DELTA, {}, 'cut'),
      { answer: { closed: 'failed' }, requestOutcome: 'broken' },
    ],
    [
      'half an event',
      () => stream(`${CREATED}event: response.output_te`),
      {
        answer: { events: [{ type: 'response.created' }, { type: 'unfinished', bytes: 25 }] },
        outcome: 'stream_broken',
      },
    ],
    [
      'a page',
      () => new Response('<html>no</html>', { headers: { 'content-type': 'text/html' } }),
      {
        answer: { status: 200, events: [], headers: { 'content-type': 'text/html' } },
        outcome: 'not_sse',
      },
    ],
    [
      'a refusal',
      () =>
        refusal(400, {
          error: {
            code: 'invalid_prompt',
            type: 'Sentences are not kept',
            param: 'input[3].encrypted_content',
            message: 'nor this',
          },
        }),
      {
        answer: {
          status: 400,
          events: [],
          closed: 'end',
          refusal: { code: 'invalid_prompt', param: 'input[3].encrypted_content' },
        },
        outcome: 'policy_refused',
      },
    ],
  ])('tells of %s', async (_what, answer: () => Response, expected) => {
    const { core } = await scripted(['a'], answer, {
      env: { ...SNAPSHOTS, CODEX_AUTH_RETRY_PROFILE: 'conservative' },
    })
    await ask(core, await firstTurn()).catch(() => undefined)
    expect((await taken(core))[0]).toMatchObject(expected)
  })

  it('tells of a reader that went away', async () => {
    const { core } = await scripted(['a'], () => stream(CREATED + DELTA, {}, 'hang'), {
      env: SNAPSHOTS,
    })
    const response = await core.fetch('https://api.openai.com/v1/responses', {
      method: 'POST',
      body: await firstTurn(),
    })
    const reader = response.body!.getReader()
    await reader.read()
    await reader.cancel()
    expect((await taken(core))[0]).toMatchObject({
      answer: { closed: 'cancelled' },
      requestOutcome: 'cancelled',
    })
  })

  it('is written of an answer that is still under way when the window ends', async () => {
    const { core } = await scripted(['a'], () => stream(CREATED + DELTA, {}, 'hang'), {
      env: SNAPSHOTS,
    })
    const response = await core.fetch('https://api.openai.com/v1/responses', {
      method: 'POST',
      body: await firstTurn(),
    })
    await response.body!.getReader().read()
    expect((await taken(core))[0]).toMatchObject({ answer: { closed: 'open' } })
  })

  it('tells of a request over the WebSocket, its frames as events, and of one that sent what was new alone', async () => {
    const { core, simulator } = await coreOver(['a'], {
      env: { ...SNAPSHOTS, CODEX_AUTH_TRANSPORT: 'auto' },
      openWebSocket: nodeWebSocket,
    })
    const bodyOf = (input: readonly unknown[]): string =>
      turnBody(input, { prompt_cache_key: 'ses_1' })
    const first = await ask(core, bodyOf([user('SIM:say one')]))
    await ask(core, bodyOf([user('SIM:say one'), ...itemsOf(first.text), user('SIM:say two')]))
    expect(answersAsked(simulator).filter(({ method }) => method === 'FRAME')).toHaveLength(2)
    const [one, two] = await taken(core)
    expect(one?.passage).toMatchObject({ transport: 'websocket', full: 'new_connection' })
    expect(two?.passage).toMatchObject({ transport: 'websocket' })
    expect(two?.passage?.full).toBeUndefined()
    expect(two!.passage!.sentBytes).toBeLessThan(two!.passage!.bodyBytes)
    expect(two?.answer?.events.map(({ type }) => type)).toContain('response.output_text.delta')
    expect(two?.answer?.closed).toBe('end')
  })

  it('is readable by the user alone, and so is its folder', async () => {
    const { core } = await coreOver(['a'], { env: SNAPSHOTS })
    await ask(core, await firstTurn())
    await taken(core)
    const [name = ''] = await readdir(dirOf(core))
    await expectPrivate(dirOf(core))
    await expectPrivate(path.join(dirOf(core), name))
  })

  it('fails no request when it cannot be written', async () => {
    const { core } = await coreOver(['a'], { env: SNAPSHOTS })
    await writeFile(path.join(core.runtime.paths.root, 'logs'), 'a file in place of the folder')
    expect((await ask(core, await firstTurn())).status).toBe(200)
    expect(await taken(core)).toEqual([])
  })

  it('of a body that is too large says how large it was', async () => {
    const { core } = await scripted(['a'], () => good(), {
      env: { ...SNAPSHOTS, CODEX_AUTH_SNAPSHOT_TEXTS: '1' },
    })
    const large = turnBody([user('x'.repeat(2_000_000))])
    await ask(core, large)
    await ask(core, turnBody(Array.from({ length: 60_000 }, (_none, index) => user(String(index)))))
    const [one, two] = await taken(core)
    // Its shape is small; its texts are not.
    expect(one?.sent).toMatchObject({ withTexts: false, isCut: false })
    expect(two?.sent).toMatchObject({ body: { '~': 'cut' }, isCut: true })
    expect(two?.sent.bodyChars).toBeGreaterThan(1_000_000)
  })
})

it('a window that begins to take snapshots removes what a killed one left half written', async () => {
  const { core } = await coreOver(['a'], { env: SNAPSHOTS })
  await mkdir(dirOf(core), { recursive: true })
  const left = path.join(dirOf(core), `.${snapshotName(1, 2, 3)}.999999-0123456789ab.tmp`)
  await writeFile(left, 'half')
  await utimes(left, 1, 1)
  await ask(core, await firstTurn())
  expect(await taken(core)).toHaveLength(1)
  expect(await readdir(dirOf(core))).toHaveLength(1)
})

describe('without snapshots', () => {
  it.each(['0', '1', 'off', 'records'])('nothing is taken: %s', async (value) => {
    const { core } = await coreOver(['a'], { env: { ENABLE_PLUGIN_REQUEST_LOGGING: value } })
    await ask(core, await firstTurn())
    await core.close()
    const there = await readdir(core.runtime.paths.logsDir).catch(() => [])
    expect(there).toEqual(value === '1' || value === 'records' ? ['requests.jsonl'] : [])
  })

  it('the request and the answer are byte for byte the same', async () => {
    const bytes = CREATED + DELTA + ': a comment\r\n\r\n' + CREATED
    const seen = await Promise.all(
      ['off', 'snapshots'].map(async (value) => {
        const { core, asked } = await scripted(
          ['a'],
          () =>
            stream(bytes + 'data: {"type":"response.completed","response":{"output":[{}]}}\n\n', {
              'x-request-id': 'req_1',
            }),
          {
            env: { ENABLE_PLUGIN_REQUEST_LOGGING: value },
          },
        )
        const answer = await ask(core, await firstTurn())
        return { answer, sent: asked.map(({ headers, body }) => [[...headers], body]) }
      }),
    )
    expect(seen[1]).toEqual(seen[0])
  })
})

describe('the folder of snapshots', () => {
  it('holds the newest 200 of all windows that write at the same time', async () => {
    const dir = path.join(await temporaryFolder(), 'snapshots')
    const window = async (pid: number): Promise<void> => {
      for (let turn = 0; turn < 80; turn += 1)
        await writeSnapshot(dir, snapshotName(turn * 10 + pid, pid, turn), '{}')
    }
    await Promise.all([window(1), window(2), window(3)])
    const files = await listSnapshots(dir, Infinity)
    expect(files).toHaveLength(MAX_SNAPSHOTS)
    // 240 were written, so the 40 oldest are gone.
    expect(path.basename(files[0] ?? '')).toBe(snapshotName(132, 2, 13))
    expect((await readdir(dir)).length).toBe(MAX_SNAPSHOTS)
  }, 120_000)

  it('holds at most 20 MB, and leaves what it did not write', async () => {
    const dir = path.join(await temporaryFolder(), 'snapshots')
    await writeSnapshot(dir, snapshotName(1, 1, 1), '{}')
    await writeFile(path.join(dir, 'mine.json'), 'mine')
    const large = 'x'.repeat(1024 * 1024)
    for (let turn = 2; turn < 25; turn += 1)
      await writeSnapshot(dir, snapshotName(turn, 1, turn), large)
    const files = await listSnapshots(dir, Infinity)
    expect(files.map((file) => path.basename(file)).at(0)).toBe(snapshotName(5, 1, 5))
    expect(files).toHaveLength(20)
    expect(await readFile(path.join(dir, 'mine.json'), 'utf8')).toBe('mine')
  })
})
