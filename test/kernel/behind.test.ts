import { mkdir, realpath, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { watchFiles } from '../../lib/kernel/files/watch-files.js'
import { createWriteBehind } from '../../lib/kernel/write-behind.js'
import { temporaryFolder } from '../support/temporary.js'
import { whereLinksAreFree } from '../support/platforms.js'

/** How often a change of a file is reported. */
function countReports(file: string, settleMs = 0): () => number {
  let reports = 0
  const changes = watchFiles([file], () => (reports += 1), settleMs)
  onTestFinished(() => changes.close())
  changes.start()
  return () => reports
}

describe('watchFiles', () => {
  it('takes the temporary file of a write for a change of its file, because Bun names nothing else', async () => {
    const folder = await temporaryFolder()
    const reports = countReports(path.join(folder, 'quota.json'))
    await writeFile(path.join(folder, '.quota.json.123-abc.tmp'), '')
    await vi.waitUntil(() => reports() > 0, { timeout: 20_000 })
  })

  it('says nothing of other files and of their temporary files', async () => {
    const folder = await temporaryFolder()
    const reports = countReports(path.join(folder, 'quota.json'))
    const last = countReports(path.join(folder, 'last.json'))
    for (const name of ['other.json', '.other.json.1-a.tmp', 'quota.json.lock', '.quota.json'])
      await writeFile(path.join(folder, name), '')
    await writeFile(path.join(folder, 'last.json'), '')
    await vi.waitUntil(() => last() > 0, { timeout: 20_000 })
    expect(reports()).toBe(0)
  })

  it('makes fewer reports than there are events when it may wait for them', async () => {
    const file = path.join(await temporaryFolder(), 'quota.json')
    const each = countReports(file)
    const settled = countReports(file, 100)
    for (let write = 0; write < 20; write += 1) await writeFile(file, String(write))
    await vi.waitUntil(() => settled() > 0 && each() >= 20, { timeout: 20_000 })
    expect(settled()).toBeLessThan(each())
  })

  whereLinksAreFree('sees a write to the place a link leads to', async () => {
    const root = await realpath(await temporaryFolder())
    await mkdir(path.join(root, 'real'))
    const file = path.join(root, 'real', 'pool.json')
    await symlink(file, path.join(root, 'link.json'))
    let reports = 0
    const changes = watchFiles([path.join(root, 'link.json')], () => (reports += 1))
    onTestFinished(() => changes.close())
    changes.start()
    await writeFile(file, '')
    await vi.waitUntil(() => reports > 0, { timeout: 20_000 })
    expect(changes.isWatching()).toBe(true)
  })

  it('begins when a folder that was missing is there, and never after its close', async () => {
    const folder = path.join(await temporaryFolder(), 'later')
    const changes = watchFiles([path.join(folder, 'pool.json')], () => undefined)
    changes.start()
    expect(changes.isWatching()).toBe(false)
    await mkdir(folder)
    changes.start()
    expect(changes.isWatching()).toBe(true)
    changes.close()
    changes.start()
    expect(changes.isWatching()).toBe(false)
  })
})

describe('createWriteBehind', () => {
  it('writes once for many changes, and again for one that came while it wrote', async () => {
    let writes = 0
    let release = (): void => undefined
    const behind = createWriteBehind(async () => {
      writes += 1
      await new Promise<void>((resolve) => (release = resolve))
    }, 60_000)
    behind.schedule()
    behind.schedule()
    const first = behind.flush()
    await vi.waitUntil(() => writes === 1)
    behind.schedule()
    const second = behind.flush()
    release()
    await first
    await vi.waitUntil(() => writes === 2)
    release()
    await second
    await behind.flush()
    expect(writes).toBe(2)
  })

  it('writes by itself within its delay', async () => {
    let writes = 0
    const behind = createWriteBehind(async () => void (writes += 1), 1)
    behind.schedule()
    await vi.waitUntil(() => writes === 1)
  })

  it('writes what is left when it is closed, and then nothing by itself', async () => {
    let writes = 0
    const behind = createWriteBehind(async () => void (writes += 1), 1)
    behind.schedule()
    await behind.close()
    expect(writes).toBe(1)
    behind.schedule()
    await behind.flush()
    expect(writes).toBe(2)
  })
})
