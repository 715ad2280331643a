import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import type { AccountPool } from '../../lib/accounts/account.js'
import { withLogin } from '../../lib/accounts/edits.js'
import { RefreshJournal } from '../../lib/tokens/journal/journal.js'
import { tryLease } from '../../lib/tokens/lease.js'
import { refreshDir } from '../../lib/tokens/tokens.js'
import { fingerprintOf } from '../../lib/tokens/token-rules.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { previewRemoval, removeAccounts } from '../../lib/tools/accounts/removal.js'
import { CHECKS } from '../../lib/tools/diagnostics/doctor-checks.js'
import { openRuntime } from '../../lib/open-runtime.js'
import { type Runtime } from '../../lib/runtime.js'
import { aHome, homeIn } from '../support/home.js'
import { memoryKeychain, type MemoryKeychain } from '../support/memory-keychain.js'
import { toolData } from '../support/run-tool.js'

const ACCOUNTS = ['a', 'b'].map((name) => ({
  refreshToken: `rt-${name}`,
  accessToken: `at-${name}`,
  accountId: name,
  email: `${name}@example.test`,
  addedAt: 1,
  lastUsed: 0,
}))

function runtimeOf(
  home: string,
  keychain: MemoryKeychain,
  env: Record<string, string> = { CODEX_KEYCHAIN: '1' },
): Runtime {
  const all = { ...homeIn(home), ...env }
  const runtime = openRuntime({
    env: all,
    directory: home,
    paths: resolvePaths(all),
    host: { log: () => undefined, toast: () => undefined },
    keychain,
    watch: false,
  })
  onTestFinished(() => runtime.close())
  return runtime
}

async function stage(env?: Record<string, string>) {
  const home = await aHome(ACCOUNTS)
  const keychain = memoryKeychain()
  const runtime = runtimeOf(home, keychain, env)
  return {
    home,
    keychain,
    runtime,
    text: () => readFile(runtime.store.path, 'utf8'),
    backups: path.join(home, '.opencode', 'backups'),
  }
}

const migrate = { command: 'migrate', confirm: true }
const rollback = { command: 'rollback', confirm: true }

describe('codex-keychain', () => {
  it('says how the tokens lie without asking the keychain of a user who did not opt in', async () => {
    const { runtime, keychain } = await stage({})
    const data = await toolData(runtime, 'keychain')
    expect(data).toMatchObject({
      optedIn: false,
      storage: 'plain',
      accounts: 2,
      keychain: { reachable: null },
    })
    expect(keychain.reads).toBe(0)
  })

  it.each([
    ['a newer version', '{"version":9,"accounts":[]}', 'store_newer'],
    ['somebody else', 'not an account file', 'store_unreadable'],
  ])('does not take a file of %s for one without accounts', async (_what, content, code) => {
    const { runtime } = await stage({})
    await writeFile(runtime.store.path, content)
    await expect(toolData(runtime, 'keychain')).rejects.toMatchObject({ code })
  })

  it('does not migrate without the variable', async () => {
    const { runtime, text } = await stage({})
    const before = await text()
    await expect(toolData(runtime, 'keychain', migrate)).rejects.toMatchObject({
      code: 'invalid_input',
    })
    expect(await text()).toBe(before)
  })

  it.each([[{ command: 'migrate' }], [{ command: 'migrate', dryRun: true, confirm: true }]])(
    'only says what would happen for %j',
    async (args) => {
      const { runtime, text, keychain } = await stage()
      const before = await text()
      expect(await toolData(runtime, 'keychain', args)).toMatchObject({
        dryRun: true,
        storage: 'plain',
      })
      expect(await text()).toBe(before)
      expect(keychain.items.size).toBe(0)
    },
  )

  it('seals the file, its copies and the journal, and brings all of it back', async () => {
    const { runtime, text, keychain, backups, home } = await stage()
    await mkdir(backups)
    await writeFile(path.join(backups, 'accounts-20260101-000000000-abcdef.json'), await text())
    await writeFile(path.join(backups, 'export-20260101-000000000.json'), await text())
    const dir = refreshDir(path.join(home, '.opencode'))
    const tokens = { accessToken: 'at-new', refreshToken: 'rt-new', expiresAt: 1 }
    await new RefreshJournal(dir).write(fingerprintOf('rt-a'), {
      state: 'received',
      pool: runtime.store.path,
      uid: 'x',
      startedAt: 1,
      tokens,
    })
    const entry = (): Promise<string> =>
      readFile(path.join(dir, `${fingerprintOf('rt-a')}.json`), 'utf8')

    const data = await toolData(runtime, 'keychain', migrate)

    expect(data).toMatchObject({
      storage: 'sealed',
      accounts: 2,
      warnings: [],
      keychain: { reachable: true },
    })
    expect(data.plainCopies).toEqual([path.join(backups, 'export-20260101-000000000.json')])
    const sealed = await Promise.all(
      (await readdir(backups))
        .filter((name) => !name.startsWith('export'))
        .map((name) => readFile(path.join(backups, name), 'utf8')),
    )
    expect(sealed).toHaveLength(2)
    expect([await text(), await entry(), ...sealed].join('\n')).not.toMatch(/[ar]t-(a|b|new)/)
    const other = runtimeOf(home, keychain, {})
    expect((await other.store.read()).accounts.map(({ refreshToken }) => refreshToken)).toEqual([
      'rt-a',
      'rt-b',
    ])

    expect(await toolData(other, 'keychain', rollback)).toMatchObject({
      storage: 'plain',
      warnings: [],
      plainCopies: [],
    })

    expect(keychain.items.size).toBe(0)
    expect(JSON.parse(await text()).accounts).toMatchObject(ACCOUNTS)
    expect(await text()).not.toContain('sealed')
    expect(JSON.parse(await entry()).tokens).toEqual(tokens)
    for (const name of await readdir(backups))
      expect(await readFile(path.join(backups, name), 'utf8')).toContain('rt-a')
  })

  it('changes nothing when the keychain does not keep what it is given', async () => {
    const { runtime, text, keychain, backups } = await stage()
    const before = await text()
    keychain.items.set = () => keychain.items
    await expect(toolData(runtime, 'keychain', migrate)).rejects.toMatchObject({
      code: 'keychain_unreachable',
    })
    expect(await text()).toBe(before)
    expect(await readdir(backups).catch(() => [])).toEqual([])
  })

  it('keeps the file sealed when the keychain cannot be reached for the rollback, and says so in the status', async () => {
    const { runtime, text, keychain, home } = await stage()
    await toolData(runtime, 'keychain', migrate)
    const before = await text()
    keychain.broken = true
    const other = runtimeOf(home, keychain)
    expect(await toolData(other, 'keychain')).toMatchObject({
      storage: 'sealed',
      accounts: 2,
      keychain: { reachable: false },
    })
    await expect(toolData(other, 'keychain', rollback)).rejects.toMatchObject({
      code: 'keychain_unreachable',
    })
    expect(await text()).toBe(before)
  })

  it('does not roll back while a token is being renewed', async () => {
    const { runtime, text, home } = await stage()
    await toolData(runtime, 'keychain', migrate)
    const before = await text()
    const dir = refreshDir(path.join(home, '.opencode'))
    const fingerprint = fingerprintOf('rt-a')
    const lease = await tryLease(dir, fingerprint)
    await new RefreshJournal(dir).write(fingerprint, {
      state: 'started',
      pool: runtime.store.path,
      uid: 'x',
      startedAt: Date.now(),
      host: 'h',
      pid: 1,
    })
    await expect(toolData(runtime, 'keychain', rollback)).rejects.toMatchObject({
      code: 'store_busy',
    })
    expect(await text()).toBe(before)
    await lease?.release()
    expect(await toolData(runtime, 'keychain', rollback)).toMatchObject({
      storage: 'plain',
      warnings: [],
    })
  })

  it('warns when the accounts are back but the key cannot be deleted', async () => {
    const { runtime, text, keychain } = await stage()
    await toolData(runtime, 'keychain', migrate)
    keychain.items.delete = () => false
    const data = await toolData(runtime, 'keychain', rollback)
    expect(data).toMatchObject({
      storage: 'plain',
      warnings: [expect.stringContaining('may still be in the keychain')],
    })
    expect(await text()).toContain('rt-a')
  })

  it('keeps the key while a copy could not be brought back', async () => {
    const { runtime, keychain, backups } = await stage()
    await toolData(runtime, 'keychain', migrate)
    const [copy] = await readdir(backups)
    const content = JSON.parse(await readFile(path.join(backups, copy!), 'utf8'))
    content.accounts[0].uid = 'acc_other'
    await writeFile(path.join(backups, copy!), JSON.stringify(content))
    expect(await toolData(runtime, 'keychain', rollback)).toMatchObject({
      storage: 'plain',
      warnings: [expect.stringContaining('still sealed')],
    })
    expect(keychain.items.size).toBe(1)
  })

  it('lets a renewal that was cut off be finished from its sealed journal entry', async () => {
    const { runtime, home, keychain } = await stage()
    await toolData(runtime, 'keychain', migrate)
    const dir = refreshDir(path.join(home, '.opencode'))
    const { store, vault } = runtime
    const journal = new RefreshJournal(dir, {
      current: () => store.key(),
      key: (id) => vault.key(id),
    })
    const entry = {
      pool: store.path,
      uid: 'x',
      startedAt: Date.now(),
      state: 'received' as const,
      tokens: { accessToken: 'at-new', refreshToken: 'rt-new', expiresAt: Date.now() + 60_000 },
    }
    await journal.write(fingerprintOf('rt-a'), entry)
    expect(await readFile(path.join(dir, `${fingerprintOf('rt-a')}.json`), 'utf8')).not.toMatch(
      /[ar]t-/,
    )

    const next = runtimeOf(home, keychain, {})
    await next.tokens.recover()

    expect((await next.store.read()).accounts[0]).toMatchObject({
      refreshToken: 'rt-new',
      accessToken: 'at-new',
    })
    expect(await readFile(store.path, 'utf8')).not.toContain('"rt-')
    expect(await journal.list()).toEqual([])
  })

  it('imports from a sealed copy, and keeps a sealed copy of the pool before', async () => {
    const { runtime, backups } = await stage()
    const { backup } = await toolData(runtime, 'keychain', migrate)
    await toolData(runtime, 'remove', { account: 1, confirm: true })
    await toolData(runtime, 'import', { path: backup })
    expect(
      (await runtime.store.read()).accounts.map(({ refreshToken }) => refreshToken).sort(),
    ).toEqual(['rt-a', 'rt-b'])
    for (const name of await readdir(backups))
      expect(await readFile(path.join(backups, name), 'utf8')).not.toContain('"rt-')
  })

  it('is what codex-doctor speaks of, to those whom it concerns', async () => {
    const { runtime, home, keychain } = await stage()
    const doctor = (one: Runtime) => CHECKS.keychain!(one, new AbortController().signal)
    expect(await doctor(runtimeOf(home, keychain, {}))).toEqual([])
    expect(await doctor(runtime)).toMatchObject([
      { severity: 'warning', action: expect.stringContaining('migrate') },
    ])
    await toolData(runtime, 'keychain', migrate)
    expect(await doctor(runtime)).toMatchObject([{ severity: 'ok' }])
    await toolData(runtime, 'export', {})
    expect(await doctor(runtime)).toMatchObject([
      { severity: 'warning', summary: expect.stringContaining('1 other file') },
    ])
    keychain.broken = true
    expect(await doctor(runtimeOf(home, keychain, {}))).toMatchObject([{ severity: 'error' }])
  })

  it('leaves an export readable without the keychain', async () => {
    const { runtime, home } = await stage()
    await toolData(runtime, 'keychain', migrate)
    const file = path.join(home, 'export.json')
    await toolData(runtime, 'export', { path: file })
    expect(JSON.parse(await readFile(file, 'utf8')).accounts).toMatchObject(ACCOUNTS)
    expect(await readFile(file, 'utf8')).not.toContain('sealedWith')
  })
})

describe('the key of a pool from which every login was purged', () => {
  const everything = {
    pick: (pool: AccountPool) => pool.accounts,
    purge: { everything: true, past: [] },
  }

  it('is deleted from the keychain with the last file that names it, and the next login seals with a new one', async () => {
    const { runtime, keychain, text } = await stage()
    await toolData(runtime, 'keychain', migrate)
    const [item] = keychain.items.keys()
    const preview = await previewRemoval(runtime, await runtime.store.read(), everything)
    expect(preview.copies.join('\n')).toContain(`${item} in the OS keychain: deleted`)

    const { copies } = await removeAccounts(runtime, everything)

    expect(copies.join('\n')).toContain(`The key ${item} was deleted from the OS keychain.`)
    expect(keychain.items.size).toBe(0)
    expect(JSON.parse(await text())).not.toHaveProperty('sealedWith')
    await runtime.store.update((pool) => withLogin(pool, ACCOUNTS[0]!).pool)
    expect([...keychain.items.keys()]).not.toContain(item)
    expect(JSON.parse(await text())).toHaveProperty('sealedWith')
  })

  it('stays while another file needs it', async () => {
    const { runtime, keychain, text, home } = await stage()
    await toolData(runtime, 'keychain', migrate)
    const project = path.join(home, '.opencode', 'projects', 'web-0123456789ab')
    await mkdir(project, { recursive: true })
    await writeFile(
      path.join(project, 'oc-codex-multi-auth-accounts.json'),
      JSON.stringify({
        ...JSON.parse(await text()),
        accounts: [
          {
            uid: 'acc_other',
            sealed: 'v1.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA',
            accountId: 'c',
          },
        ],
      }),
    )

    const { copies } = await removeAccounts(runtime, everything)

    expect(copies.join('\n')).toContain('stays in the OS keychain')
    expect(keychain.items.size).toBe(1)
  })

  it('stays with the accounts that are left', async () => {
    const { runtime, keychain } = await stage()
    await toolData(runtime, 'keychain', migrate)
    await removeAccounts(runtime, { ...everything, pick: (pool) => pool.accounts.slice(1) })
    expect(keychain.items.size).toBe(1)
    expect((await runtime.store.read()).accounts).toMatchObject([{ refreshToken: 'rt-a' }])
  })
})
