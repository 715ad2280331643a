import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import type { Account, AccountPool } from '../../lib/accounts/account.js'
import type { AccountStore } from '../../lib/accounts/store/store.js'
import { parseCatalogues } from '../../lib/catalogue/catalogue-file.js'
import {
  createModelCatalogue,
  FRESH_MS,
  KEEP_OTHERS_MS,
  MAX_ASKED,
} from '../../lib/catalogue/refresh.js'
import { CODEX_CLI_VERSION } from '../../lib/models/facts.js'
import { temporaryFolder } from '../support/temporary.js'

const NOW = 1_800_000_000_000
const account = (uid: string, fields: Partial<Account> = {}): Account => ({
  uid,
  refreshToken: `rt-${uid}`,
  accessToken: `at-${uid}`,
  expiresAt: NOW + 100 * FRESH_MS,
  addedAt: 1,
  lastUsed: 0,
  ...fields,
})
const listing = (slug: string): Response =>
  Response.json({ models: [{ slug }] }, { headers: { etag: `"${slug}"` } })

interface Asked {
  readonly url: string
  readonly headers: Headers
}

type CatalogueClient = Parameters<typeof createModelCatalogue>[0]['client']

/** A book over a folder, for a pool of these accounts. */
async function bookOf(
  accounts: readonly Account[],
  reply: (asked: Asked, signal: AbortSignal) => Response | Promise<Response>,
  options: { file?: string; nowMs?: number; client?: CatalogueClient } = {},
) {
  const file = options.file ?? path.join(await temporaryFolder(), 'cache', 'catalogue.json')
  const pool: AccountPool = { version: 3, accounts, activeIndex: 0 }
  const asked: Asked[] = []
  const book = createModelCatalogue({
    file,
    backend: 'https://backend.example',
    userAgent: 'test',
    fetch: ((url: string, init: { headers: HeadersInit; signal: AbortSignal }) => {
      asked.push({ url, headers: new Headers(init.headers) })
      return Promise.resolve(reply(asked.at(-1) as Asked, init.signal))
    }) as unknown as typeof globalThis.fetch,
    store: { peek: () => pool, read: () => Promise.resolve(pool) } as unknown as AccountStore,
    clock: { now: () => options.nowMs ?? NOW, sleep: () => Promise.resolve() },
    log: { log: () => undefined },
    client:
      options.client ??
      (() =>
        Promise.resolve({
          inForce: () => ({ version: CODEX_CLI_VERSION, source: 'bundled' }),
          isPast: () => false,
          learn: () => Promise.resolve(false),
        })),
  })
  await book.load()
  const stored = async () => parseCatalogues(await readFile(file, 'utf8'))
  return { book, asked, file, stored }
}

describe('a book whose client cannot be loaded, as after an update of the package', () => {
  it('stays as it is: a look and the end of it go on, and nothing is thrown for nobody to catch', async () => {
    const lost: unknown[] = []
    const note = (reason: unknown): void => void lost.push(reason)
    process.on('unhandledRejection', note)
    onTestFinished(() => void process.off('unhandledRejection', note))
    const { book, asked } = await bookOf([account('a')], () => listing('m'), {
      client: () => Promise.reject(new Error('Cannot find module')),
    })
    await book.refresh()
    await book.refresh()
    await book.close()
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect([asked, lost]).toEqual([[], []])
  })
})

describe('an account in use', () => {
  const uidsAsked = (asked: readonly Asked[]): (string | null)[] =>
    asked.map(({ headers }) => headers.get('authorization'))

  it('is asked for its list by itself, a moment later and once; idle ones are not', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { book, asked, stored } = await bookOf(
      ['a', 'b', 'c'].map((uid) => account(uid)),
      () => listing('m'),
    )
    book.serves('a')
    book.serves('a')
    expect(asked).toEqual([])
    await vi.advanceTimersByTimeAsync(1_000)
    await vi.waitFor(async () => expect(Object.keys(await stored())).toEqual(['a']))
    await book.close()
    expect(uidsAsked(asked)).toEqual(['Bearer at-a'])
    expect(Object.keys(await stored())).toEqual(['a'])
  })

  it('is asked when it is chosen for the first time, and all are when somebody wants to know', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { book, asked } = await bookOf(
      ['a', 'b', 'c'].map((uid) => account(uid)),
      () => listing('m'),
    )
    book.serves('a')
    await vi.advanceTimersByTimeAsync(1_000)
    for (let request = 0; request < 5; request += 1) book.serves('b')
    await vi.advanceTimersByTimeAsync(1_000)
    await book.refresh()
    expect(uidsAsked(asked)).toEqual(['Bearer at-a', 'Bearer at-b', 'Bearer at-c'])
    await book.close()
  })

  it('is asked no more after the close', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { book, asked } = await bookOf([account('a'), account('b')], () => listing('m'))
    book.serves('a')
    await book.close()
    book.serves('b')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(asked).toEqual([])
  })

  it('is preferred to no idle one for a list that only it was asked for', async () => {
    const { book } = await bookOf([account('a'), account('b', { expiresAt: NOW - 1 })], () =>
      listing('m'),
    )
    expect(book.lists('b', 'm')).toBe(false)
    await book.refresh()
    expect([book.lists('b', 'm'), book.lists('b', 'n')]).toEqual([true, false])
  })
})

describe('who wants to know of every list', () => {
  it('waits for a moment only where the backend does not answer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { book, asked } = await bookOf(
      [account('a'), account('b')],
      (_asked, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('aborted')))
        }),
    )
    let isBack = false
    const back = book.refresh().then(() => (isBack = true))
    await vi.advanceTimersByTimeAsync(2_900)
    expect(isBack).toBe(false)
    await vi.advanceTimersByTimeAsync(100)
    await back
    expect(asked).toHaveLength(2)
    await book.close()
  })

  it('has a bounded number of accounts asked each time, few of them at once', async () => {
    let running = 0
    let most = 0
    const { book, asked } = await bookOf(
      Array.from({ length: MAX_ASKED + 5 }, (_, index) => account(`u${index}`)),
      async () => {
        most = Math.max(most, (running += 1))
        await new Promise(setImmediate)
        running -= 1
        return listing('m')
      },
    )
    await book.refresh()
    expect(asked).toHaveLength(MAX_ASKED)
    await book.refresh()
    expect(asked).toHaveLength(MAX_ASKED + 5)
    await book.refresh()
    expect(asked).toHaveLength(MAX_ASKED + 5)
    expect(most).toBeLessThanOrEqual(6)
    await book.close()
  })
})

describe('the catalogue book', () => {
  it('asks for each account with its own token and knows afterwards which one lists a model', async () => {
    const { book, asked } = await bookOf(
      [account('a'), account('b', { accountId: 'ws-b' })],
      ({ headers }) => listing(headers.get('authorization') === 'Bearer at-a' ? 'm-a' : 'm-b'),
    )
    await book.refresh()
    expect([book.lists('a', 'm-a'), book.lists('a', 'm-b'), book.lists('b', 'm-b')]).toEqual([
      true,
      false,
      true,
    ])
    expect(asked.map(({ headers }) => headers.get('chatgpt-account-id'))).toEqual([null, 'ws-b'])
  })

  it('asks for no key, no disabled account, and none whose token has run out', async () => {
    const { book, asked } = await bookOf(
      [
        account('k', { kind: 'api-key', apiKey: 'sk' }),
        account('off', { enabled: false }),
        account('old', { expiresAt: NOW - 1 }),
      ],
      () => listing('m'),
    )
    await book.refresh()
    expect(asked).toEqual([])
  })

  it('names what it has, and an answer without news makes that fresh again', async () => {
    const first = await bookOf([account('a')], () => listing('m'))
    await first.book.refresh()
    const later = await bookOf([account('a')], () => new Response(undefined, { status: 304 }), {
      file: first.file,
      nowMs: NOW + 2 * FRESH_MS,
    })
    await later.book.refresh()
    expect(later.asked[0]?.headers.get('if-none-match')).toBe('"m"')
    expect((await later.stored()).a).toMatchObject({
      fetchedAtMs: NOW + 2 * FRESH_MS,
      models: [{ id: 'm' }],
    })
    await later.book.refresh()
    expect(later.asked).toHaveLength(1)
  })

  it.each([
    ['a refusal', () => new Response('no', { status: 403 })],
    ['an answer that is none', () => new Response('<html>', { status: 200 })],
    ['an empty list', () => Response.json({ models: [] })],
    ['no connection', () => Promise.reject(new TypeError('no connection'))],
  ])('keeps what it has after %s', async (_, reply) => {
    const first = await bookOf([account('a')], () => listing('m'))
    await first.book.refresh()
    const later = await bookOf([account('a')], reply, {
      file: first.file,
      nowMs: NOW + 2 * FRESH_MS,
    })
    await later.book.refresh()
    expect(later.asked).toHaveLength(1)
    expect((await later.stored()).a).toMatchObject({ fetchedAtMs: NOW, models: [{ id: 'm' }] })
  })

  it('leaves the lists of the pools of other projects in the file, for some days', async () => {
    const { file, book } = await bookOf([account('global')], () => listing('m'))
    await book.refresh()
    const project = await bookOf([account('project')], () => listing('p'), { file })
    await project.book.refresh()
    expect(Object.keys(await project.stored()).sort()).toEqual(['global', 'project'])
    const muchLater = await bookOf([account('project')], () => listing('p'), {
      file,
      nowMs: NOW + KEEP_OTHERS_MS,
    })
    await muchLater.book.refresh()
    expect(Object.keys(await muchLater.stored())).toEqual(['project'])
  })

  it('loses nothing but lists beside a window of the former version, which replaces the file by one of its own', async () => {
    const { file, book } = await bookOf([account('new')], () => listing('m'))
    await book.refresh()
    const former = { models: [{ id: 'f', name: 'f', listed: true, fast: false, images: true }] }
    await writeFile(
      file,
      JSON.stringify({ version: 1, accounts: { former: { ...former, fetchedAtMs: NOW } } }),
    )
    const later = await bookOf([account('new'), account('former')], () => listing('n'), { file })
    expect(later.book.lists('former', 'f')).toBe(true)
    await later.book.refresh()
    expect(later.asked).toHaveLength(1)
    expect(Object.keys(await later.stored()).sort()).toEqual(['former', 'new'])
    await book.refresh()
    expect(book.lists('new', 'm')).toBe(true)
  })

  it('takes nothing away that another window wrote while it asked', async () => {
    const { file, book } = await bookOf([account('a')], async () => {
      await mkdir(path.dirname(file), { recursive: true })
      const other = await bookOf([account('b')], () => listing('n'), { file })
      await other.book.refresh()
      return listing('m')
    })
    await book.refresh()
    expect(Object.keys(parseCatalogues(await readFile(file, 'utf8'))).sort()).toEqual(['a', 'b'])
  })

  it('reads a broken file as empty', async () => {
    const file = path.join(await temporaryFolder(), 'catalogue.json')
    await writeFile(file, '{"version":1,"accounts":{"a":{"models":[{"id":7}],"fetchedAtMs":1}')
    const { book } = await bookOf([account('a')], () => listing('m'), { file })
    expect(book.lists('a', 'm')).toBe(false)
    await book.refresh()
    expect(book.lists('a', 'm')).toBe(true)
  })

  it('ends the questions under way when it is closed, writes nothing more and asks nothing more', async () => {
    const { book, asked, file } = await bookOf(
      ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((uid) => account(uid)),
      (_, signal) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(new DOMException('closed', 'AbortError'))),
        ),
    )
    const looking = book.refresh()
    await expect.poll(() => asked.length).toBe(6)
    await book.close()
    await looking
    await book.refresh()
    expect(asked).toHaveLength(6)
    await expect(readFile(file, 'utf8')).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
