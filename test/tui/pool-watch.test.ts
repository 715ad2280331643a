import { writeFile } from 'node:fs/promises'
import path from 'node:path'

import { expect, it } from 'vitest'

import { formatPool, withUids } from '../../lib/accounts/pool-format.js'
import { newDataKey, sealedPool } from '../../lib/accounts/seal.js'
import { DEFAULT_CONFIG } from '../../lib/config/settings.js'
import { watchPool } from '../../lib/tui/pool-watch.js'
import type { PoolView } from '../../lib/tui/pool-view.js'
import { temporaryFolder } from '../support/temporary.js'

const VIEW = DEFAULT_CONFIG

it('shows the accounts of a sealed file without the keychain', async () => {
  const folder = await temporaryFolder()
  const accounts = path.join(folder, 'accounts.json')
  const pool = { version: 3 as const, activeIndex: 0, accounts: withUids(['a', 'b'].map((name) => ({ refreshToken: `rt-${name}`, accountId: name, addedAt: 1, lastUsed: 0 }))) }
  await writeFile(accounts, formatPool(sealedPool(pool, newDataKey())))
  const view = await new Promise<PoolView>((resolve) => {
    const stop = watchPool({ accounts, quota: path.join(folder, 'quota'), affinity: path.join(folder, 'affinity') }, VIEW, (shown) => {
      stop()
      resolve(shown)
    })
  })
  expect(view.accounts).toHaveLength(2)
})
