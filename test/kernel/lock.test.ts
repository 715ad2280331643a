import fs, { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, it, onTestFinished } from 'vitest'

import { bunCommand } from '../../scripts/opencode-binary.mjs'
import { writeFileAtomic } from '../../lib/kernel/files/replace-file.js'
import { lockPlace, newOwnerPath, parseOwnerName } from '../../lib/kernel/lock/lock-files.js'
import { findAbandonedLocks, sweepLocks } from '../../lib/kernel/files/leftovers.js'
import { tryLock, withFileLock } from '../../lib/kernel/lock/lock.js'
import {
  isProvablyDead,
  ownIdentity,
  type ProcessIdentity,
} from '../../lib/kernel/lock/process-identity.js'
import { bundledWorker } from '../support/bundled-worker.js'
import { type Running, startProcess } from '../support/child-process.js'
import { keepsBirthTimes } from '../support/platforms.js'
import { temporaryFolder } from '../support/temporary.js'
import { homeIn } from '../support/home.js'

const OPTIONS = { staleMs: 2_000, waitMs: 15_000, what: 'the file' }
/** For many at once, on a machine that has other things to do. */
const PATIENT = { ...OPTIONS, waitMs: 60_000 }
const HOUR = 3_600_000
const isLinux = process.platform === 'linux'

async function age(file: string, ageMs: number): Promise<void> {
  const then = new Date(Date.now() - ageMs)
  await utimes(file, then, then)
}

async function staleLock(file: string): Promise<void> {
  await mkdir(`${file}.lock`, { recursive: true })
  await age(`${file}.lock`, HOUR)
}

const ownersIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => parseOwnerName(name) !== undefined)
const leftovers = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.includes('.lock'))

/** The next calls of `unlink` fail, as while a virus scanner looks at the file or a disk has a bad moment. */
function failingUnlinks(times: number, code: string): void {
  const { unlink } = fs.promises
  let left = times
  fs.promises.unlink = async (file) => {
    left -= 1
    if (left >= 0) throw Object.assign(new Error(code), { code })
    return unlink(file)
  }
  syncBuiltinESMExports()
  onTestFinished(() => {
    fs.promises.unlink = unlink
    syncBuiltinESMExports()
  })
}

/** Listing a folder takes long, as on Windows and on network drives: whoever starts together stays together. */
function slowLists(ms: number): void {
  const { readdir: list } = fs.promises
  const slow = async (...args: Parameters<typeof list>): Promise<unknown> => {
    await sleep(ms)
    return list(...args)
  }
  fs.promises.readdir = slow as typeof list
  syncBuiltinESMExports()
  onTestFinished(() => {
    fs.promises.readdir = list
    syncBuiltinESMExports()
  })
}

describe('withFileLock', () => {
  it('goes to one of many who find the lock of a dead process at the same moment on a slow disk (on Windows all gave way, time and again)', async () => {
    const file = path.join(await temporaryFolder(), 'file')
    await staleLock(file)
    slowLists(50)
    const locks = await Promise.all(Array.from({ length: 12 }, () => tryLock(file, 2_000)))
    const held = locks.filter((lock) => lock !== undefined)
    expect(held).toHaveLength(1)
    expect(held[0]?.isHeld()).toBe(true)
    await held[0]?.release()
    expect(await leftovers(path.dirname(file))).toEqual([])
  })

  it('lets one at a time in, also when all of them find the lock of a dead process', async () => {
    const file = path.join(await temporaryFolder(), 'counter')
    await writeFile(file, '0')
    await staleLock(file)
    await Promise.all(
      Array.from({ length: 12 }, () =>
        withFileLock(file, PATIENT, async () => {
          const value = Number(await readFile(file, 'utf8'))
          await sleep(5)
          await writeFile(file, String(value + 1))
        }),
      ),
    )
    expect(await readFile(file, 'utf8')).toBe('12')
  }, 30_000)

  it.each(['EIO', 'EBUSY', 'EPERM'])(
    'is given back although removing its file fails with %s for a moment (the process kept itself out until the lock was stale)',
    async (code) => {
      const file = path.join(await temporaryFolder(), 'file')
      failingUnlinks(2, code)
      await withFileLock(file, PATIENT, async () => undefined)
      expect(await leftovers(path.dirname(file))).toEqual([])
      expect(await withFileLock(file, { ...OPTIONS, waitMs: 0 }, async () => 'again')).toBe('again')
    },
  )

  it('is given back without a word where its file cannot be removed at all', async () => {
    const file = path.join(await temporaryFolder(), 'file')
    failingUnlinks(1_000, 'EROFS')
    expect(await withFileLock(file, PATIENT, async () => 'done')).toBe('done')
  }, 70_000)

  it('says who is in the way when the lock cannot be had in time', async () => {
    const file = path.join(await temporaryFolder(), 'file')
    const lock = await tryLock(file, 2_000)
    await expect(
      withFileLock(file, { ...OPTIONS, waitMs: 50 }, async () => undefined),
    ).rejects.toMatchObject({ code: 'store_busy', message: expect.stringContaining('the file') })
    await lock?.release()
  })

  it('notices that its lock was taken away, and leaves the new one alone', async () => {
    const file = path.join(await temporaryFolder(), 'file')
    const lock = await tryLock(file, 2_000)
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
    await expect(
      withFileLock(file, OPTIONS, async () => undefined, AbortSignal.timeout(30)),
    ).rejects.toThrow()
    await lock?.release()
  })

  it('tells a folder that cannot hold a lock from one that is busy', async () => {
    const folder = await temporaryFolder()
    await writeFile(path.join(folder, 'plain'), '')
    await expect(
      withFileLock(path.join(folder, 'plain', 'file'), OPTIONS, async () => undefined),
    ).rejects.toMatchObject({ code: 'store_not_written' })
  })

  it('says in one sentence which lock cannot be made where there is no folder for it', async () => {
    const file = path.join(await temporaryFolder(), 'file')
    await writeFile(file, '')
    const locked = withFileLock(
      path.join(file, 'pool.json'),
      { staleMs: 2_000, waitMs: 5_000, what: 'the account file' },
      async () => undefined,
    )
    await expect(locked).rejects.toMatchObject({
      code: 'store_not_written',
      message: expect.stringMatching(
        /^The lock .*pool\.json\.lock cannot be created \(\w+\), so the account file was not changed\.$/,
      ),
    })
  })

  it('leaves nothing on the disk, and what it holds outlives several times its staleness', async () => {
    const folder = await temporaryFolder()
    const file = path.join(folder, 'file')
    await withFileLock(file, OPTIONS, async (lock) => {
      await sleep(2_700)
      expect(lock.isHeld()).toBe(true)
      expect(await tryLock(file, 2_000)).toBeUndefined()
    })
    expect(await leftovers(folder)).toEqual([])
  })
})

describe.skipIf(!isLinux)('the owner of a lock', () => {
  const worker = bundledWorker('test/kernel/lock-worker.ts')

  async function holder(file: string): Promise<Running> {
    const running = startProcess({
      file: process.execPath,
      args: [worker(), file],
      cwd: path.dirname(file),
      env: {},
    })
    onTestFinished(() => running.kill())
    await running.waitFor('holds it')
    return running
  }

  it('loses it at once when its process is dead (a request waited 11 seconds for the lease of one)', async () => {
    const folder = await temporaryFolder()
    const file = path.join(folder, 'file')
    const running = await holder(file)
    expect(await tryLock(file, 60_000), 'never from a live owner').toBeUndefined()
    running.kill()
    await running.ended
    const lock = await tryLock(file, 60_000)
    expect(lock?.isHeld()).toBe(true)
    await lock?.release()
    expect(await leftovers(folder)).toEqual([])
  })

  it('is known across runtimes: the Bun of OpenCode and the Node of the command line', async () => {
    const folder = await temporaryFolder()
    const file = path.join(folder, 'file')
    const bun = bunCommand()
    const inBun = (): Running => {
      const running = startProcess({
        file: bun.command,
        args: [worker(), file],
        cwd: folder,
        env: { ...bun.env, ...homeIn(folder) },
      })
      onTestFinished(() => running.kill())
      return running
    }
    const first = inBun()
    await first.waitFor('holds it')
    expect(await tryLock(file, 60_000)).toBeUndefined()
    first.kill()
    await first.ended
    const lock = await tryLock(file, 60_000)
    expect(lock?.isHeld()).toBe(true)
    const second = inBun()
    await second.waitFor('busy')
    await lock?.release()
    const running = await holder(file)
    running.kill()
    await running.ended
    await inBun().waitFor('holds it')
  })

  it('loses it when its process was stopped for too long, not before, and is told when it goes on', async () => {
    const file = path.join(await temporaryFolder(), 'file')
    const running = await holder(file)
    running.signal('SIGSTOP')
    expect(await tryLock(file, 2_000)).toBeUndefined()
    await withFileLock(file, OPTIONS, async (lock) => {
      running.signal('SIGCONT')
      await running.waitFor('lost it')
      await sleep(1_200)
      expect(lock.isHeld(), 'whoever goes on leaves the new owner alone').toBe(true)
    })
  })

  it('keeps it when the clock was set forward by hours: it shows life when it is looked at once more', async () => {
    const folder = await temporaryFolder()
    const file = path.join(folder, 'file')
    const running = await holder(file)
    for (const name of await ownersIn(folder)) await age(path.join(folder, name), 5 * HOUR)
    expect(await tryLock(file, 2_000)).toBeUndefined()
    expect(running.output()).not.toContain('lost it')
  })

  it('is not hidden by another process that was given its number', async () => {
    const folder = await temporaryFolder()
    const file = path.join(folder, 'file')
    await mkdir(`${file}.lock`, { mode: 0o710 })
    const { pid, scope } = ownIdentity()
    await writeFile(`${file}.lock.${pid}-${scope}-12345-0123456789ab`, '')
    await age(`${file}.lock`, 5_000)
    const lock = await tryLock(file, 60_000)
    expect(lock?.isHeld()).toBe(true)
    await lock?.release()
    expect(isProvablyDead({ pid, scope: scope!, startedAt: '12345' })).toBe(true)
    expect(isProvablyDead(ownIdentity())).toBe(false)
  })

  it.each([
    ['in another container or machine', { pid: 4_194_303, scope: '00000000', startedAt: '1' }],
    ['of a system that tells nothing', { pid: 4_194_303, startedAt: '1' }],
  ])(
    '%s keeps it until it has shown no life for long enough',
    async (_where, owner: ProcessIdentity) => {
      expect(isProvablyDead(owner)).toBe(false)
      const file = path.join(await temporaryFolder(), 'file')
      await mkdir(`${file}.lock`)
      const ownerFile = `${file}.lock.${owner.pid}-${owner.scope ?? '0'}-${owner.startedAt}-0123456789ab`
      await writeFile(ownerFile, '')
      await age(ownerFile, 1_000)
      expect(await tryLock(file, 60_000)).toBeUndefined()
      await age(ownerFile, 120_000)
      await age(`${file}.lock`, 120_000)
      const lock = await tryLock(file, 2_000)
      expect(lock?.isHeld()).toBe(true)
      await lock?.release()
    },
  )

  it('is not there, nor anything else, when the disk takes no data (a lease made on a full disk stayed for ever)', async () => {
    const folder = await temporaryFolder()
    const file = path.join(folder, 'file')
    const onFullDisk = async (): Promise<string> =>
      (
        await startProcess({
          file: process.execPath,
          args: [worker(), file, 'full'],
          cwd: folder,
          env: {},
        }).ended
      ).stdout
    expect(await onFullDisk()).toBe('ENOSPC\n')
    expect(await readdir(folder)).toEqual([])
    await staleLock(file)
    expect(await onFullDisk()).toBe('ENOSPC\n')
    expect(await ownersIn(folder)).toEqual([])
    const running = await holder(path.join(folder, 'dead'))
    running.kill()
    await running.ended
    await startProcess({
      file: process.execPath,
      args: [worker(), path.join(folder, 'dead'), 'full'],
      cwd: folder,
      env: {},
    }).ended
    await withFileLock(path.join(folder, 'dead'), OPTIONS, async () => undefined)
    await withFileLock(file, OPTIONS, async () => undefined)
    expect(await readdir(folder)).toEqual([])
  })

  it('of several dead ones is taken once, and all of them are cleared', async () => {
    const folder = await temporaryFolder()
    const file = path.join(folder, 'file')
    await staleLock(file)
    for (let left = 0; left < 3; left += 1) {
      const running = await holder(path.join(folder, 'other'))
      running.kill()
      await running.ended
      for (const name of await ownersIn(folder))
        if (name.startsWith('other'))
          await rename(path.join(folder, name), path.join(folder, name.replace('other', 'file')))
      await rm(path.join(folder, 'other.lock'), { recursive: true, force: true })
    }
    const locks = (
      await Promise.all(Array.from({ length: 12 }, () => tryLock(file, 2_000)))
    ).filter((lock) => lock !== undefined)
    expect(locks.length).toBeLessThanOrEqual(1)
    for (const lock of locks) await lock.release()
    await withFileLock(file, OPTIONS, async () => undefined)
    expect(await leftovers(folder)).toEqual([])
  })
})

describe('a lock that nobody will ask for again', () => {
  const lease = 'a'.repeat(32)

  it('is cleared by the next write beside it: a folder without an owner, and the owner file of a dead process (a full disk left them for ever)', async () => {
    const folder = await temporaryFolder()
    await mkdir(path.join(folder, `${lease}.lock`))
    await age(path.join(folder, `${lease}.lock`), 2 * HOUR)
    await mkdir(path.join(folder, `${'b'.repeat(32)}.lock`), { mode: 0o710 })
    // Windows keeps no mode that tells it from a folder of another program, so it is left longer.
    const ageMs = process.platform === 'win32' ? 2 * HOUR : 120_000
    await age(path.join(folder, `${'b'.repeat(32)}.lock`), ageMs)
    if (isLinux) {
      const { pid, scope } = ownIdentity()
      await writeFile(
        path.join(folder, `${'c'.repeat(32)}.lock.${pid}-${scope}-12345-0123456789ab`),
        '',
      )
    }
    await writeFileAtomic(path.join(folder, 'anything.json'), '1')
    expect(await readdir(folder)).toEqual(['anything.json'])
  })

  it('is never one that is held, young, full, or of another program', async () => {
    const folder = await temporaryFolder()
    const held = await tryLock(path.join(folder, lease), 10_000)
    await mkdir(path.join(folder, `${'b'.repeat(32)}.lock`))
    await mkdir(path.join(folder, `${'c'.repeat(32)}.lock`, 'full'), { recursive: true })
    await mkdir(path.join(folder, 'theirs.lock'))
    await mkdir(path.join(folder, 'locks'))
    const aged = [`${'c'.repeat(32)}.lock`, 'theirs.lock', 'locks']
    // Where the time of birth moves with the other times (Wine), a folder that was set back is another one.
    if (keepsBirthTimes()) aged.push(`${lease}.lock`)
    for (const name of aged) await age(path.join(folder, name), 9 * HOUR)
    const before = await readdir(folder)
    expect(await sweepLocks(folder, Date.now())).toEqual([])
    expect(await readdir(folder)).toEqual(before)
    await held?.release()
    expect(existsSync(path.join(folder, `${lease}.lock`))).toBe(false)
    expect(await findAbandonedLocks(path.join(folder, 'nothing'), Date.now())).toEqual([])
  })

  it.skipIf(!isLinux || process.getuid?.() === 0)(
    'is not made where the owner cannot be written',
    async () => {
      const folder = await temporaryFolder()
      await chmod(folder, 0o500)
      await expect(tryLock(path.join(folder, 'file'), 2_000)).rejects.toMatchObject({
        code: 'EACCES',
      })
      await chmod(folder, 0o700)
      expect(await readdir(folder)).toEqual([])
    },
  )

  it('names its owner file in a way that is never used twice', () => {
    const place = lockPlace('/x/file')
    const names = new Set(Array.from({ length: 100 }, () => newOwnerPath(place)))
    expect(names.size).toBe(100)
    for (const name of names)
      expect(parseOwnerName(path.basename(name))).toMatchObject({
        folder: 'file.lock',
        ...ownIdentity(),
      })
  })
})
