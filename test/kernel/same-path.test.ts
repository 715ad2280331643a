import { mkdir, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  canonicalPath,
  isInside,
  isSamePath,
  plainPath,
  systemFiles,
} from '../../lib/kernel/files/same-path.js'
import { fakeDisk } from '../support/fake-disk.js'
import { temporaryFolder } from '../support/temporary.js'

const isWindows = process.platform === 'win32'

/** Every letter in a case of its own choice. */
const inAnyCase = (text: string): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((turns) =>
      Array.from(text, (letter, at) =>
        turns[at] ? letter.toUpperCase() : letter.toLowerCase(),
      ).join(''),
    )

describe('one spelling of a path on Windows (a stand-in for the disk)', () => {
  const files = fakeDisk({
    platform: 'win32',
    names: [
      'C:\\Program Files\\App\\',
      'C:\\Users\\Ann\\Work\\src\\',
      'C:\\Users\\Ann\\Work\\package.json',
      'D:\\',
      '\\\\server\\share\\Team\\',
    ],
    links: { 'C:\\Users\\Ann\\junction': 'C:\\Users\\Ann\\Work' },
    mounts: { 'S:\\Work': 'C:\\Users\\Ann\\Work' },
    short: { 'C:\\Program Files': 'PROGRA~1' },
  })

  it.each([
    ['C:\\Users\\Ann\\Work', 'c:/users/ann/work/'],
    ['C:\\Users\\Ann\\Work', '\\\\?\\C:\\Users\\Ann\\Work'],
    ['C:\\Users\\Ann\\Work', '//?/c:/users/ANN/work'],
    ['C:\\Users\\Ann\\Work', '\\\\.\\C:\\Users\\Ann\\Work'],
    ['C:\\Users\\Ann\\Work', 'C:\\Users\\Ann\\Work\\\\'],
    ['C:\\Users\\Ann\\Work', 'C:\\Users\\Ann\\Work. .'],
    ['C:\\Users\\Ann\\Work\\src', 'C:\\Users\\Ann\\Work.\\src '],
    ['C:\\Users\\Ann\\Work', 'C:\\Users\\Ann\\.\\x\\..\\Work'],
    ['C:\\Users\\Ann\\Work\\src', 'C:\\users\\ann\\JUNCTION\\SRC'],
    ['C:\\Program Files\\App', 'c:\\progra~1\\app'],
    ['\\\\server\\share\\Team', '\\\\?\\UNC\\SERVER\\Share\\team'],
    ['\\\\server\\share\\Team', '//Server/SHARE/Team/'],
    ['C:\\', 'c:/'],
    ['D:\\', '\\\\?\\D:\\'],
  ])('%s is also %s', (real, other) => {
    expect(canonicalPath(other, files)).toBe(real)
    expect(isSamePath(other, real, files)).toBe(true)
  })

  it('is told by the number of the folder where a drive stands for one', () => {
    expect(isSamePath('S:\\Work\\src', 'C:\\Users\\Ann\\Work\\src', files)).toBe(true)
    expect(isSamePath('S:\\Work\\new', 'C:\\Users\\Ann\\Work\\NEW', files)).toBe(true)
    expect(isSamePath('S:\\Work', 'C:\\Users\\Ann', files)).toBe(false)
  })

  it('is one for what is still to be made, in every case and form', () => {
    fc.assert(
      fc.property(
        inAnyCase('C:\\Users\\Ann\\Work\\new folder\\file.json'),
        fc.constantFrom('', '\\\\?\\', '\\\\.\\'),
        fc.boolean(),
        (name, form, hasSlashes) => {
          const file = form + name
          expect(canonicalPath(hasSlashes ? file.replaceAll('\\', '/') : file, files)).toBe(
            'C:\\Users\\Ann\\Work\\new folder\\file.json',
          )
        },
      ),
    )
  })

  it('keeps apart what the disk keeps apart: a name that ends in a dot, a folder that tells cases apart, a device', () => {
    const exact = fakeDisk({
      platform: 'win32',
      names: ['C:\\a.\\', 'C:\\a\\', 'C:\\linux\\Work\\', 'C:\\linux\\work\\'],
      isExact: (folder) => folder === 'C:\\linux',
    })
    expect(isSamePath('C:\\a', '\\\\?\\C:\\a.', exact)).toBe(false)
    expect(isSamePath('C:\\a', 'C:\\a.', exact)).toBe(false)
    expect(isSamePath('C:\\linux\\Work', 'C:\\linux\\work', exact)).toBe(false)
    expect(plainPath('\\\\.\\pipe\\x', 'win32')).toBe('\\\\.\\pipe\\x')
    expect(plainPath('\\\\?\\Volume{1}\\x', 'win32')).toBe('\\\\?\\Volume{1}\\x')
  })

  it('is found by the names alone where a disk cannot tell real paths', () => {
    const mute = fakeDisk({ platform: 'win32', names: ['R:\\Work\\Src\\'], isMute: true })
    expect(isSamePath('r:/work/src', 'R:\\Work\\Src', mute)).toBe(true)
    expect(isSamePath('\\\\?\\R:\\WORK', 'R:\\Work', mute)).toBe(true)
  })

  it('is the same when it is asked again of its own answer, and has no form but the plain one', () => {
    const part = fc.constantFrom('Users', 'ANN', 'work', 'new', 'junction', 'progra~1', '..', 'a.b')
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 6 }),
        fc.constantFrom('C:', 'c:', '\\\\?\\C:'),
        (parts, drive) => {
          const once = canonicalPath([drive, ...parts, ''].join('\\'), files)
          expect(canonicalPath(once, files)).toBe(once)
          expect(once).toMatch(/^C:\\/)
        },
      ),
    )
  })
})

describe('one spelling of a path on macOS (a stand-in for the disk)', () => {
  const cafe = 'Café'
  const disk = {
    platform: 'darwin' as const,
    names: [
      '/Users/Ann/Work/src/',
      `/Users/Ann/${cafe.normalize('NFD')}/`,
      '/private/var/folders/x/',
      '/private/tmp/',
      '/private/etc/',
      '/System/Volumes/Data/Users/',
    ],
    links: { '/var': 'private/var', '/tmp': 'private/tmp', '/etc': 'private/etc' },
    mounts: { '/System/Volumes/Data/Users': '/Users' },
  }

  describe.each([true, false])('that tells the name on the disk: %s', (tellsCase) => {
    const files = fakeDisk({ ...disk, tellsCase })

    it('is one for every case, and for composed and decomposed letters', () => {
      fc.assert(
        fc.property(inAnyCase('/users/ann/work/src'), (file) => {
          expect(isSamePath(file, '/Users/Ann/Work/src', files)).toBe(true)
        }),
      )
      expect(canonicalPath('/users/ann/work', files)).toBe(
        tellsCase ? '/Users/Ann/Work' : '/users/ann/work',
      )
      for (const form of ['NFC', 'NFD'])
        expect(isSamePath(`/users/ANN/${cafe.normalize(form)}`, `/Users/Ann/${cafe}`, files)).toBe(
          true,
        )
    })

    it('is one for /var, /tmp and /etc and what they lead to, also for what is not there', () => {
      for (const name of ['/var/folders/x', '/tmp', '/tmp/new/file', '/etc/New'])
        expect(isSamePath(name, `/private${name}`, files), name).toBe(true)
      expect(canonicalPath('/var/folders/x', files)).toBe('/private/var/folders/x')
    })

    it('is one for what is still to be made, in every case and composition', () => {
      const name = `/Users/Ann/Work/${cafe}.json`
      expect(isSamePath(name.normalize('NFD').toUpperCase(), name, files)).toBe(true)
    })
  })

  it('is the short one for the data volume, where the system shows the same folder at both places', () => {
    const files = fakeDisk({
      ...disk,
      names: [...disk.names, '/System/Volumes/Data/Users/Ann/Work/', '/System/Volumes/Data/other/'],
    })
    expect(canonicalPath('/System/Volumes/Data/Users/Ann/Work', files)).toBe('/Users/Ann/Work')
    expect(canonicalPath('/System/Volumes/Data/other', files)).toBe('/System/Volumes/Data/other')
  })

  it('differs by case on a volume that tells cases apart, and by composition on none', () => {
    const files = fakeDisk({
      ...disk,
      names: ['/Users/Ann/Work/', '/Volumes/Exact/Work/', '/Volumes/Exact/work/'],
      isExact: (folder) => folder.startsWith('/Volumes/Exact'),
    })
    expect(isSamePath('/Volumes/Exact/Work', '/Volumes/Exact/work', files)).toBe(false)
    expect(isSamePath('/users/ann/WORK', '/Users/Ann/Work', files)).toBe(true)
  })
})

describe('one spelling of a path on a Linux that mounts a Windows disk (a stand-in for the disk)', () => {
  const files = fakeDisk({
    platform: 'linux',
    names: ['/home/Ann/Work/', '/home/ann/Work/', '/mnt/c/Users/Ann/Work/'],
    tellsCase: false,
    isExact: (folder) => !folder.startsWith('/mnt/c'),
  })

  it('folds the names of that disk and no others', () => {
    expect(canonicalPath('/mnt/c/Users/ANN/Work', files)).toBe('/mnt/c/users/ann/work')
    expect(isSamePath('/mnt/c/users/ann/work/New', '/mnt/c/Users/Ann/Work/new', files)).toBe(true)
    expect(isSamePath('/home/Ann/Work', '/home/ann/Work', files)).toBe(false)
    expect(isSamePath('/mnt/C/Users', '/mnt/c/Users', files)).toBe(false)
    expect(isSamePath('/home/Ann/new', '/home/Ann/NEW', files)).toBe(false)
  })
})

describe('one spelling of a path, whatever is in the way', () => {
  const files = fakeDisk({
    platform: 'linux',
    names: ['/a/b/c/', '/a/closed/inner/'],
    links: {
      '/a/one': 'two',
      '/a/two': 'one',
      '/a/dead': '/a/b/later',
      '/a/self': '.',
      '/a/in': 'closed/inner',
    },
    closed: ['/a/closed'],
  })

  it('ends at links in a circle, follows links to nothing, and leaves what cannot be read as it is written', () => {
    expect(isSamePath('/a/one', '/a/one/.', files)).toBe(true)
    expect(canonicalPath('/a/dead/x', files)).toBe('/a/b/later/x')
    expect(canonicalPath('/a/self/self/self/b', files)).toBe('/a/b')
    expect(canonicalPath('/a/closed/inner/x', files)).toBe('/a/closed/inner/x')
    expect(isSamePath('/a/in', '/a/closed/inner', files)).toBe(true)
  })
})

describe('paths of this machine', () => {
  it.skipIf(isWindows)(
    'are one through links, and for what is still to be made behind a link to nothing',
    async () => {
      const folder = canonicalPath(await temporaryFolder())
      await mkdir(path.join(folder, 'Work'))
      await symlink('Work', path.join(folder, 'link'))
      await symlink('later/deep', path.join(folder, 'dead'))
      const at = (name: string): string => path.join(folder, name)
      expect(canonicalPath(at('link/new'))).toBe(at('Work/new'))
      expect(canonicalPath(at('dead/new'))).toBe(at('later/deep/new'))
      expect(isSamePath(at('dead'), at('later/deep'))).toBe(true)
      expect(isSamePath(at('link/..'), folder)).toBe(true)
    },
  )

  it('are two where two names of a file are only linked to the same content', async () => {
    const folder = await temporaryFolder()
    await writeFile(path.join(folder, 'a'), '')
    await writeFile(path.join(folder, 'b'), '')
    expect(isSamePath(path.join(folder, 'a'), path.join(folder, 'b'))).toBe(false)
  })

  it('are asked for without writing anything, and an answer is the same again', async () => {
    const folder = await temporaryFolder()
    const once = canonicalPath(path.join(folder, 'None', 'x'))
    expect(canonicalPath(once)).toBe(once)
    expect(systemFiles.identity(path.join(folder, 'None'))).toBeUndefined()
  })
})

describe('inside a folder', () => {
  it.each([
    ['linux', '/a', '/a/..b/c', true],
    ['linux', '/a', '/a', true],
    ['linux', '/a', '/ab', false],
    ['linux', '/a/b', '/a', false],
    ['win32', 'C:\\A', 'c:\\a\\x', true],
    ['win32', 'C:\\A', 'D:\\A\\x', false],
    ['win32', '\\\\server\\share\\a', '\\\\server\\other\\a', false],
  ] as const)('on %s, %s: %s is %s', (platform, folder, file, isIn) => {
    expect(isInside(folder, file, platform)).toBe(isIn)
  })
})
