import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import type { Account, AccountPool } from '../../lib/accounts/account.js'
import { ensureStorable } from '../../lib/accounts/store/adopt.js'
import { withAccount, withLogin } from '../../lib/accounts/edits.js'
import { formatPool, parsePool } from '../../lib/accounts/store/pool-format.js'
import {
  type DataKey,
  keyIdOf,
  newDataKey,
  textOfKey,
} from '../../lib/accounts/keychain/data-key.js'
import { unsealPool, sealPool, sealText } from '../../lib/accounts/keychain/seal.js'
import { createAccountStore } from '../../lib/accounts/store/store.js'
import { createVault, keyItemName } from '../../lib/accounts/keychain/vault.js'
import { systemClock } from '../../lib/kernel/clock.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { openRuntime } from '../../lib/open-runtime.js'
import { memoryKeychain, type MemoryKeychain } from '../support/memory-keychain.js'
import { toolData } from '../support/run-tool.js'
import { temporaryFolder } from '../support/temporary.js'
import { homeIn } from '../support/home.js'

const oauth = {
  uid: 'acc_login',
  refreshToken: 'rt-1',
  accessToken: 'at-1',
  accountId: 'w',
  addedAt: 1,
  lastUsed: 0,
} as Account
const apiKey = {
  uid: 'acc_key',
  kind: 'api-key',
  apiKey: 'sk-1',
  baseUrl: 'https://own.example/v1',
  addedAt: 1,
  lastUsed: 0,
} as Account

function poolOf(accounts: readonly unknown[], more: Record<string, unknown> = {}): AccountPool {
  const parsed = parsePool(JSON.stringify({ ...more, version: 3, accounts, activeIndex: 0 }))
  if (parsed.kind !== 'pool') throw new Error(parsed.kind)
  return parsed.pool
}

/** A file as versions before this one sealed it: bound to the uid alone. */
function sealedBefore(key: DataKey): AccountPool {
  const seal = ({ refreshToken, accessToken, apiKey: secret, ...metadata }: Account) => ({
    ...metadata,
    sealed: sealText(
      key,
      metadata.uid,
      JSON.stringify({ refreshToken, accessToken, apiKey: secret }),
    ),
  })
  return poolOf([seal(oauth), seal(apiKey)], { sealedWith: key.id })
}

async function folder(pool?: AccountPool) {
  const home = await temporaryFolder()
  await mkdir(path.join(home, '.opencode'), { mode: 0o700 })
  const file = path.join(home, '.opencode', 'oc-codex-multi-auth-accounts.json')
  if (pool !== undefined) await writeFile(file, formatPool(pool))
  const open = (keychain: MemoryKeychain, optedIn = false) => {
    const vault = createVault({ keychain, clock: systemClock, optedIn })
    return {
      vault,
      store: createAccountStore({
        path: file,
        backupsDir: path.join(home, '.opencode', 'backups'),
        clock: systemClock,
        vault,
      }),
    }
  }
  const runtime = (keychain: MemoryKeychain) => {
    const made = openRuntime({
      env: homeIn(home),
      directory: home,
      paths: resolvePaths(homeIn(home)),
      host: { log: () => undefined, toast: () => undefined },
      watch: false,
      keychain,
    })
    onTestFinished(() => made.close())
    return made
  }
  const content = async () => JSON.parse(await readFile(file, 'utf8')) as AccountPool
  return { home, file, open, runtime, content }
}

/** Changes one record of a file as a program without the key can. */
async function tamper(
  file: string,
  change: (record: Record<string, unknown>) => void,
  uid: string,
): Promise<void> {
  const content = JSON.parse(await readFile(file, 'utf8')) as {
    accounts: Record<string, unknown>[]
  }
  content.accounts.filter((record) => record.uid === uid).forEach(change)
  await writeFile(file, JSON.stringify(content))
}

describe('a sealed login', () => {
  it.each([
    [
      'the endpoint of a key',
      'acc_key',
      (record: Record<string, unknown>) => (record.baseUrl = 'https://evil.example/v1'),
    ],
    [
      'the endpoint, taken away',
      'acc_key',
      (record: Record<string, unknown>) => delete record.baseUrl,
    ],
    ['the kind of a key', 'acc_key', (record: Record<string, unknown>) => (record.kind = 'oauth')],
    [
      'the kind of a login',
      'acc_login',
      (record: Record<string, unknown>) =>
        Object.assign(record, { kind: 'api-key', baseUrl: 'https://evil.example/v1' }),
    ],
    ['the name', 'acc_login', (record: Record<string, unknown>) => (record.uid = 'acc_other')],
  ])(
    'opens no more when somebody changed %s: it is sent nowhere, its neighbour serves, and a new login mends it',
    async (_what, uid, change) => {
      const { open, file } = await folder()
      const keychain = memoryKeychain()
      await open(keychain, true).store.update((pool) => ({ ...pool, accounts: [oauth, apiKey] }))
      await tamper(file, change, uid)
      const { store, vault } = open(keychain)
      const pool = await store.read()
      expect(pool.accounts).toHaveLength(2)
      const [odd, good] =
        uid === 'acc_login'
          ? [pool.accounts[0]!, pool.accounts[1]!]
          : [pool.accounts[1]!, pool.accounts[0]!]
      expect([odd.refreshToken, odd.accessToken, odd.apiKey]).toEqual([
        undefined,
        undefined,
        undefined,
      ])
      expect(odd.needsLogin?.reason).toContain('does not open')
      expect(good.refreshToken ?? good.apiKey).toMatch(/./)
      expect(good.needsLogin).toBeUndefined()
      // Writing something else leaves the sealed text as it is, and stores no mark of ours.
      await store.update((current) =>
        withAccount(current, good.uid, (account) => ({ ...account, accountNote: 'x' })),
      )
      const stored = (JSON.parse(await readFile(file, 'utf8')) as AccountPool).accounts.find(
        (one) => one.uid === odd.uid,
      )
      expect(stored).toMatchObject({ sealed: expect.any(String) })
      expect(stored).not.toHaveProperty('needsLogin')
      expect(await ensureStorable(store, vault)).toBeUndefined()
      const { pool: after, account } = withLogin(await store.read(), {
        ...oauth,
        uid: odd.uid,
        refreshToken: 'rt-new',
      })
      await store.update(() => after)
      expect(
        (await open(keychain).store.read()).accounts.find((one) => one.uid === account.uid),
      ).toMatchObject({ refreshToken: 'rt-new' })
    },
  )

  it('of the earlier way opens and is bound with the next write', async () => {
    const key = newDataKey()
    const { open, content, file } = await folder(sealedBefore(key))
    const keychain = memoryKeychain()
    keychain.items.set(`pool-key-${key.id}`, textOfKey(key))
    expect((await open(keychain).store.read()).accounts).toMatchObject([
      { refreshToken: 'rt-1' },
      { apiKey: 'sk-1' },
    ])
    await open(keychain).store.update((pool) =>
      withAccount(pool, 'acc_login', (account) => ({ ...account, accountNote: 'x' })),
    )
    expect(keychain.items.get(keyItemName(key.id))).toBe(textOfKey(key))
    expect((await open(keychain).store.read()).accounts).toMatchObject([
      { refreshToken: 'rt-1' },
      { apiKey: 'sk-1' },
    ])
    expect(keyIdOf(await content())).toBe(key.id)
    await tamper(file, (record) => (record.baseUrl = 'https://evil.example/v1'), 'acc_key')
    expect((await open(keychain).store.read()).accounts[1]).not.toHaveProperty('apiKey')
  })

  it('of the earlier way cannot be put back to send a key elsewhere, once the file was written anew', async () => {
    const key = newDataKey()
    const before = sealedBefore(key)
    const { open, file } = await folder(before)
    const keychain = memoryKeychain()
    keychain.items.set(`pool-key-${key.id}`, textOfKey(key))
    await open(keychain).store.update((pool) =>
      withAccount(pool, 'acc_login', (account) => ({ ...account, accountNote: 'x' })),
    )
    await writeFile(file, formatPool(before))
    await tamper(file, (record) => (record.baseUrl = 'https://evil.example/v1'), 'acc_key')
    const accounts = (await open(keychain).store.read()).accounts
    expect(accounts[1]).not.toHaveProperty('apiKey')
    expect(accounts[1]?.needsLogin).toBeDefined()
    // A login of ChatGPT has one place to go, whatever its record says.
    expect(accounts[0]).toMatchObject({ refreshToken: 'rt-1' })
    await tamper(
      file,
      (record) => Object.assign(record, { kind: 'api-key', baseUrl: 'https://evil.example/v1' }),
      'acc_login',
    )
    expect((await open(keychain).store.read()).accounts[0]).not.toHaveProperty('refreshToken')
  })

  it('covers values that could not be read, which may be tokens in an odd form', () => {
    const key = newDataKey()
    const pool = poolOf([{ ...oauth, apiKey: ['SECRET-IN-A-LIST'] }])
    const text = formatPool(sealPool(pool, key))
    expect(text).not.toContain('SECRET-IN-A-LIST')
    expect(
      unsealPool(
        poolOf((JSON.parse(text) as AccountPool).accounts.slice(), { sealedWith: key.id }),
        key,
      ).accounts[0],
    ).toMatchObject({ unreadFields: { apiKey: ['SECRET-IN-A-LIST'] } })
  })
})

describe('a sealed file without the line that names its key', () => {
  it.each([
    ['taken away', undefined],
    ['null', null],
    ['a number', 7],
    ['a path', '../x'],
  ])(
    '(%s) is not read as one without logins: the error says what to do, and nothing is changed',
    async (_what, sealedWith) => {
      const { open, file, content } = await folder()
      const keychain = memoryKeychain()
      await open(keychain, true).store.update((pool) => ({ ...pool, accounts: [oauth, apiKey] }))
      const { sealedWith: _id, ...rest } = await content()
      await writeFile(
        file,
        JSON.stringify({ ...rest, ...(sealedWith === undefined ? {} : { sealedWith }) }),
      )
      const before = await readFile(file, 'utf8')
      const { store } = open(keychain)
      await expect(store.read()).rejects.toMatchObject({
        code: 'store_unreadable',
        message: expect.stringContaining('sealedWith'),
        hint: expect.stringContaining('{doctor --fix}'),
      })
      await expect(
        store.update((pool) => withLogin(pool, { ...oauth, accountId: 'other' }).pool),
      ).rejects.toMatchObject({ code: 'store_unreadable' })
      expect(await readFile(file, 'utf8')).toBe(before)
    },
  )

  it('is mended by doctor --fix from a sealed copy', async () => {
    const { open, file, content, runtime } = await folder()
    const keychain = memoryKeychain()
    const { store } = open(keychain, true)
    await store.update((pool) => ({
      ...pool,
      accounts: [oauth, apiKey, { ...oauth, uid: 'acc_gone', accountId: 'gone' }],
    }))
    await store.update((pool) => ({ ...pool, accounts: pool.accounts.slice(0, 2) }))
    const { sealedWith, ...rest } = await content()
    await writeFile(file, JSON.stringify(rest))
    const { fixed } = await toolData(runtime(keychain), 'doctor', { fix: true })
    expect(fixed).toContainEqual('fixed: the account file names its key again.')
    expect((await content()).sealedWith).toBe(sealedWith)
    expect((await runtime(keychain).store.read()).accounts).toMatchObject([
      { refreshToken: 'rt-1' },
      { apiKey: 'sk-1' },
    ])
  })
})
