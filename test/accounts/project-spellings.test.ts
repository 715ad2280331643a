import { mkdir, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  findProjectRoot,
  projectAccountsFile,
  projectKeyOf,
  projectKeysOf,
  resolvePoolScope,
} from '../../lib/accounts/project/project.js'
import { fenceOf, projectPinOf, withFence } from '../../lib/accounts/rules.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { realPathOf } from '../../lib/kernel/files/real-path.js'
import { fakeDisk } from '../support/fake-disk.js'
import { git, homeWithRepository } from '../support/git.js'
import { anAccount, writePool } from '../support/records.js'
import { runCli } from '../support/run-cli.js'

describe('the key of a project on Windows (a stand-in for the disk)', () => {
  const files = fakeDisk({
    platform: 'win32',
    names: [
      'C:\\Users\\Ann\\.opencode\\',
      'C:\\Users\\Ann\\Long Project Name\\.git',
      'C:\\Users\\Ann\\Long Project Name\\src\\',
      '\\\\server\\share\\Team\\package.json',
    ],
    links: { 'D:\\junction': 'C:\\Users\\Ann\\Long Project Name' },
    short: { 'C:\\Users\\Ann\\Long Project Name': 'LONGPR~1' },
  })
  const home = 'c:\\users\\ann'
  const key = projectKeyOf('C:\\Users\\Ann\\Long Project Name', 'win32')

  it('is that of the earlier plugin, and one for drive letter, slashes, long form, short name and junction', () => {
    const root = fc.constantFrom(
      'Users\\Ann\\Long Project Name',
      'users\\ANN\\long project name',
      'Users\\Ann\\LONGPR~1',
      'users\\ann\\longpr~1',
    )
    const drive = fc.constantFrom('C:\\', 'c:\\', '\\\\?\\C:\\', '\\\\.\\c:\\')
    const below = fc.constantFrom('', '\\', '\\src', '\\SRC\\not there')
    const way = fc.tuple(drive, root, below).map((parts) => parts.join(''))
    fc.assert(
      fc.property(
        fc.oneof(way, fc.constant('d:\\Junction\\src')),
        fc.boolean(),
        (name, slashes) => {
          const entered = slashes ? name.replaceAll('\\', '/') : name
          expect(projectKeysOf(entered, home, files)?.key).toBe(key)
        },
      ),
    )
    expect(projectKeysOf('C:\\Users\\Ann\\Long Project Name. ', home, files)?.key).toBe(key)
    expect(projectKeyOf('C:\\Users\\Ann\\Long Project Name', 'win32')).toBe(
      projectKeyOf('c:/users/ann/long project name/', 'win32'),
    )
    expect(projectKeysOf('\\\\?\\UNC\\Server\\Share\\team', home, files)?.key).toBe(
      projectKeyOf('\\\\server\\share\\Team', 'win32'),
    )
  })

  it('is found again where it was kept by the long form or, entered so, by the short name', () => {
    const older = (root: string) => ({ fences: { [projectKeyOf(root, 'win32')]: ['a'] } })
    const real = projectKeysOf('C:\\Users\\Ann\\Long Project Name', home, files)
    expect(fenceOf(older('\\\\?\\C:\\Users\\Ann\\Long Project Name'), real)).toEqual(['a'])
    const short = projectKeysOf('C:\\Users\\Ann\\LONGPR~1', home, files)
    expect(fenceOf(older('C:\\Users\\Ann\\LONGPR~1'), short)).toEqual(['a'])
    expect(projectKeysOf('\\\\server\\share\\Team', home, files)?.aliases).toContain(
      projectKeyOf('\\\\?\\UNC\\server\\share\\team', 'win32'),
    )
  })

  it('is none in the home folder, and its folder is shown without a long form', () => {
    for (const entered of ['C:\\Users\\Ann', '\\\\?\\C:\\USERS\\ann', 'c:/users/ann/.opencode'])
      expect(projectKeysOf(entered, home, files), entered).toBeUndefined()
    expect(findProjectRoot('//?/C:/Users/Ann/Long Project Name/src', home, files)).toBe(
      'C:\\Users\\Ann\\Long Project Name',
    )
  })
})

describe('the key of a project on macOS (a stand-in for the disk)', () => {
  const disk = {
    platform: 'darwin' as const,
    names: [
      '/Users/Ann/.opencode/',
      '/Users/Ann/Work/.git',
      '/Users/Ann/Café/package.json',
      '/private/var/work/.git',
      '/private/tmp/',
    ],
    links: { '/var': 'private/var', '/tmp': 'private/tmp' },
  }

  it.each([true, false])(
    'is one for /var and /private/var, for every case and composition (real names told: %s)',
    (tellsCase) => {
      const files = fakeDisk({ ...disk, tellsCase })
      const keyAt = (entered: string) => projectKeysOf(entered, '/Users/ann', files)?.key
      expect(keyAt('/var/work')).toBe(projectKeyOf('/private/var/work', 'darwin'))
      expect(keyAt('/private/var/work')).toBe(keyAt('/var/work'))
      expect(keyAt('/users/ANN/work')).toBe(keyAt('/Users/Ann/Work'))
      expect(keyAt('/Users/ann/CAFÉ'.normalize('NFD'))).toBe(keyAt('/Users/Ann/Café'))
      expect(keyAt('/USERS/ann')).toBeUndefined()
      if (tellsCase)
        expect(keyAt('/users/ann/work')).toBe(projectKeyOf('/Users/Ann/Work', 'darwin'))
    },
  )

  it('keeps the rules that were kept under the linked path, under lower case, and below the data volume', () => {
    const files = fakeDisk({
      ...disk,
      names: [...disk.names, '/System/Volumes/Data/Users/'],
      mounts: { '/System/Volumes/Data/Users': '/Users' },
    })
    const older = (root: string) => ({ fences: { [projectKeyOf(root, 'darwin')]: ['a'] } })
    const there = projectKeysOf('/private/var/work', '/Users/Ann', files)
    expect(fenceOf(older('/var/work'), there)).toEqual(['a'])
    const work = projectKeysOf('/Users/Ann/Work', '/Users/Ann', files)
    for (const former of ['/users/ann/work', '/System/Volumes/Data/Users/Ann/Work'])
      expect(fenceOf(older(former), work), former).toEqual(['a'])
    expect(fenceOf(older('/Users/Ann/Other'), work)).toBeUndefined()
  })

  it('is two on a volume that tells cases apart, and neither has the rules of the other', () => {
    const files = fakeDisk({
      ...disk,
      names: ['/Volumes/Exact/Work/.git', '/Volumes/Exact/work/.git'],
      isExact: (folder) => folder.startsWith('/Volumes/Exact'),
    })
    const [upper, lower] = ['Work', 'work'].map((name) =>
      projectKeysOf(`/Volumes/Exact/${name}`, '/Users/Ann', files),
    )
    expect(upper?.key).not.toBe(lower?.key)
    expect([...(upper?.aliases ?? []), ...(lower?.aliases ?? [])]).not.toEqual(
      expect.arrayContaining([upper?.key]),
    )
    expect(upper?.aliases).not.toContain(lower?.key)
  })
})

describe('rules and pools under keys of before', () => {
  const project = { key: 'new', aliases: ['old', 'older'], above: ['around'] }
  const uids = fc.subarray(['a', 'b', 'c', 'd'])
  const fences = fc.dictionary(fc.constantFrom('new', 'old', 'older', 'around', 'other'), uids)

  it('never let more through than each of them: the strictest of all fences of a project counts', () => {
    fc.assert(
      fc.property(fences, (kept) => {
        const counting = Object.entries(kept).filter(([key]) => key !== 'other')
        const found = fenceOf({ fences: kept }, project)
        expect(found === undefined).toBe(counting.length === 0)
        for (const [key, fence] of counting)
          expect(
            found?.every((uid) => fence.includes(uid)),
            key,
          ).toBe(true)
      }),
    )
  })

  it('move to the one key at the next edit, and lose nothing of another project', () => {
    fc.assert(
      fc.property(fences, uids, (kept, wanted) => {
        const { around, other } = kept
        expect(withFence({ fences: kept }, project, wanted).fences).toEqual({
          ...(around && { around }),
          ...(other && { other }),
          new: wanted,
        })
      }),
    )
  })

  it('have the hard pin before the soft one, whichever key it is under', () => {
    const mode = fc.constantFrom('soft' as const, 'hard' as const)
    const pins = fc.dictionary(
      fc.constantFrom('new', 'old', 'around'),
      fc.record({ uid: fc.constantFrom('a', 'b'), mode }),
    )
    fc.assert(
      fc.property(pins, (projectPins) => {
        const hard = Object.values(projectPins).some((pin) => pin.mode === 'hard')
        const found = projectPinOf({ projectPins }, project)
        expect(found?.mode).toBe(
          Object.keys(projectPins).length === 0 ? undefined : hard ? 'hard' : 'soft',
        )
      }),
    )
  })

  it.skipIf(process.platform === 'win32')(
    'give every way into a project the same pool, and a worktree its own where it has one',
    async () => {
      const { home, repo } = await homeWithRepository()
      const tree = path.join(realPathOf(home), 'tree')
      git(repo, 'worktree', 'add', '-q', '-b', 'one', tree)
      const paths = resolvePaths({ HOME: home })
      const pool = async (root: string): Promise<string> => {
        const file = projectAccountsFile(paths, projectKeyOf(root))
        await mkdir(path.dirname(file), { recursive: true })
        await writeFile(file, '{"version":3,"accounts":[]}')
        return file
      }
      const scopes = (): readonly string[] =>
        [repo, path.join(repo, 'src'), tree].map((at) => resolvePoolScope(paths, at, true).file)
      const main = await pool(repo)
      expect(scopes()).toEqual([main, main, main])
      const own = await pool(tree)
      expect(scopes()).toEqual([main, main, own])
      expect(resolvePoolScope(paths, tree, true).passedOver).toEqual([])
    },
  )

  it.skipIf(process.platform === 'win32')(
    'lose no account file: one that another of the project keeps from being used is named by doctor',
    async () => {
      const { home, repo } = await homeWithRepository()
      const link = path.join(home, 'link')
      await symlink(repo, link)
      const paths = resolvePaths({ HOME: home })
      const [own, older] = [repo, link].map((root) =>
        projectAccountsFile(paths, projectKeyOf(root)),
      )
      for (const file of [own, older]) await writePool(file ?? '', [anAccount('a')])
      expect(resolvePoolScope(paths, link, true)).toMatchObject({ file: own, passedOver: [older] })
      const { stdout } = await runCli(home, ['doctor', '--json'], { directory: link })
      expect(stdout).toContain(`${older} holds accounts of this project too`)
    },
  )
})
