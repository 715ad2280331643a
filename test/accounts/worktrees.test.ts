import { cp, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { projectKeyOf, projectKeysOf } from '../../lib/accounts/project/project.js'
import { fenceOf, projectPinOf, withProjectPin } from '../../lib/accounts/rules.js'
import { realPathOf } from '../../lib/kernel/files/real-path.js'
import { git, homeWithRepository } from '../support/git.js'

const keyAt = (folder: string, home: string): string | undefined => projectKeysOf(folder, home)?.key

/** A repository with a submodule `sub` in it. */
async function withSubmodule(): Promise<{ home: string; repo: string }> {
  const found = await homeWithRepository()
  git(found.home, 'clone', '-q', found.repo, 'library')
  git(found.repo, 'submodule', 'add', '-q', path.join(found.home, 'library'), 'sub')
  git(found.repo, 'commit', '-qm', 's')
  return found
}

/** A bare repository in a folder that says so, as people keep it who work in worktrees only. */
async function container(): Promise<{ home: string; root: string }> {
  const { home, repo } = await homeWithRepository()
  const root = path.join(realPathOf(home), 'project')
  git(home, 'clone', '-q', '--bare', repo, path.join(root, '.bare'))
  await writeFile(path.join(root, '.git'), 'gitdir: ./.bare\n')
  git(root, 'worktree', 'add', '-q', '-b', 'one', 'one')
  git(root, 'worktree', 'add', '-q', '-b', 'two', path.join(home, 'two'))
  return { home, root }
}

describe.skipIf(process.platform === 'win32')('a project with worktrees is one', () => {
  it('where git keeps relative paths between them', async () => {
    const { home, repo } = await homeWithRepository()
    const tree = path.join(realPathOf(home), 'tree')
    git(repo, 'worktree', 'add', '-q', '-b', 'one', tree)
    const admin = path.join(repo, '.git', 'worktrees', 'tree')
    await writeFile(path.join(tree, '.git'), `gitdir: ${path.relative(tree, admin)}\r\n`)
    await writeFile(path.join(admin, 'gitdir'), `${path.relative(admin, tree)}/.git\n`)
    expect(keyAt(tree, home)).toBe(projectKeyOf(repo))
  })

  it('where the worktree was moved by git', async () => {
    const { home, repo } = await homeWithRepository()
    git(repo, 'worktree', 'add', '-q', '-b', 'one', path.join(home, 'tree'))
    git(repo, 'worktree', 'move', path.join(home, 'tree'), path.join(home, 'moved'))
    expect(keyAt(path.join(home, 'moved'), home)).toBe(projectKeyOf(repo))
  })

  it('also in the worktrees of a submodule, with and without settings of their own', async () => {
    const { home, repo } = await withSubmodule()
    const sub = path.join(repo, 'sub')
    git(sub, 'worktree', 'add', '-q', '-b', 'one', path.join(home, 'tree'))
    expect(keyAt(sub, home)).toBe(projectKeyOf(sub))
    expect(projectKeysOf(path.join(home, 'tree'), home)).toMatchObject({
      key: projectKeyOf(sub),
      aliases: expect.arrayContaining([
        projectKeyOf(path.join(repo, '.git', 'modules', 'sub')),
      ]) as unknown,
    })
    git(sub, 'config', 'extensions.worktreeConfig', 'true')
    git(sub, 'config', '--worktree', 'core.worktree', '../../../sub')
    git(
      sub,
      'config',
      '--file',
      path.join(repo, '.git', 'modules', 'sub', 'config'),
      '--unset',
      'core.worktree',
    )
    expect(keyAt(path.join(home, 'tree'), home)).toBe(projectKeyOf(sub))
  })

  it('also in the submodules of a worktree, and in theirs', async () => {
    const { home, repo } = await withSubmodule()
    git(home, 'clone', '-q', repo, 'outer')
    git(path.join(home, 'outer'), 'submodule', 'add', '-q', repo, 'middle')
    git(path.join(home, 'outer'), 'commit', '-qm', 'o')
    git(path.join(home, 'outer'), 'submodule', 'update', '-q', '--init', '--recursive')
    git(path.join(home, 'outer'), 'worktree', 'add', '-q', '-b', 'x', path.join(home, 'tree'))
    git(path.join(home, 'tree'), 'submodule', 'update', '-q', '--init', '--recursive')
    const main = path.join(realPathOf(home), 'outer')
    for (const part of ['', 'sub', 'middle', 'middle/sub'])
      expect(keyAt(path.join(home, 'tree', part), home), part).toBe(
        projectKeyOf(path.join(main, part)),
      )
  })

  it('also where the repository is bare and lies in the folder around them', async () => {
    const { home, root } = await container()
    for (const folder of [root, path.join(root, 'one'), path.join(home, 'two')])
      expect(projectKeysOf(folder, home), folder).toMatchObject({
        key: projectKeyOf(root),
        aliases: expect.arrayContaining([projectKeyOf(path.join(root, '.bare'))]) as unknown,
      })
  })

  it('also where the repository is bare and lies alone', async () => {
    const { home, repo } = await homeWithRepository()
    const bare = path.join(realPathOf(home), 'project.git')
    git(home, 'clone', '-q', '--bare', repo, bare)
    for (const name of ['one', 'two']) {
      git(bare, 'worktree', 'add', '-q', '-b', name, path.join(home, name))
      expect(keyAt(path.join(home, name), home)).toBe(projectKeyOf(bare))
    }
  })
})

describe.skipIf(process.platform === 'win32')(
  'a folder that only says it is a part of a repository',
  () => {
    it('has a key of its own, and the fence of that repository counts: it was moved by hand, or it lies', async () => {
      const { home, repo } = await homeWithRepository()
      git(repo, 'worktree', 'add', '-q', '-b', 'one', path.join(home, 'tree'))
      await rename(path.join(home, 'tree'), path.join(home, 'moved'))
      const moved = path.join(realPathOf(home), 'moved')
      await mkdir(path.join(moved, 'part'))
      await writeFile(path.join(moved, 'part', 'package.json'), '{}')
      for (const part of ['', 'part']) {
        const keys = projectKeysOf(path.join(moved, part), home)
        expect(keys?.key).toBe(projectKeyOf(path.join(moved, part)))
        expect(fenceOf({ fences: { [projectKeyOf(path.join(repo, part))]: ['a'] } }, keys)).toEqual(
          ['a'],
        )
      }
      const keys = projectKeysOf(moved, home)
      const pins = { projectPins: { [projectKeyOf(repo)]: { uid: 'a', mode: 'hard' as const } } }
      expect(projectPinOf(pins, keys)).toBeUndefined()
      expect(keys && withProjectPin(pins, keys, undefined)).toEqual(pins)
      git(repo, 'worktree', 'repair', moved)
      expect(keyAt(moved, home)).toBe(projectKeyOf(repo))
    })

    it('is fenced with the worktrees of a repository that was set apart from its folder', async () => {
      const { home } = await homeWithRepository()
      const [apart, root] = [
        path.join(realPathOf(home), 'apart'),
        path.join(realPathOf(home), 'root'),
      ]
      git(home, 'init', '-q', '--separate-git-dir', apart, root)
      git(root, 'commit', '-q', '--allow-empty', '-m', 'a')
      git(root, 'worktree', 'add', '-q', '-b', 'one', path.join(home, 'tree'))
      const key = keyAt(path.join(home, 'tree'), home) ?? ''
      expect(key).toBe(projectKeyOf(apart))
      expect(projectKeysOf(root, home)).toMatchObject({ key: projectKeyOf(root), claimed: [key] })
    })

    it('cannot name the submodule of another as its own', async () => {
      const { home, repo } = await withSubmodule()
      const copy = path.join(realPathOf(home), 'copy')
      await cp(path.join(repo, 'sub'), copy, { recursive: true })
      const text = await readFile(path.join(copy, '.git'), 'utf8')
      await writeFile(path.join(copy, '.git'), text.replace('../', `${repo}/`))
      expect(keyAt(copy, home)).toBe(projectKeyOf(copy))
      expect(keyAt(path.join(repo, 'sub'), home)).toBe(projectKeyOf(path.join(repo, 'sub')))
    })

    it('ends where a repository names itself or another in a circle', async () => {
      const { home, repo } = await homeWithRepository()
      const at = (name: string): string => path.join(realPathOf(home), name)
      for (const [name, other] of [
        ['x', 'y'],
        ['y', 'x'],
        ['z', 'z'],
      ] as const) {
        await mkdir(at(`${name}/git/worktrees/w`), { recursive: true })
        await writeFile(at(`${name}/.git`), `gitdir: ${at(`${other}/git`)}`)
        await writeFile(at(`${name}/git/commondir`), at(`${other}/git`))
        await writeFile(at(`${name}/git/gitdir`), at(`${other}/.git`))
        await writeFile(at(`${name}/git/config`), `[core]\n\tworktree = ${at(other)}\n`)
      }
      for (const name of ['x', 'y', 'z']) expect(keyAt(at(name), home)).toBe(projectKeyOf(at(name)))
      expect(keyAt(repo, home)).toBe(projectKeyOf(repo))
    })
  },
)
