import { mkdir, realpath, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { realPathOf } from '../../lib/kernel/files/real-path.js'
import { onWindows, whereLinksAreFree } from '../support/platforms.js'
import { temporaryFolder } from '../support/temporary.js'

describe('realPathOf', () => {
  whereLinksAreFree(
    'follows a linked file, a linked folder, a chain of links and a relative link',
    async () => {
      const root = await realpath(await temporaryFolder())
      await mkdir(path.join(root, 'real', 'deep'), { recursive: true })
      const file = path.join(root, 'real', 'deep', 'pool.json')
      await writeFile(file, '')
      await symlink(file, path.join(root, 'link'))
      await symlink('link', path.join(root, 'chain'))
      await symlink(path.join(root, 'chain'), path.join(root, 'longer'))
      await symlink('real', path.join(root, 'folder'))
      for (const name of [
        'link',
        'chain',
        'longer',
        'folder/deep/pool.json',
        'folder/../real/deep/pool.json',
      ])
        expect(realPathOf(path.join(root, name)), name).toBe(file)
    },
  )

  whereLinksAreFree(
    'follows links to what is still to be made, so that the first writer and the second agree',
    async () => {
      const root = await realpath(await temporaryFolder())
      const file = path.join(root, 'real', 'missing', 'pool.json')
      await symlink(path.join(root, 'real'), path.join(root, 'folder'))
      await symlink('folder/missing/pool.json', path.join(root, 'link'))
      await symlink('link', path.join(root, 'chain'))
      for (const name of ['folder/missing/pool.json', 'link', 'chain', 'real/missing/pool.json'])
        expect(realPathOf(path.join(root, name)), name).toBe(file)
      await mkdir(path.dirname(file), { recursive: true })
      await writeFile(file, '')
      for (const name of ['folder/missing/pool.json', 'link', 'chain'])
        expect(realPathOf(path.join(root, name)), name).toBe(file)
    },
  )

  onWindows(
    'follows a junction, which every user may make, also to what is still to be made',
    async ({ skip }) => {
      const root = await realpath(await temporaryFolder())
      await mkdir(path.join(root, 'real'))
      const made = symlink(path.join(root, 'real'), path.join(root, 'folder'), 'junction')
      const code = await made.then(
        () => undefined,
        (error: unknown) => (error as NodeJS.ErrnoException).code,
      )
      if (code === 'ENOTSUP') skip('Wine makes no junctions')
      expect(code).toBeUndefined()
      const file = path.join(root, 'real', 'pool.json')
      expect(realPathOf(path.join(root, 'folder', 'pool.json'))).toBe(file)
      await writeFile(file, '')
      expect(realPathOf(path.join(root, 'folder', 'pool.json'))).toBe(file)
    },
  )

  it('leaves a path without links as it is, also where nothing exists', async () => {
    const root = await realpath(await temporaryFolder())
    expect(realPathOf(path.join(root, 'a', 'b', 'c'))).toBe(path.join(root, 'a', 'b', 'c'))
  })

  whereLinksAreFree('ends at links in a circle with the name of the trouble', async () => {
    const root = await temporaryFolder()
    await symlink('b', path.join(root, 'a'))
    await symlink('a', path.join(root, 'b'))
    expect(() => realPathOf(path.join(root, 'a'))).toThrow(
      expect.objectContaining({ code: 'ELOOP' }),
    )
  })
})
