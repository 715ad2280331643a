import { createHash } from 'node:crypto'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'

import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'

import {
  CODEX_PROMPTS,
  type PinnedPrompt,
  PROMPT_BASE,
  PROMPT_RELEASE,
} from '../../lib/prompts/codex-prompts.js'
import {
  createPromptCache,
  type PromptCache,
  PROMPTS_FRESH_MS,
  PROMPTS_RETRY_MS,
  readPrompts,
} from '../../lib/prompts/prompt-cache.js'
import { temporaryFolder } from '../support/temporary.js'
import { expectPrivate } from '../support/private-place.js'

const TEXTS = { plan: '# plan\n', compaction: 'compact\n', summaryPrefix: 'before:' }
const pin = (name: string, text: string): PinnedPrompt => ({
  path: `${name}.md`,
  bytes: Buffer.byteLength(text),
  sha256: createHash('sha256').update(text).digest('hex'),
})
const PINNED = {
  plan: pin('plan', TEXTS.plan),
  compaction: pin('compaction', TEXTS.compaction),
  summaryPrefix: pin('summaryPrefix', TEXTS.summaryPrefix),
}
const START_MS = 1_000_000_000

type Answer = (response: ServerResponse, request: IncomingMessage) => void
/** The texts as the upstream has them. */
const upstream: Answer = (response, { url = '', headers }) => {
  const name = path.basename(url, '.md') as keyof typeof TEXTS
  const etag = `"${name}"`
  if (headers['if-none-match'] === etag) response.writeHead(304).end()
  else response.writeHead(200, { etag, 'content-type': 'text/plain' }).end(TEXTS[name])
}

/** A cache whose only address leads to a server of this test. */
async function stage(answer: Answer = upstream) {
  const asked: IncomingMessage[] = []
  const said: string[] = []
  let answering = answer
  const server = createServer((request, response) => {
    asked.push(request)
    answering(response, request)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  let nowMs = START_MS
  const file = path.join(await temporaryFolder(), 'cache', 'prompts.json')
  const open = (): PromptCache => {
    const cache = createPromptCache({
      file,
      pinned: PINNED,
      userAgent: 'test',
      clock: { now: () => nowMs, sleep: () => Promise.resolve() },
      log: { log: (level, text) => void said.push(`${level}: ${text}`) },
      fetch: (given, init) => {
        const url = given instanceof Request ? given.url : given.toString()
        expect(url.startsWith(`${PROMPT_BASE}/`)).toBe(true)
        return fetch(`http://127.0.0.1:${port}/${url.slice(PROMPT_BASE.length + 1)}`, init)
      },
    })
    onTestFinished(() => cache.close())
    return cache
  }
  return {
    open,
    file,
    asked,
    said,
    answer: (next: Answer) => void (answering = next),
    pass: (ms: number) => void (nowMs += ms),
  }
}

const written = (file: string) => vi.waitFor(() => stat(file))

describe('the texts of the Codex CLI', () => {
  it('are pinned to a release, on one host, to the byte', () => {
    expect(PROMPT_BASE).toBe(
      `https://raw.githubusercontent.com/openai/codex/${PROMPT_RELEASE}/codex-rs`,
    )
    expect(PROMPT_RELEASE).toMatch(/^rust-v\d+\.\d+\.\d+$/)
    for (const { sha256, bytes, path: place } of Object.values(CODEX_PROMPTS)) {
      expect(sha256).toMatch(/^[0-9a-f]{64}$/)
      expect(bytes).toBeGreaterThan(0)
      expect(place).toMatch(/^[a-z/_-]+\.md$/)
    }
  })

  it('come in the background: at first there is none, and nothing waits for it', async () => {
    const { open, asked, file } = await stage()
    const cache = open()
    expect(cache.current('plan')).toBeUndefined()
    await vi.waitFor(() => expect(cache.current('plan')).toBe(TEXTS.plan))
    expect(cache.current('summaryPrefix')).toBe(TEXTS.summaryPrefix)
    expect(asked).toHaveLength(3)
    await written(file)
    await expectPrivate(file)
  })

  it('are there at once for the next process, which asks nobody for a day and then only whether they changed', async () => {
    const { open, asked, file, pass } = await stage()
    open().current('plan')
    await written(file)
    const next = open()
    await next.load()
    expect(next.current('plan')).toBe(TEXTS.plan)
    pass(PROMPTS_FRESH_MS)
    expect(next.current('plan')).toBe(TEXTS.plan)
    expect(asked).toHaveLength(3)
    pass(1)
    expect(next.current('plan')).toBe(TEXTS.plan)
    await vi.waitFor(() => expect(asked).toHaveLength(6))
    expect(asked.slice(3).map(({ headers }) => headers['if-none-match'])).toEqual(
      expect.arrayContaining(['"plan"', '"compaction"', '"summaryPrefix"']),
    )
    expect(next.current('plan')).toBe(TEXTS.plan)
  })

  it('are looked for by one of several windows that stay open', async () => {
    const { open, asked, file, pass, answer } = await stage()
    const windows = Array.from({ length: 8 }, open)
    const [first, ...others] = windows
    first?.current('plan')
    await written(file)
    for (const one of others) await one.load()
    pass(PROMPTS_FRESH_MS + 1)
    const before = await stat(file)
    await vi.waitFor(async () => {
      first?.current('plan')
      expect((await stat(file)).ino).not.toBe(before.ino)
    })
    for (const one of others) expect(one.current('plan')).toBe(TEXTS.plan)
    for (const one of others) await one.close()
    expect(asked).toHaveLength(6)

    answer((response) => void response.writeHead(500).end())
    await writeFile(
      file,
      JSON.stringify({ version: 1, release: PROMPT_RELEASE, checkedAtMs: 0, prompts: {} }),
    )
    const [one, two] = [open(), open()]
    await Promise.all([one.load(), two.load()])
    one.current('plan')
    await vi.waitFor(async () =>
      expect(JSON.parse(await readFile(file, 'utf8'))).not.toMatchObject({ checkedAtMs: 0 }),
    )
    two.current('plan')
    await two.close()
    expect(asked).toHaveLength(9)
  })

  it.each<[string, Answer]>([
    ['other words of the same length', (response) => void response.end('# plXn\n')],
    ['more of it', (response) => void response.end('# plan\nand obey\n'.repeat(9_999))],
    ['nothing', (response) => void response.end()],
    ['not there', (response) => void response.writeHead(404).end('404: Not Found')],
    [
      'elsewhere',
      (response) => void response.writeHead(302, { location: 'https://example.com/' }).end(),
    ],
    ['cut off', (response) => void response.destroy()],
  ])(
    'are not taken where the answer is %s; ours stands in, and is tried again later',
    async (_what, answer) => {
      const { open, asked, file, pass, said } = await stage(answer)
      const cache = open()
      cache.current('plan')
      await written(file)
      expect(cache.current('plan')).toBeUndefined()
      const first = asked.length
      pass(PROMPTS_RETRY_MS)
      expect(cache.current('plan')).toBeUndefined()
      expect(asked).toHaveLength(first)
      pass(1)
      await vi.waitFor(() => {
        cache.current('plan')
        expect(asked.length).toBeGreaterThan(first)
      })
      expect(said.join('\n')).not.toMatch(/warn|error/)
    },
  )

  it('stay as they are when a later look fails', async () => {
    const { open, asked, pass, answer } = await stage()
    const cache = open()
    cache.current('plan')
    await vi.waitFor(() => expect(cache.current('plan')).toBe(TEXTS.plan))
    answer((response) => void response.writeHead(500).end())
    pass(PROMPTS_FRESH_MS + 1)
    // None begins while the last one is still being written down.
    await vi.waitFor(() => {
      cache.current('plan')
      expect(asked).toHaveLength(6)
    })
    await cache.close()
    expect(cache.current('plan')).toBe(TEXTS.plan)
  })

  it.each([
    ['is cut off', '{"version":1,"rel'],
    ['is of a later form', JSON.stringify({ version: 2, release: PROMPT_RELEASE, prompts: [] })],
    [
      'comes from the future',
      JSON.stringify({
        version: 1,
        release: PROMPT_RELEASE,
        checkedAtMs: START_MS + 86_400_000,
        prompts: { plan: { text: TEXTS.plan } },
      }),
    ],
    [
      'holds words of somebody else',
      JSON.stringify({
        version: 1,
        release: PROMPT_RELEASE,
        checkedAtMs: START_MS,
        prompts: { plan: { text: 'obey me' } },
      }),
    ],
  ])('are ours where the file %s: one line in the log, and it is replaced', async (_what, text) => {
    const { open, file, said } = await stage()
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, text)
    const cache = open()
    await cache.load()
    expect(cache.current('plan')).toBeUndefined()
    expect(said.filter((line) => line.startsWith('warn'))).toHaveLength(1)
    await vi.waitFor(() => expect(cache.current('plan')).toBe(TEXTS.plan))
    await vi.waitFor(async () => expect(await readFile(file, 'utf8')).toContain('compact'))
  })

  it('of another release are no fault and not used', async () => {
    const { open, file, said } = await stage()
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(
      file,
      JSON.stringify({
        version: 1,
        release: 'rust-v0.1.0',
        checkedAtMs: START_MS,
        prompts: { plan: { text: TEXTS.plan } },
      }),
    )
    const cache = open()
    await cache.load()
    expect(cache.current('plan')).toBeUndefined()
    expect(said).toEqual([])
  })

  it('never are anything but the pinned ones, whatever the file holds', async () => {
    const file = path.join(await temporaryFolder(), 'prompts.json')
    const kept = fc.dictionary(
      fc.constantFrom('plan', 'compaction', 'other', '__proto__'),
      fc.oneof(fc.jsonValue(), fc.record({ text: fc.oneof(fc.string(), fc.constant(TEXTS.plan)) })),
    )
    await fc.assert(
      fc.asyncProperty(kept, fc.integer(), async (prompts, checkedAtMs) => {
        await writeFile(
          file,
          JSON.stringify({ version: 1, release: PROMPT_RELEASE, checkedAtMs, prompts }),
        )
        const read = await readPrompts(file, START_MS, PINNED)
        const texts = read.state === 'kept' ? Object.entries(read.prompts) : []
        for (const [name, one] of texts) expect(one.text).toBe(TEXTS[name as keyof typeof TEXTS])
      }),
      { numRuns: 100 },
    )
  })

  it('are not waited for at the end', async () => {
    const { open, asked } = await stage(() => undefined)
    const cache = open()
    cache.current('plan')
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(0))
    await cache.close()
    expect(cache.current('plan')).toBeUndefined()
  })
})
