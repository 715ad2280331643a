import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { chmod, mkdir, readdir, rmdir, utimes, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { writeFileAtomic } from '../../lib/kernel/files/replace-file.js'
import {
  beatMs,
  isFolderAbandoned,
  lockPlace,
  ownersOf,
  parseOwnerName,
} from '../../lib/kernel/lock/lock-files.js'
import { findAbandonedLocks } from '../../lib/kernel/files/leftovers.js'
import { tryLock, withFileLock } from '../../lib/kernel/lock/lock.js'
import { isProvablyDead, ownIdentity, pidScope } from '../../lib/kernel/lock/process-identity.js'
import { failFiles } from '../support/faulty-files.js'
import { recordFileOperations } from '../support/file-operations.js'
import { temporaryFolder } from '../support/temporary.js'
import { expectPrivate } from '../support/private-place.js'

const isLinux = process.platform === 'linux'
const HOUR = 3_600_000

async function age(file: string, ageMs: number): Promise<void> {
  const then = new Date(Date.now() - ageMs)
  await utimes(file, then, then)
}

describe('the name of an owner file', () => {
  it.each([
    [
      'f.lock.12-0123abcd-98765-0123456789ab',
      { folder: 'f.lock', pid: 12, scope: '0123abcd', startedAt: '98765' },
    ],
    ['f.lock.12-0-0-0123456789ab', { folder: 'f.lock', pid: 12 }],
    ['f.lock.1-0123abcd-0-0123456789ab', { folder: 'f.lock', pid: 1, scope: '0123abcd' }],
    ['a\nb.lock.1-0-5-0123456789ab', { folder: 'a\nb.lock', pid: 1, startedAt: '5' }],
  ])('%j tells which process it is, as far as the system knew', (name, owner) => {
    expect(parseOwnerName(name)).toEqual(owner)
  })

  it.each([
    'f.lock',
    'f.lock.12-0123abcd-98765-0123456789abc',
    'f.lock.12-0123abcd-98765-0123456789a',
    'f.lock.12-123abcd-98765-0123456789ab',
    'f.lock.12345678901-0-1-0123456789ab',
    'f.lock.-0-1-0123456789ab',
    '.lock.1-0-1-0123456789ab',
    'f.lock.1-0-1-0123456789ab.bak',
  ])('is none of ours: %s', (name) => {
    expect(parseOwnerName(name)).toBeUndefined()
  })

  it('counts for its own lock alone: one that begins with the same letters is another', async () => {
    const folder = await temporaryFolder()
    const name = 'file.lock.1-0-1-0123456789ab'
    for (const other of [name, `x${name}`, 'file.lock.lock.1-0-1-0123456789ab', 'file.lock.txt'])
      await writeFile(path.join(folder, other), '')
    expect(await ownersOf(lockPlace(path.join(folder, 'file')))).toEqual([
      { folder: 'file.lock', pid: 1, startedAt: '1', path: path.join(folder, name) },
    ])
  })
})

describe('a process', () => {
  const scope = pidScope()

  it('of this machine is known by number, place and start', () => {
    const own = ownIdentity()
    expect(own.pid).toBe(process.pid)
    expect(own.scope).toBe(scope)
    if (isLinux) expect(own.startedAt).toMatch(/^\d+$/)
    expect(isProvablyDead(own)).toBe(false)
  })

  it.each([0, -1, 1.5, Number.NaN])('that cannot be one (%d) is not proved dead', (pid) => {
    expect(isProvablyDead({ pid, ...(scope === undefined ? {} : { scope }) })).toBe(false)
  })

  it.skipIf(!isLinux)('that is alive is not dead where its start is not known', () => {
    expect(isProvablyDead({ pid: process.ppid, scope: scope! })).toBe(false)
    expect(isProvablyDead({ pid: 4_194_303, scope: scope! })).toBe(true)
  })

  it.skipIf(!isLinux)(
    'that has ended and was not yet fetched by its parent is dead (its lock stayed until the parent ended)',
    async () => {
      // A shell that starts a child, turns into `sleep`, and so never fetches it.
      const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 30'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      onTestFinished(() => void parent.kill())
      const pid = await new Promise<number>((resolve) => {
        parent.stdout.once('data', (chunk: Buffer) => resolve(Number(String(chunk))))
      })
      await expect
        .poll(() => fs.readFileSync(`/proc/${pid}/stat`, 'utf8'), { timeout: 15_000 })
        .toContain(') Z ')
      expect(isProvablyDead({ pid, scope: scope! })).toBe(true)
    },
  )

  it('elsewhere is told by machine and network cards, the same ones each time', () => {
    const mac = pidScope('darwin')
    expect(mac).toMatch(/^[0-9a-f]{8}$/)
    expect([pidScope('darwin'), pidScope('win32') === mac]).toEqual([mac, false])
  })
})

describe('a lock', () => {
  const OPTIONS = { staleMs: 2_000, waitMs: 0, what: 'the file' }

  it('shows life four times before it is stale, but not more than twice a second', () => {
    expect([100, 2_000, 4_000, 60_001].map(beatMs)).toEqual([500, 500, 1_000, 15_000])
  })

  it('names the file of the lock and the reason when it cannot be made', async () => {
    const folder = await temporaryFolder()
    failFiles('mkdir', (target) => (target.endsWith('.lock') ? 'EROFS' : undefined))
    const file = path.join(folder, 'file')
    await expect(withFileLock(file, OPTIONS, async () => 1)).rejects.toMatchObject({
      code: 'store_not_written',
      message: `The lock ${file}.lock cannot be created (EROFS), so the file was not changed.`,
    })
  })

  it('that is held says who is in the way, by the file', async () => {
    const file = path.join(await temporaryFolder(), 'file')
    await withFileLock(file, OPTIONS, async () => {
      await expect(withFileLock(file, OPTIONS, async () => 1)).rejects.toMatchObject({
        code: 'store_busy',
        message: `Another process holds the file: ${file}.lock`,
      })
    })
  })

  it.each([
    [1, true],
    [3, true],
    [4, false],
  ])(
    'is given back although its file cannot be removed %i times (gone in the end: %s), and nobody asks for ever',
    async (failures, isGone) => {
      const folder = await temporaryFolder()
      const { unlink } = fs.promises
      let asked = 0
      fs.promises.unlink = async (file) => {
        if (!String(file).includes('.lock.')) return unlink(file)
        asked += 1
        if (asked <= failures) throw Object.assign(new Error('EBUSY'), { code: 'EBUSY' })
        return unlink(file)
      }
      syncBuiltinESMExports()
      onTestFinished(() => {
        fs.promises.unlink = unlink
        syncBuiltinESMExports()
      })
      const lock = await tryLock(path.join(folder, 'file'), 60_000)
      await lock?.release()
      expect([asked, await readdir(folder)]).toEqual([
        Math.min(failures + 1, 4),
        isGone ? [] : [expect.stringContaining('file.lock.')],
      ])
    },
  )

  it('whose file is gone already is given back without asking again', async () => {
    const folder = await temporaryFolder()
    const operations = recordFileOperations()
    const lock = await tryLock(path.join(folder, 'file'), 60_000)
    await lock?.release()
    await lock?.release()
    expect(operations.filter(({ name }) => name === 'unlink')).toHaveLength(1)
  })

  it('that is a file of somebody else is refused as such, and a folder only after its time', async () => {
    const folder = await temporaryFolder()
    const theirs = path.join(folder, 'theirs')
    await writeFile(theirs, '')
    await expect(isFolderAbandoned(theirs, 10)).rejects.toMatchObject({
      code: 'ENOTDIR',
      message: `ENOTDIR: ${theirs}`,
    })
    const other = path.join(folder, 'other')
    await mkdir(other)
    await chmod(other, 0o700)
    await age(other, 5_000)
    expect(await isFolderAbandoned(other, 4_000)).toBe(true)
    expect(await isFolderAbandoned(other, 60_000)).toBe(false)
    await chmod(other, 0o710)
    await age(other, 5_000)
    expect(await isFolderAbandoned(other, 60_000)).toBe(isLinux)
    await rmdir(other)
    await expect(isFolderAbandoned(other, 10)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('what killed processes left of locks', () => {
  it('is found by age and owner: none that is young, alive, or not called like ours', async () => {
    const folder = await temporaryFolder()
    const make = async (name: string, mode: number, ageMs: number): Promise<void> => {
      await mkdir(path.join(folder, name))
      await chmod(path.join(folder, name), mode)
      await age(path.join(folder, name), ageMs)
    }
    const lease = (letter: string) => `${letter.repeat(32)}.lock`
    await make(lease('a'), 0o710, 70_000)
    await make(lease('b'), 0o710, 50_000)
    await make(lease('c'), 0o700, 2 * HOUR)
    await make(lease('d'), 0o700, HOUR / 2)
    await make('x.transaction.lock', 0o710, 70_000)
    await make('oc-codex-multi-auth-quota.json.lock', 0o710, 70_000)
    await make('theirs.lock', 0o710, 9 * HOUR)
    await writeFile(path.join(folder, lease('e')), '')
    await age(path.join(folder, lease('e')), 9 * HOUR)
    // Two owners of one lock, of which one may be alive: nothing of it is abandoned.
    const elsewhere = `${lease('f')}.1-00000000-1-0123456789a`
    for (const last of ['a', 'b']) await writeFile(path.join(folder, elsewhere + last), '')
    await age(path.join(folder, `${elsewhere}a`), 25 * HOUR)
    await writeFile(path.join(folder, `${lease('0')}.1-00000000-1-0123456789ab`), '')
    await age(path.join(folder, `${lease('0')}.1-00000000-1-0123456789ab`), 25 * HOUR)
    const found = await findAbandonedLocks(folder, Date.now())
    expect(found.map((file) => path.relative(folder, file)).sort()).toEqual(
      [
        // Windows keeps no modes, so ours look like those of others there, which may be as old as an hour.
        ...(process.platform === 'win32'
          ? []
          : [lease('a'), 'x.transaction.lock', 'oc-codex-multi-auth-quota.json.lock']),
        lease('c'),
        lease('0'),
      ].sort(),
    )
  })
})

describe('a lock that is held', () => {
  it('is not lost, and is given back, while the process has too many files open to read its folder', async () => {
    const folder = await temporaryFolder()
    const lock = await tryLock(path.join(folder, 'f'), 2_000)
    const { readdirSync } = fs
    onTestFinished(() => {
      fs.readdirSync = readdirSync
      syncBuiltinESMExports()
    })
    fs.readdirSync = () => {
      throw Object.assign(new Error('EMFILE'), { code: 'EMFILE' })
    }
    syncBuiltinESMExports()
    expect(lock?.isHeld()).toBe(true)
    await lock?.release()
    expect(await readdir(folder)).toEqual([])
  })
})

describe('a file that is replaced', () => {
  it('is on the disk before its name is, and the name before the caller goes on', async () => {
    const folder = await temporaryFolder()
    const file = path.join(folder, 'file.json')
    const operations = recordFileOperations()
    await writeFileAtomic(file, 'text')
    const order = operations
      .filter(({ name }) => name === 'open' || name === 'rename')
      .map(({ name, target }) => `${name} ${target === folder ? 'folder' : 'file'}`)
    expect(order.slice(0, 3)).toEqual(['open file', 'rename file', 'open folder'])
    await expectPrivate(file)
  })

  it('waits for who looks at it in pauses, as long as the system needs, and not for ever', async () => {
    const folder = await temporaryFolder()
    const at: number[] = []
    failFiles('rename', () => {
      at.push(performance.now())
      return 'EBUSY'
    })
    await expect(writeFileAtomic(path.join(folder, 'file'), 'x')).rejects.toMatchObject({
      code: 'store_not_written',
    })
    const pauses = at.slice(1).map((time, index) => time - at[index]!)
    // Timers never fire early, but for the fraction of a millisecond they are rounded by.
    for (const pause of pauses) expect(pause).toBeGreaterThan(5 - 2)
    const waited = pauses.reduce((sum, pause) => sum + pause + 1, 0)
    expect(waited).toBeGreaterThan(process.platform === 'win32' ? 3_000 : 300)
    expect(await readdir(folder)).toEqual([])
  })

  it('that is no regular file stays, with a hint what to do', async () => {
    const folder = await temporaryFolder()
    await expect(writeFileAtomic(folder, 'x')).rejects.toMatchObject({
      code: 'store_not_written',
      message: `${folder} is a folder, so nothing was written there.`,
      hint: 'Choose the name of a regular file',
    })
  })
})
