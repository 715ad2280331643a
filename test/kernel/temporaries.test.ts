import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { writeFileAtomic } from '../../lib/kernel/files/replace-file.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { sweepEverywhere } from '../../lib/kernel/files/leftovers.js'
import {
  findStaleTemporaries,
  parseTemporaryName,
  sweepTemporaries,
  temporaryNameFor,
} from '../../lib/kernel/files/temporaries.js'
import { bundledWorker } from '../support/bundled-worker.js'
import { startProcess } from '../support/child-process.js'
import { temporaryFolder } from '../support/temporary.js'
import { homeIn } from '../support/home.js'

const HOUR = 3_600_000
const FOLDERS = [
  '.opencode',
  '.opencode/refresh',
  '.opencode/backups',
  '.opencode/cache',
  '.opencode/projects/web-0123456789ab',
  '.local/state/opencode',
  '.config/opencode',
  'exports',
]
const isLinux = process.platform === 'linux'

async function aged(file: string, ageMs: number): Promise<string> {
  await writeFile(file, 'secret')
  const then = new Date(Date.now() - ageMs)
  await utimes(file, then, then)
  return file
}

const temporariesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => parseTemporaryName(name) !== undefined)

describe('a temporary file that a killed process left behind', () => {
  const worker = bundledWorker('test/kernel/temporary-writer.ts')

  /** Starts a writer that stops in the middle of its write, with the temporary file on the disk. */
  async function writerInTheMiddle(target: string): Promise<ReturnType<typeof startProcess>> {
    const running = startProcess({
      file: process.execPath,
      args: [worker(), target],
      cwd: path.dirname(target),
      env: {},
    })
    await running.waitFor('in the middle')
    return running
  }

  it.skipIf(!isLinux).each(FOLDERS)(
    'is cleared by the next write into %s, whatever it writes, at once (tokens stayed there for ever)',
    async (name) => {
      const folder = path.join(await temporaryFolder(), name)
      await mkdir(folder, { recursive: true })
      const running = await writerInTheMiddle(path.join(folder, 'killed.json'))
      expect(await temporariesIn(folder)).toHaveLength(1)

      await writeFileAtomic(path.join(folder, 'first.json'), '1')
      expect(await temporariesIn(folder), 'a live writer keeps its file').toHaveLength(1)
      running.kill()
      await running.ended
      await writeFileAtomic(path.join(folder, 'second.json'), '2')

      expect((await readdir(folder)).sort()).toEqual(['first.json', 'second.json'])
    },
  )

  it.skipIf(!isLinux)(
    'is found in every folder of a home at once',
    async () => {
      const home = await temporaryFolder()
      for (const name of FOLDERS) await mkdir(path.join(home, name), { recursive: true })
      const folders = FOLDERS.filter((name) => name !== 'exports')
      const writers = await Promise.all(
        folders.map((name) => writerInTheMiddle(path.join(home, name, 'killed.json'))),
      )
      const paths = resolvePaths(homeIn(home))
      expect(await sweepEverywhere(paths, Date.now()), 'live writers keep their files').toEqual([])
      for (const running of writers) running.kill()
      await Promise.all(writers.map(({ ended }) => ended))

      expect(await sweepEverywhere(paths, Date.now())).toHaveLength(folders.length)

      expect(
        (await Promise.all(folders.map((name) => temporariesIn(path.join(home, name))))).flat(),
      ).toEqual([])
    },
    60_000,
  )
})

describe('sweepTemporaries', () => {
  it('removes what is older than an hour, also with the name of earlier versions, and says what', async () => {
    const folder = await temporaryFolder()
    const old = await aged(path.join(folder, '.accounts.json.4242-0123456789ab.tmp'), HOUR + 60_000)
    const ours = await aged(path.join(folder, temporaryNameFor('quota.json')), HOUR + 60_000)
    expect([...(await sweepTemporaries(folder, Date.now()))].sort()).toEqual([old, ours].sort())
    expect(await readdir(folder)).toEqual([])
  })

  it('leaves what is younger unless its process is surely dead: it may belong to another machine or container', async () => {
    const folder = await temporaryFolder()
    await aged(path.join(folder, '.accounts.json.4194303-0123456789ab.tmp'), HOUR - 60_000)
    await aged(path.join(folder, '.accounts.json.4194303-00000000-0123456789ab.tmp'), HOUR - 60_000)
    await aged(path.join(folder, temporaryNameFor('accounts.json')), HOUR - 60_000)
    expect(await sweepTemporaries(folder, Date.now())).toEqual([])
  })

  it('never touches the files of others, links, folders, or anything beyond the folder', async () => {
    const folder = await temporaryFolder()
    const others = [
      'notes.tmp',
      '.accounts.json.tmp',
      '.x.12-zz.tmp',
      'accounts.json.4242-0123456789ab.tmp',
      '.4242-0123456789ab.tmp',
      '.a.4242-0123456789ab.tmp.json',
    ]
    for (const name of others) await aged(path.join(folder, name), 9 * HOUR)
    const kept = await aged(path.join(folder, 'kept'), 9 * HOUR)
    await symlink(kept, path.join(folder, '.l.4242-0123456789ab.tmp'))
    await mkdir(path.join(folder, '.d.4242-0123456789ab.tmp'))
    await mkdir(path.join(folder, 'below'))
    await aged(path.join(folder, 'below', '.b.4242-0123456789ab.tmp'), 9 * HOUR)
    const before = (await readdir(folder, { recursive: true })).sort()
    expect(await sweepTemporaries(folder, Date.now() + 9 * HOUR)).toEqual([])
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(before)
    expect(await readFile(kept, 'utf8')).toBe('secret')
  })

  it('answers with nothing where there is no folder', async () => {
    const folder = path.join(await temporaryFolder(), 'nothing')
    expect(await findStaleTemporaries(folder, Date.now())).toEqual([])
    expect(await sweepTemporaries(folder, Date.now())).toEqual([])
    expect(existsSync(folder)).toBe(false)
  })

  it('knows its own names, with any target', () => {
    for (const target of ['accounts.json', 'a b', '.hidden', 'x.tmp', 'ü\n', '1-2.tmp']) {
      expect(parseTemporaryName(temporaryNameFor(target))).toMatchObject({
        target,
        pid: process.pid,
      })
    }
  })
})
