import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { afterEach, describe, expect, it, vi } from 'vitest'

import { readTextFile } from '../../lib/kernel/files/json-file.js'
import { writeFileAtomic } from '../../lib/kernel/files/replace-file.js'
import type * as locks from '../../lib/kernel/lock/lock.js'
import { failFiles } from '../support/faulty-files.js'
import { temporaryFolder } from '../support/temporary.js'

const original = process.platform
const OPTIONS = { staleMs: 2_000, waitMs: 2_000, what: 'the file' }

/** The locks as a program on that system has them. */
async function locksOn(platform: NodeJS.Platform): Promise<typeof locks> {
  Object.defineProperty(process, 'platform', { value: platform })
  vi.resetModules()
  return import('../../lib/kernel/lock/lock.js')
}

afterEach(() => {
  Object.defineProperty(process, 'platform', { value: original })
})

describe('a file that somebody looks at while it is replaced', () => {
  it.each(['EPERM', 'EBUSY', 'EACCES'])(
    'is replaced a moment later (%s, from virus scanners and network drives)',
    async (code) => {
      const file = path.join(await temporaryFolder(), 'file.json')
      await writeFile(file, 'old')
      failFiles('rename', (_from, call) => (call <= 3 ? code : undefined))
      await writeFileAtomic(file, 'new')
      expect(await readFile(file, 'utf8')).toBe('new')
    },
  )

  it.each([
    ['EBUSY', 10],
    ['ENOSPC', 1],
  ])(
    'stays as it was, with nothing beside it, when that does not end (%s)',
    async (code, fewest) => {
      const file = path.join(await temporaryFolder(), 'file.json')
      await writeFile(file, 'old')
      let calls = 0
      failFiles('rename', () => {
        calls += 1
        return code
      })
      await expect(writeFileAtomic(file, 'new')).rejects.toMatchObject({
        code: 'store_not_written',
        message: expect.stringContaining(code),
      })
      expect([await readFile(file, 'utf8'), await readdir(path.dirname(file))]).toEqual([
        'old',
        ['file.json'],
      ])
      expect(calls).toBeGreaterThanOrEqual(fewest)
      if (fewest === 1) expect(calls).toBe(1)
    },
  )
})

describe('a file that a network drive takes away while it is read', () => {
  it('is read again, since the one that replaced it is there', async () => {
    const file = path.join(await temporaryFolder(), 'file.json')
    await writeFile(file, 'new')
    failFiles('open', (_file, call) => (call <= 3 ? 'ESTALE' : undefined))
    expect(await readTextFile(file)).toMatchObject({ text: 'new' })
  })

  it('is told as such when that does not end', async () => {
    const file = path.join(await temporaryFolder(), 'file.json')
    await writeFile(file, 'new')
    failFiles('open', () => 'ESTALE')
    await expect(readTextFile(file)).rejects.toMatchObject({
      code: 'store_unreadable',
      message: expect.stringContaining('ESTALE'),
    })
  })
})

describe('a lock that is just being given back', () => {
  it.each(['EPERM', 'EBUSY', 'EACCES'])(
    'is waited for on Windows, which says %s for it',
    async (code) => {
      const { withFileLock } = await locksOn('win32')
      const file = path.join(await temporaryFolder(), 'file')
      failFiles('mkdir', (target, call) =>
        target.endsWith('.lock') && call < 8 ? code : undefined,
      )
      expect(await withFileLock(file, OPTIONS, async () => 'done')).toBe('done')
    },
  )

  it('that never can be made is told as such on Windows, when the time is over', async () => {
    const { withFileLock } = await locksOn('win32')
    const file = path.join(await temporaryFolder(), 'file')
    failFiles('mkdir', (target) => (target.endsWith('.lock') ? 'EPERM' : undefined))
    await expect(
      withFileLock(file, { ...OPTIONS, waitMs: 100 }, async () => undefined),
    ).rejects.toMatchObject({
      code: 'store_not_written',
      message: expect.stringContaining('EPERM'),
    })
  })

  it('elsewhere means that there is no permission, and nobody waits', async () => {
    const { withFileLock } = await locksOn('linux')
    const file = path.join(await temporaryFolder(), 'file')
    let calls = 0
    failFiles('mkdir', (target) => {
      if (!target.endsWith('.lock')) return undefined
      calls += 1
      return 'EPERM'
    })
    await expect(withFileLock(file, OPTIONS, async () => undefined)).rejects.toMatchObject({
      code: 'store_not_written',
      message: expect.stringContaining('EPERM'),
    })
    expect(calls).toBe(1)
  })
})
