import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, it } from 'vitest'

import { tryLock, withFileLock } from '../../lib/kernel/lock.js'
import { temporaryFolder } from '../support/temporary.js'

const OPTIONS = { staleMs: 2_000, waitMs: 15_000, what: 'the file' }

async function staleLock(file: string): Promise<void> {
  await mkdir(`${file}.lock`, { recursive: true })
  const longAgo = new Date(Date.now() - 3_600_000)
  await utimes(`${file}.lock`, longAgo, longAgo)
}

describe('withFileLock', () => {
  it('lets one at a time in, also when all of them find the lock of a dead process', async () => {
    const file = path.join(await temporaryFolder(), 'counter')
    await writeFile(file, '0')
    await staleLock(file)
    await Promise.all(
      Array.from({ length: 12 }, () =>
        withFileLock(file, OPTIONS, async () => {
          const value = Number(await readFile(file, 'utf8'))
          await sleep(5)
          await writeFile(file, String(value + 1))
        }),
      ),
    )
    expect(await readFile(file, 'utf8')).toBe('12')
  }, 30_000)

  it('says who is in the way when the lock cannot be had in time', async () => {
    const file = path.join(await temporaryFolder(), 'file')
    const lock = await tryLock(file, 2_000)
    await expect(withFileLock(file, { ...OPTIONS, waitMs: 50 }, async () => undefined)).rejects.toMatchObject({ code: 'store_busy', message: expect.stringContaining('the file') })
    await lock?.release()
  })

  it('notices that its lock was taken away, and leaves the new one alone', async () => {
    const file = path.join(await temporaryFolder(), 'file')
    const lock = await tryLock(file, 2_000)
    const { rm } = await import('node:fs/promises')
    await rm(`${file}.lock`, { recursive: true })
    await sleep(20)
    await mkdir(`${file}.lock`)
    expect(lock?.isHeld()).toBe(false)
    await lock?.release()
    expect(await tryLock(file, 2_000)).toBeUndefined()
  })

  it('gives up at once when it is cancelled', async () => {
    const file = path.join(await temporaryFolder(), 'file')
    const lock = await tryLock(file, 2_000)
    await expect(withFileLock(file, OPTIONS, async () => undefined, AbortSignal.timeout(30))).rejects.toThrow()
    await lock?.release()
  })

  it('tells a folder that cannot hold a lock from one that is busy', async () => {
    const folder = await temporaryFolder()
    await writeFile(path.join(folder, 'plain'), '')
    await expect(withFileLock(path.join(folder, 'plain', 'file'), OPTIONS, async () => undefined)).rejects.toMatchObject({ code: 'store_not_written' })
  })
})

it('says in one sentence which lock cannot be made where there is no folder for it', async () => {
  const file = path.join(await temporaryFolder(), 'file')
  await writeFile(file, '')
  const locked = withFileLock(path.join(file, 'pool.json'), { staleMs: 2_000, waitMs: 5_000, what: 'the account file' }, async () => undefined)
  await expect(locked).rejects.toMatchObject({ code: 'store_not_written', message: expect.stringMatching(/^The lock .*pool\.json\.lock cannot be made \(\w+\), so the account file was not changed\.$/) })
})
