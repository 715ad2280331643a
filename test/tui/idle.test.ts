import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, it } from 'vitest'

import { DEFAULT_CONFIG } from '../../lib/config/settings.js'
import { watchPool } from '../../lib/tui/pool-watch.js'
import { temporaryFolder } from '../support/temporary.js'
import { anAccount, writePool } from '../support/records.js'

const WINDOWS = 20
/** Longer than two looks of the polling fallback. */
const IDLE_MS = 11_000

describe('twenty idle windows', () => {
  it('cost under 1 % of a processor each, and read nothing', { timeout: 60_000 }, async () => {
    const folder = await temporaryFolder()
    const files = {
      accounts: path.join(folder, 'accounts.json'),
      quota: path.join(folder, 'quota.json'),
      affinity: path.join(folder, 'affinity.json'),
      notices: path.join(folder, 'notices.json'),
    }
    await writePool(
      files.accounts,
      Array.from({ length: 12 }, (_, index) => anAccount(`r${index}`, { uid: `a${index}` })),
    )
    let views = 0
    const stops = Array.from({ length: WINDOWS }, () =>
      watchPool(files, { config: DEFAULT_CONFIG, project: undefined }, () => (views += 1)),
    )
    await expect.poll(() => views).toBe(WINDOWS)
    const before = process.cpuUsage()
    const startedMs = performance.now()
    await sleep(IDLE_MS)
    const { user, system } = process.cpuUsage(before)
    for (const stop of stops) stop()
    const percentEach = ((user + system) / 1_000 / (performance.now() - startedMs) / WINDOWS) * 100
    expect(percentEach, `${percentEach.toFixed(3)} % each`).toBeLessThan(1)
    expect(views).toBe(WINDOWS)
  })
})
