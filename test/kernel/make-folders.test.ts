import type { mkdir } from 'node:fs/promises'
import { rm, stat, symlink } from 'node:fs/promises'
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

  it.skipIf(process.platform === 'win32')(
    'behind a link to nothing are missing, as they were',
    async () => {
      const root = await temporaryFolder()
      await symlink(path.join(root, 'none', 'there'), path.join(root, 'link'))
      await expect(makeFolders(path.join(root, 'link'))).rejects.toMatchObject({ code: 'ENOENT' })
      await rm(path.join(root, 'link'))
    },
  )
})
