import { storeWith } from '../support/store-with.js'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import type { AccountPool } from '../../lib/accounts/account.js'
import { withLogin } from '../../lib/accounts/edits.js'
import { adopt, moveDamagedAside } from '../../lib/accounts/store/adopt.js'
import { MAX_COPIES, timestamp, writeBackup } from '../../lib/accounts/store/backups.js'
import { formatPool, parsePool } from '../../lib/accounts/store/pool-format.js'
import { type AccountStore, createAccountStore } from '../../lib/accounts/store/store.js'
import type { StoreDeps } from '../../lib/accounts/store/transactions.js'
import { systemClock } from '../../lib/kernel/clock.js'
import { CodexError } from '../../lib/kernel/errors.js'
import { hastyClock } from '../support/hasty-clock.js'
import { recordFileOperations } from '../support/file-operations.js'
import { temporaryFolder } from '../support/temporary.js'

const login = (name: string) => ({
  refreshToken: `rt_${name}`,
  accountId: `id_${name}`,
  accountUserId: `user_${name}`,
  addedAt: 1,
  lastUsed: 0,
})

async function storeIn(changes: Partial<StoreDeps> = {}) {
  const folder = path.join(await temporaryFolder(), 'root')
  const file = path.join(folder, 'accounts.json')
  const backupsDir = path.join(folder, 'backups')
  const store = createAccountStore({ path: file, backupsDir, clock: systemClock, ...changes })
  onTestFinished(() => store.close())
  return { folder, file, backupsDir, store }
}

const add = (store: AccountStore, name: string) =>
  store.update((pool) => withLogin(pool, login(name)).pool)

describe('a text that is no account file', () => {
  it.each([
    ['', 'it is empty'],
    [' \n', 'it is empty'],
    ['{"version":3', 'it is not JSON'],
    ['[]', 'it is not an account file'],
    ['{"version":"three","accounts":[]}', 'it is not an account file'],
    ['{"version":3,"accounts":{}}', 'it is not an account file'],
    ['{"version":0,"accounts":[]}', 'it has the unknown version 0'],
    ['{"version":1.5,"accounts":[]}', 'it has the unknown version 1.5'],
    [
      '{"version":2,"accounts":[{"x":1}]}',
      'it has version 2 and contains nothing that can be imported',
    ],
    ['['.repeat(100_000), 'its lists or objects are nested too deeply'],
  ])('is told by what is wrong with it (%#)', (text, why) => {
    expect(parsePool(text)).toEqual({ kind: 'foreign', why })
  })

  it('is none of those when a later version wrote it, or nobody has signed in yet', () => {
    expect(parsePool('{"version":4,"accounts":7}')).toMatchObject({ kind: 'foreign' })
    expect(parsePool('{"version":4,"more":1}')).toEqual({ kind: 'newer', version: 4 })
    expect(parsePool('{"version":"3"}')).toEqual({
      kind: 'pool',
      pool: { version: 3, accounts: [], activeIndex: 0 },
      fromVersion: 3,
    })
    expect(parsePool('{"version":2,"accounts":[]}')).toMatchObject({ fromVersion: 2 })
  })
})

describe('the fields of an account file', () => {
  const file = (more: object) =>
    parsePool(JSON.stringify({ version: 3, accounts: [login('a'), login('b')], ...more }))

  it.each([
    [0, 0],
    [1, 1],
    [2, 1],
    [99, 1],
    [-1, 0],
    [0.5, 0],
    ['1', 0],
    [null, 0],
  ])('may name %j as active: number %i is, and nobody outside the list ever', (said, active) => {
    expect(file({ activeIndex: said })).toMatchObject({ pool: { activeIndex: active } })
  })

  it('keep good entries of families, and are without them where there are none', () => {
    expect(file({ activeIndexByFamily: { codex: 1, odd: 'x', other: -1 } })).toMatchObject({
      pool: { activeIndexByFamily: { codex: 1 } },
    })
    for (const more of [{}, { activeIndexByFamily: 7 }])
      expect(Object.keys((file(more) as { pool: object }).pool)).not.toContain(
        'activeIndexByFamily',
      )
  })

  it('gather what cannot be read behind what waits already, and make no list where there is none', () => {
    const accounts = [login('a'), { odd: 1 }]
    for (const [earlier, list] of [
      [undefined, [{ odd: 1 }]],
      [null, [{ odd: 1 }]],
      [[{ old: 1 }], [{ old: 1 }, { odd: 1 }]],
      [{ old: 1 }, [{ old: 1 }, { odd: 1 }]],
    ])
      expect(file({ accounts, unreadableAccounts: earlier })).toMatchObject({
        pool: { unreadableAccounts: list },
      })
    expect(Object.keys((file({}) as { pool: object }).pool)).not.toContain('unreadableAccounts')
  })

  it('of version 1 bring the one limit time they had, and no empty table of limits', () => {
    const first = parsePool(
      JSON.stringify({
        version: 1,
        accounts: [{ ...login('a'), rateLimitResetTime: 7 }, login('b'), 'odd'],
      }),
    )
    expect(first).toMatchObject({ fromVersion: 1, pool: { unreadableAccounts: ['odd'] } })
    const { accounts } = (first as { pool: AccountPool }).pool
    expect(accounts[0]).toMatchObject({ rateLimitResetTimes: { codex: 7 } })
    expect(Object.keys(accounts[0]!)).not.toContain('rateLimitResetTime')
    expect(Object.keys(accounts[1]!)).not.toContain('rateLimitResetTimes')
  })

  it('are written to be read by people, with a line end behind them', () => {
    expect(formatPool({ version: 3, accounts: [], activeIndex: 0 })).toBe(
      '{\n  "version": 3,\n  "accounts": [],\n  "activeIndex": 0\n}\n',
    )
  })

  it('never give two records one name, however many want it', () => {
    const accounts = [1, 2, 3, 4].map((number) => ({ ...login(`x${number}`), uid: 'same' }))
    const named = file({ accounts: [...accounts, { ...login('y'), uid: 'same-2' }] })
    const uids = (named as { pool: AccountPool }).pool.accounts.map(({ uid }) => uid)
    expect(new Set(uids).size).toBe(5)
    expect(uids.slice(0, 4)).toEqual(['same', 'same-2', 'same-3', 'same-4'])
  })
})

describe('copies of the account file', () => {
  it('are kept five of a kind, the youngest, and nothing of another kind goes with them', async () => {
    const dir = await temporaryFolder()
    for (const name of ['accounts-old.txt', 'other-1.json', 'accountsx.json'])
      await writeFile(path.join(dir, name), '')
    const start = Date.now()
    const written: string[] = []
    for (let number = 0; number < 8; number += 1)
      written.push(
        path.basename(await writeBackup(dir, 'accounts', String(number), start + number * 1000)),
      )
    expect((await readdir(dir)).sort()).toEqual(
      ['accounts-old.txt', 'other-1.json', 'accountsx.json', ...written.slice(-MAX_COPIES)].sort(),
    )
    expect(await readFile(path.join(dir, written.at(-1)!), 'utf8')).toBe('7')
  })

  it('carry the time in a form that sorts as time passes, to the millisecond', () => {
    const at = new Date(2026, 0, 2, 3, 4, 5, 6).getTime()
    expect(timestamp(at)).toBe('20260102-030405006')
  })
})

describe('a damaged account file', () => {
  it('is moved aside again and again, and the oldest of what was moved aside goes (a full disk after a bad week)', async () => {
    let now = Date.now()
    const moved: string[] = []
    const { folder, file, store } = await storeIn({
      clock: { now: () => (now += 1000), sleep: async () => undefined },
      onMovedAside: ({ message }) => void moved.push(message),
    })
    await mkdir(folder, { recursive: true })
    await writeFile(path.join(folder, 'mine.txt'), '')
    for (let number = 0; number < 7; number += 1) {
      await writeFile(file, `damage ${number}`)
      await expect(store.read()).rejects.toMatchObject({ code: 'store_unreadable' })
    }
    expect(moved).toHaveLength(7)
    const aside = (await readdir(folder)).filter((name) => name.includes('.corrupt-')).sort()
    expect(aside).toHaveLength(MAX_COPIES)
    expect(await readFile(path.join(folder, aside.at(-1)!), 'utf8')).toBe('damage 6')
    expect(await readdir(folder)).toContain('mine.txt')
  })

  it('keeps no login from being stored: what was moved aside is told, and how it comes back', async () => {
    const { folder, file, store } = await storeIn()
    await mkdir(folder, { recursive: true })
    await writeFile(file, 'damage')
    const { pool, notice } = await adopt(
      store,
      systemClock,
      (before) => withLogin(before, login('a')).pool,
    )
    expect(pool.accounts).toHaveLength(1)
    expect(notice).toMatch(
      /could not be used because it is not JSON\. It was moved to .*\{import\}/,
    )
    expect((await adopt(store, systemClock, (before) => before)).notice).toBeUndefined()
    await writeFile(file, '')
    expect(await moveDamagedAside(store)).toContain('it is empty')
    expect(await moveDamagedAside(store)).toBeUndefined()
  })

  it('is not what a newer one is, which is left alone before and after the login', async () => {
    const { folder, file, store } = await storeIn()
    await mkdir(folder, { recursive: true })
    await writeFile(file, '{"version":9}')
    await expect(moveDamagedAside(store)).rejects.toMatchObject({ code: 'store_newer' })
    await expect(
      adopt(store, systemClock, (before) => withLogin(before, login('a')).pool),
    ).rejects.toMatchObject({ code: 'store_newer' })
    expect(await readFile(file, 'utf8')).toBe('{"version":9}')
  })
})

describe('a login in hand', () => {
  const failing = (store: AccountStore, times: number, error: () => Error) => {
    let left = times
    const asked = { count: 0 }
    const update: AccountStore['update'] = (change, onCopy) => {
      asked.count += 1
      left -= 1
      return left >= 0 ? Promise.reject(error()) : store.update(change, onCopy)
    }
    return { store: storeWith(store, { update }), asked }
  }
  const change = (pool: Parameters<Parameters<AccountStore['update']>[0]>[0]) =>
    withLogin(pool, login('a')).pool

  it.each([
    ['store_busy', []],
    ['keychain_unreachable', [6_000, 6_000, 6_000]],
  ] as const)(
    'is stored once what may pass has passed (%s), and waits for a keychain alone',
    async (code, pauses) => {
      const { store } = await storeIn()
      const clock = hastyClock(() => 0)
      const trouble = failing(store, 3, () => new CodexError(code, 'Not now.'))
      const { pool } = await adopt(trouble.store, clock, change)
      expect([pool.accounts.length, trouble.asked.count, clock.pauses]).toEqual([1, 4, pauses])
    },
  )

  it.each([
    ['that does not pass', 9, () => new CodexError('store_busy', 'Busy.'), 4],
    ['of another kind', 9, () => new CodexError('store_not_written', 'Full.'), 1],
    ['nobody foresaw', 9, () => new Error('odd'), 1],
  ] as const)('hears of trouble %s', async (_name, times, error, asked) => {
    const { store } = await storeIn()
    const trouble = failing(store, times, error)
    await expect(
      adopt(
        trouble.store,
        hastyClock(() => 0),
        change,
      ),
    ).rejects.toThrow(error().message)
    expect(trouble.asked.count).toBe(asked)
  })
})

describe('an account file that is watched', () => {
  it('costs nothing to look at, but for one look of the disk after ten seconds: a watch can fall silent', async () => {
    let now = Date.now()
    const { store } = await storeIn({
      watch: true,
      clock: { now: () => now, sleep: systemClock.sleep },
    })
    await add(store, 'a')
    await store.read()
    await expect.poll(async () => (await store.read(), store.peek())).toBeDefined()
    const operations = recordFileOperations()
    for (const atMs of [0, 9_999]) {
      now += atMs
      expect(store.peek()?.accounts).toHaveLength(1)
    }
    expect(operations).toEqual([])
    now += 10_000
    for (let look = 0; look < 5; look += 1) expect(store.peek()?.accounts).toHaveLength(1)
    await expect.poll(() => operations.filter(({ name }) => name === 'stat').length).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 20))
    const looks = operations.length
    expect(store.peek()).toBeDefined()
    expect(operations).toHaveLength(looks)
  })
})
