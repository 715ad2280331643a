import type { mkdir } from 'node:fs/promises'
import { stat, symlink, writeFile } from 'node:fs/promises'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { makeFolders } from '../../lib/kernel/make-folders.js'
import { temporaryFolder } from '../support/temporary.js'

type Mkdir = typeof mkdir

/** A disk without writes, as Linux and Node tell of it: nothing is made below `root`, and several folders at once are "missing". */
function takesNoWrites(root: string): void {
  const fs = createRequire(import.meta.url)('node:fs/promises') as { mkdir: Mkdir }
  const real = fs.mkdir
  const refuse = (async (folder: string, options?: { recursive?: boolean }) => {
    if (!folder.startsWith(root)) return real(folder, options)
    const above = await stat(path.dirname(folder)).catch(() => undefined)
    const code = options?.recursive === true || above === undefined ? 'ENOENT' : 'EROFS'
    throw Object.assign(new Error(`${code}: mkdir`), { code })
  }) as Mkdir
  fs.mkdir = refuse
  syncBuiltinESMExports()
  onTestFinished(() => {
    fs.mkdir = real
    syncBuiltinESMExports()
  })
}

describe('folders that are made', () => {
  it('are told by the first one, and by nothing where all are there', async () => {
    const root = await temporaryFolder()
    const folder = path.join(root, 'a', 'b', 'c')
    expect(await makeFolders(folder)).toBe(path.join(root, 'a'))
    expect((await stat(folder)).isDirectory()).toBe(true)
    expect(await makeFolders(folder)).toBeUndefined()
  })

  it('on a disk that takes no writes are refused with the reason, and not for something that is missing', async () => {
    const root = await temporaryFolder()
    takesNoWrites(root)
    for (const folder of [['a'], ['a', 'b', 'c']])
      await expect(makeFolders(path.join(root, ...folder))).rejects.toMatchObject({ code: 'EROFS' })
  })

  it.runIf(process.platform === 'linux')(
    'where nobody can make any are refused at once',
    async () => {
      await expect(makeFolders('/proc/none/below')).rejects.toMatchObject({ code: 'ENOENT' })
    },
  )

  it('are not made in the place of a file, nor below one', async () => {
    const file = path.join(await temporaryFolder(), 'file')
    await writeFile(file, '')
    await expect(makeFolders(file)).rejects.toMatchObject({ code: 'EEXIST' })
    await expect(makeFolders(path.join(file, 'below'))).rejects.toThrow()
  })

  it.skipIf(process.platform === 'win32')(
    'behind a link to a folder are those of the folder, and behind a link to nothing cannot be made',
    async () => {
      const root = await temporaryFolder()
      await symlink(root, path.join(root, 'link'))
      expect(await makeFolders(path.join(root, 'link'))).toBeUndefined()
      await symlink(path.join(root, 'none', 'there'), path.join(root, 'lost'))
      await expect(makeFolders(path.join(root, 'lost'))).rejects.toMatchObject({ code: 'EEXIST' })
    },
  )
})
