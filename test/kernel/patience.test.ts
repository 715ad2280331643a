import { spawn } from 'node:child_process'
import { readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { afterEach, describe, expect, it } from 'vitest'

import { readTextFile, readTextFileNow } from '../../lib/kernel/files/json-file.js'
import { patiently, pauseAfter } from '../../lib/kernel/files/patience.js'
import { writeFileAtomic } from '../../lib/kernel/files/replace-file.js'
import { failFiles } from '../support/faulty-files.js'
import { temporaryFolder } from '../support/temporary.js'

const original = process.platform
const BUSY = Object.assign(new Error('busy'), { code: 'EBUSY' })

function asOn(platform: NodeJS.Platform): void {
  Object.defineProperty(process, 'platform', { value: platform })
}

afterEach(() => asOn(original))

async function fileWith(text: string): Promise<string> {
  const file = path.join(await temporaryFolder(), 'file.json')
  await writeFile(file, text)
  return file
}

describe('a file that somebody else has', () => {
  it('is waited for in pauses of 5 to 30 ms', () => {
    for (const platform of ['win32', 'linux'])
      expect(
        [0, 0.5, 1].map((chance) => pauseAfter(BUSY, 'change', 0, { platform, chance })),
      ).toEqual([5, 17.5, 30])
  })

  it.each([
    ['win32', 'change', 3_000],
    ['win32', 'read', 2_000],
    ['linux', 'change', 300],
    ['linux', 'read', 0],
    ['darwin', 'read', 0],
  ] as const)('on %s is waited for by a %s for %i ms', (platform, act, ms) => {
    const pause = (waited: number) => pauseAfter(BUSY, act, waited, { platform, chance: 0 })
    expect(pause(ms)).toBeUndefined()
    if (ms > 0) expect(pause(ms - 1)).toBe(5)
  })

  it.each(['EPERM', 'EBUSY', 'EACCES'])('is read on Windows once it is free (%s)', async (code) => {
    const file = await fileWith('text')
    asOn('win32')
    failFiles('open', (_file, call) => (call <= 8 ? code : undefined))
    expect((await readTextFile(file))?.text).toBe('text')
  })

  it.each(['EPERM', 'EBUSY', 'EACCES'])('is read by a start, too (%s)', async (code) => {
    const file = await fileWith('text')
    asOn('win32')
    failFiles('open', (_file, call) => (call <= 3 ? code : undefined))
    expect(readTextFileNow(file)?.text).toBe('text')
  })

  it('holds up a start for a moment only, and a request not at all', async () => {
    const file = await fileWith('text')
    asOn('win32')
    let calls = 0
    failFiles('open', () => {
      calls += 1
      return 'EBUSY'
    })
    expect(() => readTextFileNow(file, { waits: false })).toThrow('EBUSY')
    expect(calls).toBe(1)
    expect(() => readTextFileNow(file)).toThrow('EBUSY')
    // Pauses of 5 ms at least, 100 ms in all.
    expect(calls).toBeLessThanOrEqual(22)
    expect(calls).toBeGreaterThan(4)
  })

  it('elsewhere is told of at once where it cannot be read: that does not pass', async () => {
    const file = await fileWith('text')
    asOn('linux')
    let calls = 0
    failFiles('open', () => {
      calls += 1
      return 'EACCES'
    })
    await expect(readTextFile(file)).rejects.toMatchObject({ code: 'store_unreadable' })
    expect(calls).toBe(1)
  })

  it('is replaced on Windows after as many refusals as a scanner of seconds makes', async () => {
    const file = await fileWith('old')
    asOn('win32')
    failFiles('rename', (_from, call) => (call <= 40 ? 'EPERM' : undefined))
    await writeFileAtomic(file, 'new')
    expect(await readFile(file, 'utf8')).toBe('new')
  })

  it('is not waited for where the trouble is another one', async () => {
    asOn('win32')
    let calls = 0
    const failing = patiently('change', async () => {
      calls += 1
      throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    })
    await expect(failing).rejects.toThrow('full')
    expect(calls).toBe(1)
  })

  it.runIf(original === 'win32')(
    'that another process really holds open is replaced when that lets go',
    async () => {
      const file = await fileWith('old')
      // Node opens files such that they can be deleted meanwhile; a folder that is somebody's working folder cannot be moved.
      const folder = path.dirname(file)
      const holder = spawn(
        process.execPath,
        ['-e', 'process.stdout.write("here"); setTimeout(() => process.exit(), 700)'],
        { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] },
      )
      await new Promise((resolve) => holder.stdout.once('data', resolve))
      let refusals = 0
      await patiently('change', () =>
        rename(folder, `${folder}-moved`).catch((error: unknown) => {
          refusals += 1
          throw error
        }),
      )
      expect(await readFile(path.join(`${folder}-moved`, 'file.json'), 'utf8')).toBe('old')
      expect(refusals).toBeGreaterThan(0)
    },
  )
})
