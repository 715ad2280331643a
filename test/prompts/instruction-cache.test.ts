import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { FALLBACK_INSTRUCTIONS } from '../../lib/prompts/fallback-instructions.js'
import {
  createInstructionCache,
  FRESH_MS,
  type InstructionCache,
  INSTRUCTIONS_URL,
  MAX_BYTES,
} from '../../lib/prompts/instruction-cache.js'
import { toolMessage } from '../../lib/prompts/tool-message.js'
import { temporaryFolder } from '../support/temporary.js'
import { expectPrivate } from '../support/private-place.js'

interface Stage {
  readonly cache: InstructionCache
  readonly file: string
  readonly asked: IncomingMessage[]
  readonly said: string[]
  /** Another process over the same file. */
  again(): InstructionCache
  pass(ms: number): void
}

/** A cache whose only address leads to a server of this test. */
async function stage(
  answer: (response: ServerResponse, request: IncomingMessage) => void,
  options: { file?: string } = {},
): Promise<Stage> {
  const asked: IncomingMessage[] = []
  const said: string[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    answer(response, request)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  let nowMs = 1_000_000
  const file = options.file ?? path.join(await temporaryFolder(), 'cache', 'instructions.json')
  const again = (): InstructionCache => {
    const cache = createInstructionCache({
      file,
      userAgent: 'test',
      clock: { now: () => nowMs, sleep: () => Promise.resolve() },
      log: { log: (level, text) => void said.push(`${level}: ${text}`) },
      fetch: (url, init) => {
        expect(url).toBe(INSTRUCTIONS_URL)
        return fetch(`http://127.0.0.1:${port}/`, init)
      },
    })
    onTestFinished(() => cache.close())
    return cache
  }
  return { cache: again(), file, asked, said, again, pass: (ms) => void (nowMs += ms) }
}

const plain =
  (text: string, etag = '"1"') =>
  (response: ServerResponse) =>
    void response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', etag }).end(text)

describe('instruction cache', () => {
  it('answers at once with the shipped instructions and with newer ones when they have come', async () => {
    const { cache, asked } = await stage(plain('newer'))
    expect(cache.current()).toBe(FALLBACK_INSTRUCTIONS)
    await vi.waitFor(() => expect(cache.current()).toBe('newer'))
    expect(asked).toHaveLength(1)
  })

  it('asks nobody before somebody needs instructions', async () => {
    const { cache, asked } = await stage(plain('newer'))
    await cache.load()
    await cache.close()
    expect(asked).toHaveLength(0)
  })

  it('keeps them for the next process in a file that only its owner can read', async () => {
    const { cache, file, again, asked } = await stage(plain('newer'))
    cache.current()
    await vi.waitFor(async () => expect(await readFile(file, 'utf8')).toContain('newer'))
    await expectPrivate(file)
    const next = again()
    await next.load()
    expect(next.current()).toBe('newer')
    expect(asked).toHaveLength(1)
  })

  it('looks again after a quarter of an hour, names what it has, and a 304 counts as a look', async () => {
    const { cache, asked, pass } = await stage((response, request) =>
      request.headers['if-none-match'] === '"1"'
        ? void response.writeHead(304).end()
        : plain('newer')(response),
    )
    cache.current()
    await vi.waitFor(() => expect(cache.current()).toBe('newer'))
    pass(FRESH_MS - 1)
    cache.current()
    expect(asked).toHaveLength(1)
    pass(2)
    // None begins while the last one is still being written down.
    await vi.waitFor(() => {
      expect(cache.current()).toBe('newer')
      expect(asked).toHaveLength(2)
    })
    pass(FRESH_MS - 1)
    cache.current()
    expect(asked).toHaveLength(2)
    expect(cache.current()).toBe('newer')
  })

  it.each<[string, (response: ServerResponse) => void]>([
    ['an error', (response) => void response.writeHead(500).end('no')],
    [
      'a page',
      (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    ],
    ['nothing', plain(' \n')],
    ['too much', plain('x'.repeat(MAX_BYTES + 1))],
    [
      'a redirect',
      (response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    ],
    ['a broken connection', (response) => void response.destroy()],
  ])(
    'stays with the shipped instructions after %s, says no more than a line for debugging, and waits before the next look',
    async (_what, answer) => {
      const { cache, asked, said, file } = await stage(answer)
      cache.current()
      await vi.waitFor(() => expect(asked).toHaveLength(1))
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(cache.current()).toBe(FALLBACK_INSTRUCTIONS)
      expect(asked).toHaveLength(1)
      expect(said.every((line) => line.startsWith('debug'))).toBe(true)
      await expect(stat(file)).rejects.toThrow()
    },
  )

  it('takes a file it cannot understand for none', async () => {
    const file = path.join(await temporaryFolder(), 'cache', 'instructions.json')
    await mkdir(path.dirname(file))
    await writeFile(file, '{"version":1,"text":5}')
    const { cache } = await stage(plain('newer'), { file })
    await cache.load()
    expect(cache.current()).toBe(FALLBACK_INSTRUCTIONS)
    await vi.waitFor(() => expect(cache.current()).toBe('newer'))
  })

  it('ends a look that is under way when it is closed', async () => {
    const { cache, asked, said } = await stage(() => undefined)
    cache.current()
    await vi.waitFor(() => expect(asked).toHaveLength(1))
    await cache.close()
    expect(said).toEqual([])
    cache.current()
    expect(asked).toHaveLength(1)
  })
})

describe('toolMessage', () => {
  it('names the tools in their order, and says nothing without any', () => {
    expect(toolMessage(['bash', 'read'])).toContain('bash, read.')
    expect(toolMessage([])).toBeUndefined()
  })
})
