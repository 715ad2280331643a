import { symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { expect, it, vi } from 'vitest'

import { formatPool, withUids } from '../../lib/accounts/store/pool-format.js'
import { newDataKey } from '../../lib/accounts/keychain/data-key.js'
import { sealPool } from '../../lib/accounts/keychain/seal.js'
import { DEFAULT_CONFIG } from '../../lib/config/settings.js'
import { formatLedger } from '../../lib/quota/ledger-state.js'
import { watchPool } from '../../lib/tui/pool-watch.js'
import type { PoolView } from '../../lib/tui/pool-view.js'
import { whereLinksAreFree } from '../support/platforms.js'
import { temporaryFolder } from '../support/temporary.js'

const VIEW = { config: DEFAULT_CONFIG, project: undefined }
const NAMES = ['accounts', 'quota', 'affinity', 'notices']
const others = (folder: string) => ({
  affinity: path.join(folder, 'affinity'),
  notices: path.join(folder, 'notices'),
})

it('shows the accounts of a sealed file without the keychain', async () => {
  const folder = await temporaryFolder()
  const accounts = path.join(folder, 'accounts.json')
  const pool = {
    version: 3 as const,
    activeIndex: 0,
    accounts: withUids(
      ['a', 'b'].map((name) => ({
        refreshToken: `rt-${name}`,
        accountId: name,
        addedAt: 1,
        lastUsed: 0,
      })),
    ),
  }
  await writeFile(accounts, formatPool(sealPool(pool, newDataKey())))
  const view = await new Promise<PoolView>((resolve) => {
    const stop = watchPool(
      { accounts, quota: path.join(folder, 'quota'), ...others(folder) },
      VIEW,
      (shown) => {
        stop()
        resolve(shown)
      },
    )
  })
  expect(view.accounts).toHaveLength(2)
})

it('takes files that cannot be looked at for empty ones', async () => {
  const folder = await temporaryFolder()
  const [accounts, quota, affinity, notices] = NAMES.map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
    string,
  ]
  // A link to itself: neither missing nor readable, also for root.
  for (const file of [accounts, quota, affinity, notices]) await symlink(file, file)
  const view = await new Promise<PoolView>((resolve) => {
    const stop = watchPool({ accounts, quota, affinity, notices }, VIEW, (shown) => {
      stop()
      resolve(shown)
    })
  })
  expect(view.accounts).toEqual([])
})

it('shows a window as full again once its reset has passed, without any change of a file', async () => {
  const folder = await temporaryFolder()
  const [accounts, quota] = ['accounts', 'quota'].map((name) => path.join(folder, name)) as [
    string,
    string,
  ]
  const pool = {
    version: 3 as const,
    activeIndex: 0,
    accounts: withUids([{ refreshToken: 'rt', accountId: 'a', addedAt: 1, lastUsed: 0 }]),
  }
  const nowMs = Date.now()
  const window = {
    kind: 'five_hour' as const,
    usedPercent: 97,
    resetsAtMs: nowMs + 1_500,
    observedAtMs: nowMs,
    source: 'headers' as const,
  }
  await writeFile(accounts, formatPool(pool))
  await writeFile(
    quota,
    formatLedger({
      [pool.accounts[0]!.uid]: { limits: { codex: { windows: [window] } }, blocks: [] },
    }),
  )
  const left: (number | undefined)[] = []
  await new Promise<void>((resolve) => {
    const stop = watchPool(
      { accounts, quota, ...others(folder) },
      VIEW,
      ({ accounts: [account] }) => {
        left.push(account?.windows[0]?.leftPercent)
        if (left.at(-1) !== 100) return
        stop()
        resolve()
      },
    )
  })
  expect(left[0]).toBe(3)
}, 20_000)

whereLinksAreFree(
  'shows at once what was changed through another home that is linked to the same file',
  async () => {
    const [folder, shared] = [await temporaryFolder(), await temporaryFolder()]
    const [accounts, real] = [path.join(folder, 'accounts.json'), path.join(shared, 'real.json')]
    const pool = (...names: string[]): string =>
      formatPool({
        version: 3,
        activeIndex: 0,
        accounts: withUids(
          names.map((name) => ({
            refreshToken: `rt-${name}`,
            accountId: name,
            addedAt: 1,
            lastUsed: 0,
          })),
        ),
      })
    await writeFile(real, pool('a'))
    await symlink(real, accounts)
    // Without its regular look nothing but the watch can tell.
    vi.stubGlobal('setInterval', () => setTimeout(() => undefined, 0))
    const counts: number[] = []
    const stop = watchPool(
      { accounts, quota: path.join(folder, 'quota'), ...others(folder) },
      VIEW,
      (shown) => void counts.push(shown.accounts.length),
    )
    try {
      await expect.poll(() => counts, { timeout: 10_000 }).toContain(1)
      await writeFile(real, pool('a', 'b'))
      await expect.poll(() => counts, { timeout: 10_000 }).toContain(2)
    } finally {
      stop()
      vi.unstubAllGlobals()
    }
  },
  30_000,
)
