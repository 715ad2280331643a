import { storeWith } from '../support/store-with.js'
import { describe, expect, it, onTestFinished } from 'vitest'

import { CodexError } from '../../lib/kernel/errors.js'
import { factsOf } from '../../lib/tokens/login-facts.js'
import { type CommitterDeps, HELD_RETRY_MS, TokenCommitter } from '../../lib/tokens/commit.js'
import { intentOf, type ReceivedEntry } from '../../lib/tokens/journal/entry.js'
import { RefreshJournal } from '../../lib/tokens/journal/journal.js'
import { RefreshMemory } from '../../lib/tokens/memory.js'
import { fingerprintOf } from '../../lib/tokens/token-rules.js'
import { withAccount, withoutAccount } from '../../lib/accounts/edits.js'
import type { AccountStore } from '../../lib/accounts/store/store.js'
import { type HastyClock, hastyClock } from '../support/hasty-clock.js'
import { overridden } from '../support/overridden.js'
import { type TokenStage, tokenStage } from '../support/token-stage.js'

/** The patience for copies is the real one: what is asked here is what happens within and after it. */
const COPIES_WAIT_MS = 1_000

interface CommitStage extends TokenStage {
  readonly committer: TokenCommitter
  readonly journal: RefreshJournal
  readonly clock: HastyClock
  readonly fingerprint: string
  readonly entry: ReceivedEntry
  readonly heard: readonly string[]
  /** The journal file of a token that is being spent. */
  open(): ReturnType<RefreshJournal['begin']>
}

/** A committer over a real account file and journal; the pauses between background tries do not end by themselves. */
async function commitStage(
  change: (stage: TokenStage, journal: RefreshJournal) => Partial<CommitterDeps> = () => ({}),
): Promise<CommitStage> {
  const stage = await tokenStage({ expiresInMs: -1000 })
  const clock = hastyClock((ms) =>
    ms === HELD_RETRY_MS ? 3_600_000 : ms === COPIES_WAIT_MS ? ms : 0,
  )
  const journal = new RefreshJournal(stage.dir, undefined, [stage.spareDir])
  const ended = new AbortController()
  onTestFinished(() => ended.abort())
  const heard: string[] = []
  const committer = new TokenCommitter({
    store: stage.store,
    copies: { of: async () => [], change: async () => undefined },
    memory: new RefreshMemory(clock),
    clock,
    log: {
      log: (level, message) => {
        if (level === 'error') heard.push(message)
      },
    },
    journal,
    onUnsaved: ({ place }) => void heard.push(`held in ${place}`),
    onSaved: () => void heard.push('stored'),
    ended: ended.signal,
    ...change(stage, journal),
  })
  onTestFinished(() => committer.close())
  const base = { pool: stage.file, uid: stage.account.uid, startedAt: Date.now() }
  const entry: ReceivedEntry = {
    state: 'received',
    ...base,
    login: factsOf(stage.account),
    tokens: { accessToken: 'at_new', refreshToken: 'rt_new', expiresAt: Date.now() + 3_600_000 },
  }
  const fingerprint = fingerprintOf(stage.refreshToken)
  return {
    ...stage,
    committer,
    journal,
    clock,
    fingerprint,
    entry,
    heard,
    open: () => journal.begin(fingerprint, intentOf(base, undefined)),
  }
}

/** A store whose writes fail as often as there are codes. */
function failingStore(
  store: AccountStore,
  codes: ('store_busy' | 'store_not_written')[],
): AccountStore & { readonly asked: () => number } {
  let asked = 0
  return {
    ...storeWith(store, {}),
    asked: () => asked,
    update: async (change) => {
      // More than anybody asks for; a loop without an end must not hang the test.
      if ((asked += 1) > 100) throw new Error('asked without end')
      const code = codes.shift()
      if (code !== undefined) throw new CodexError(code, 'The account file could not be written.')
      return store.update(change)
    },
  }
}

const NO_WRITES: Pick<RefreshJournal, 'writeAnywhere'> = {
  writeAnywhere: async () => Promise.reject(new Error('no disk')),
}
const FULL_FILE = {
  follow: async () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })),
  close: async () => undefined,
}
const manyTimes = <T>(code: T): T[] => Array.from({ length: 90 }, () => code)

describe('new tokens on their way into the account file', () => {
  it('wait for a busy file with growing pauses, four times, and are in the journal then (a loop without end or pause burned a core)', async () => {
    const stores: ReturnType<typeof failingStore>[] = []
    const stage = await commitStage(({ store }) => ({
      store: (stores[0] = failingStore(store, manyTimes('store_busy'))),
    }))
    expect(await stage.committer.commit(stage.fingerprint, stage.entry, await stage.open())).toBe(
      'journal',
    )
    expect(stores[0]?.asked()).toBe(4)
    expect(stage.clock.pauses.filter((ms) => ms !== HELD_RETRY_MS)).toEqual([100, 200, 300])
    expect(await stage.journal.read(stage.fingerprint)).toEqual(stage.entry)
  })

  it('get in when the file is free again', async () => {
    const stage = await commitStage(({ store }) => ({
      store: failingStore(store, ['store_busy', 'store_busy', 'store_busy']),
    }))
    expect(await stage.committer.commit(stage.fingerprint, stage.entry, await stage.open())).toBe(
      'file',
    )
    expect((await stage.store.read()).accounts[0]).toMatchObject({
      refreshToken: 'rt_new',
      accessToken: 'at_new',
    })
    expect(await stage.journal.list()).toEqual([])
  })

  it('do not wait for a disk that takes nothing: the journal keeps them, requests are served with them, and each further try is heard of', async () => {
    const stage = await commitStage(({ store }) => ({
      store: failingStore(store, ['store_not_written', 'store_not_written']),
    }))
    const needy = { ...stage.account, needsLogin: { since: 1, reason: 'spent' } }
    expect(await stage.committer.commit(stage.fingerprint, stage.entry, await stage.open())).toBe(
      'journal',
    )
    expect(stage.clock.pauses).toEqual([HELD_RETRY_MS])
    expect(stage.committer.overlay(needy)).toMatchObject({
      accessToken: 'at_new',
      refreshToken: 'rt_new',
    })
    expect(stage.committer.overlay(needy)).not.toHaveProperty('needsLogin')
    expect(stage.committer.heldFor(stage.account)).toMatchObject({
      place: 'journal',
      uid: stage.account.uid,
    })
    expect(
      stage.committer.heldFor({ ...stage.account, uid: 'acc_other', refreshToken: 'rt_other' }),
    ).toBeUndefined()
    await stage.committer.flush()
    await stage.committer.flush()
    expect(stage.heard).toEqual([
      expect.stringContaining('in the refresh journal'),
      'held in journal',
      'held in journal',
      'stored',
    ])
    expect([
      stage.committer.held(),
      stage.committer.heldFor(stage.account),
      await stage.journal.list(),
    ]).toEqual([[], undefined, []])
    expect((await stage.store.read()).accounts[0]?.refreshToken).toBe('rt_new')
  })

  it('leave no file open behind them, however often the disk was asked', async () => {
    const stage = await commitStage(({ store }) => ({
      store: failingStore(store, manyTimes<'store_not_written'>('store_not_written').slice(0, 3)),
    }))
    const file = await stage.open()
    let closed = 0
    const close = (): Promise<void> => {
      closed += 1
      return file.close()
    }
    await stage.committer.commit(stage.fingerprint, stage.entry, { ...file, close })
    for (const _again of [1, 2, 3]) await stage.committer.flush()
    expect(stage.committer.held()).toEqual([])
    expect(closed).toBeGreaterThan(0)
  })

  it('leave a newer login of the account alone, and the journal forgets them', async () => {
    const stage = await commitStage()
    await stage.store.update((pool) =>
      withAccount(pool, stage.account.uid, (one) => ({
        ...one,
        refreshToken: 'rt_newer',
        tokenRotatedAt: Date.now() + 60_000,
      })),
    )
    expect(await stage.committer.commit(stage.fingerprint, stage.entry, await stage.open())).toBe(
      'file',
    )
    expect((await stage.store.read()).accounts[0]?.refreshToken).toBe('rt_newer')
    expect(await stage.journal.list()).toEqual([])
  })

  it.each([
    ['the journal that has them', undefined],
    ['another journal file, when the open one took nothing', FULL_FILE],
  ])(
    'of an account that was removed meanwhile stay in %s: it may come back with a backup',
    async (_place, file) => {
      const stage = await commitStage()
      const open = file ?? (await stage.open())
      await stage.store.update((pool) => withoutAccount(pool, stage.account.uid))
      expect(await stage.committer.commit(stage.fingerprint, stage.entry, open)).toBe('gone')
      expect(await stage.journal.read(stage.fingerprint)).toEqual(stage.entry)
      expect(stage.committer.held()).toEqual([])
    },
  )

  it('of a removed account are kept in memory where no disk took them', async () => {
    const stage = await commitStage((_stage, journal) => ({
      journal: overridden(journal, NO_WRITES),
    }))
    await stage.store.update((pool) => withoutAccount(pool, stage.account.uid))
    expect(await stage.committer.commit(stage.fingerprint, stage.entry, FULL_FILE)).toBe('memory')
    expect(stage.committer.held()).toEqual([
      expect.objectContaining({
        place: 'memory',
        why: expect.stringContaining('no account in this file'),
      }),
    ])
  })
})

describe('the copies of a login in other files', () => {
  it('have the new token before the journal forgets it (a kill between the two lost the login of a project)', async () => {
    const seen: unknown[] = []
    const stage = await commitStage((one, journal) => ({
      copies: {
        of: async () => [],
        change: async (change) => {
          const pool = await one.store.read()
          const copy = change({ version: 3, activeIndex: 0, accounts: [one.account] })
          seen.push(
            (await journal.list()).length,
            change(pool) === pool,
            copy.accounts[0]?.refreshToken,
          )
        },
      },
    }))
    expect(await stage.committer.commit(stage.fingerprint, stage.entry, await stage.open())).toBe(
      'file',
    )
    expect(seen).toEqual([1, true, 'rt_new'])
    expect(await stage.journal.list()).toEqual([])
  })

  it('hold nobody up: a file that does not answer is finished behind the caller, and the end of the window waits for it', async () => {
    let finish = (): void => undefined
    const change = (): Promise<void> => new Promise((resolve) => (finish = resolve))
    const stage = await commitStage(() => ({ copies: { of: async () => [], change } }))
    expect(await stage.committer.commit(stage.fingerprint, stage.entry, await stage.open())).toBe(
      'file',
    )
    expect(await stage.journal.read(stage.fingerprint)).toEqual(stage.entry)
    const closing = stage.committer.close()
    finish()
    await closing
    expect(await stage.journal.list()).toEqual([])
  })
})

describe('an intent that is over', () => {
  it.each([
    ['gone', undefined],
    [
      'a failure',
      {
        state: 'failed',
        pool: '/p',
        uid: 'u',
        startedAt: 5,
        failedAt: 6,
        retryAt: 7,
        attempts: 1,
        answered: true,
      } as const,
    ],
  ])(
    'counts as over also while no disk takes that, and is %s as soon as one does (others waited for a process that did nothing)',
    async (_end, entry) => {
      const failures = [new Error('EIO')]
      const stage = await commitStage((_stage, journal) => ({
        journal: overridden(journal, {
          read: async (fingerprint) => {
            const failure = failures.pop()
            if (failure !== undefined) throw failure
            return journal.read(fingerprint)
          },
        }),
      }))
      const file = await stage.open()
      const { startedAt } = stage.entry
      await stage.committer.conclude(stage.fingerprint, { startedAt, file, entry })
      expect([
        stage.committer.isConcluded(stage.fingerprint, startedAt),
        stage.committer.isConcluded(stage.fingerprint, startedAt + 1),
      ]).toEqual([true, false])
      expect(await stage.journal.read(stage.fingerprint)).toMatchObject({ state: 'started' })
      await stage.committer.flush()
      expect(await stage.journal.read(stage.fingerprint)).toEqual(entry)
      expect(stage.committer.isConcluded(stage.fingerprint, startedAt)).toBe(false)
    },
  )
})

describe('the end of a window with tokens that are in memory alone', () => {
  it('waits until the disk takes them', async () => {
    const stage = await commitStage(({ store }, journal) => ({
      store: failingStore(store, manyTimes<'store_not_written'>('store_not_written').slice(0, 4)),
      journal: overridden(journal, NO_WRITES),
    }))
    expect(await stage.committer.commit(stage.fingerprint, stage.entry, FULL_FILE)).toBe('memory')
    await stage.committer.close()
    expect((await stage.store.read()).accounts[0]?.refreshToken).toBe('rt_new')
    expect(stage.heard.at(-1)).toBe('stored')
  })

  it('comes after some seconds all the same, and the log says that they are lost', async () => {
    const stage = await commitStage(({ store }, journal) => ({
      store: failingStore(store, manyTimes('store_not_written')),
      journal: overridden(journal, NO_WRITES),
    }))
    await stage.committer.commit(stage.fingerprint, stage.entry, FULL_FILE)
    await stage.committer.close()
    expect(stage.clock.pauses.filter((ms) => ms === 500)).toHaveLength(9)
    expect(stage.heard.at(-1)).toContain('are lost')
  })
})
