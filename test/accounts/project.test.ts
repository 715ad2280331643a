import { execFileSync } from 'node:child_process'
import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import {
  findProjectRoot,
  projectAccountsFile,
  projectKeyOf,
  projectKeysOf,
  resolvePoolScope,
} from '../../lib/accounts/project/project.js'
import { fenceOf, projectPinOf, withFence, withProjectPin } from '../../lib/accounts/rules.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { canonicalPath } from '../../lib/kernel/files/same-path.js'
import { git, homeWithRepository } from '../support/git.js'
import { runCli } from '../support/run-cli.js'
import { temporaryFolder } from '../support/temporary.js'
import { homeIn } from '../support/home.js'

describe.skipIf(process.platform === 'win32')('the keys of a project', () => {
  it('are those of the earlier plugin for a folder that is what it is called', async () => {
    const { home, repo } = await homeWithRepository()
    expect(projectKeysOf(path.join(repo, 'src'), home)).toEqual({
      key: projectKeyOf(repo),
      aliases: [],
      above: [],
    })
  })

  it('are the same through a link to the project, to a folder inside it, and to a folder above it', async () => {
    const { home, repo } = await homeWithRepository()
    await symlink(repo, path.join(home, 'link'))
    await symlink(path.join(repo, 'src'), path.join(home, 'inner'))
    await symlink(home, path.join(home, 'var'))
    for (const entered of ['link', 'link/src', 'inner', 'var/repo', 'var/link/src'])
      expect(projectKeysOf(path.join(home, entered), home)?.key, entered).toBe(projectKeyOf(repo))
    expect(projectKeysOf(path.join(home, 'link'), home)?.aliases).toEqual([
      projectKeyOf(path.join(home, 'link')),
    ])
  })

  it('are those of the main repository in each of its worktrees, in their parts too', async () => {
    const { home, repo } = await homeWithRepository()
    await mkdir(path.join(repo, 'part'))
    await writeFile(path.join(repo, 'part', 'package.json'), '{}')
    git(repo, 'add', '.')
    git(repo, 'commit', '-qm', 'b')
    const [outside, inside] = [path.join(home, 'elsewhere'), path.join(repo, '.trees', 'x')]
    git(repo, 'worktree', 'add', '-q', '-b', 'one', outside)
    git(repo, 'worktree', 'add', '-q', '-b', 'two', inside)
    for (const tree of [outside, inside]) {
      expect(projectKeysOf(path.join(tree, 'src'), home)).toEqual({
        key: projectKeyOf(repo),
        aliases: [projectKeyOf(tree)],
        above: [],
      })
      expect(projectKeysOf(path.join(tree, 'part'), home)).toMatchObject({
        key: projectKeyOf(path.join(repo, 'part')),
        above: [projectKeyOf(repo), projectKeyOf(tree)],
      })
    }
  })

  it('are a submodule’s own', async () => {
    const { home, repo } = await homeWithRepository()
    const library = path.join(home, 'library')
    git(home, 'clone', '-q', repo, library)
    git(repo, 'submodule', 'add', '-q', library, 'sub')
    expect(projectKeysOf(path.join(repo, 'sub'), home)).toEqual({
      key: projectKeyOf(path.join(repo, 'sub')),
      aliases: [],
      above: [],
    })
  })

  it('are not those of a repository that a folder merely claims to be a worktree of', async () => {
    const { home, repo } = await homeWithRepository()
    git(repo, 'worktree', 'add', '-q', '-b', 'one', path.join(home, 'real'))
    const claim = async (name: string, gitDir: string): Promise<string | undefined> => {
      await mkdir(path.join(home, name), { recursive: true })
      await writeFile(path.join(home, name, '.git'), `gitdir: ${gitDir}\n`)
      return projectKeysOf(path.join(home, name), home)?.key
    }
    const forged = path.join(home, 'forged', 'git')
    await mkdir(forged, { recursive: true })
    await writeFile(path.join(forged, 'commondir'), path.join(repo, '.git'))
    await writeFile(path.join(forged, 'gitdir'), path.join(home, 'b', '.git'))
    expect(await claim('a', path.join(repo, '.git', 'worktrees', 'real'))).toBe(
      projectKeyOf(path.join(home, 'a')),
    )
    expect(await claim('b', forged)).toBe(projectKeyOf(path.join(home, 'b')))
    expect(await claim('c', '/dev/zero')).toBe(projectKeyOf(path.join(home, 'c')))
    expect(await claim('d', 'x'.repeat(100_000))).toBe(projectKeyOf(path.join(home, 'd')))
  })

  it('do not hang on a pipe in the place of a git link', async () => {
    const home = await temporaryFolder()
    await mkdir(path.join(home, 'work'))
    execFileSync('mkfifo', [path.join(home, 'work', '.git')])
    expect(projectKeysOf(path.join(home, 'work'), home)?.key).toBe(
      projectKeyOf(canonicalPath(path.join(home, 'work'))),
    )
  })

  it('are none in the home folder, by whatever path the home is named', async () => {
    const home = await temporaryFolder()
    await mkdir(path.join(home, '.opencode'))
    await symlink(home, path.join(home, 'same'))
    expect([
      projectKeysOf(home, path.join(home, 'same')),
      projectKeysOf(path.join(home, 'same'), home),
      findProjectRoot(path.join(home, 'same'), home),
    ]).toEqual([undefined, undefined, undefined])
  })

  it('find a pool that was kept under the path as it was written', async () => {
    const { home, repo } = await homeWithRepository()
    await symlink(repo, path.join(home, 'link'))
    const paths = resolvePaths(homeIn(home))
    const file = projectAccountsFile(paths, projectKeyOf(path.join(home, 'link')))
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, '{"version":3,"accounts":[]}')
    expect(resolvePoolScope(paths, path.join(home, 'link'), true)).toMatchObject({
      kind: 'project',
      file,
    })
    await mkdir(path.dirname(projectAccountsFile(paths, projectKeyOf(repo))), { recursive: true })
    await rename(file, projectAccountsFile(paths, projectKeyOf(repo)))
    expect(resolvePoolScope(paths, path.join(home, 'link', 'src'), true).kind).toBe('project')
  })
})

describe('a fence', () => {
  const project = { key: 'new', aliases: ['old', 'older'], above: ['around'] }

  it('never stops to count because the folder was entered by another path: of several the stricter applies', () => {
    expect(fenceOf({ fences: { old: ['a'] } }, project)).toEqual(['a'])
    expect(
      fenceOf({ fences: { new: ['a', 'b'], older: ['b', 'c'], around: ['b'] } }, project),
    ).toEqual(['b'])
    expect(fenceOf({ fences: { new: ['a'], old: ['b'] } }, project)).toEqual([])
    expect(fenceOf({ fences: { other: ['a'] } }, project)).toBeUndefined()
    expect(fenceOf({ fences: { new: ['a'] } }, undefined)).toBeUndefined()
  })

  it('is kept under the new key at its next edit, and that of the repository around it stays', () => {
    const rules = { fences: { old: ['a'], around: ['a', 'b'], other: ['c'] } }
    expect(withFence(rules, project, ['b', 'b']).fences).toEqual({
      new: ['b'],
      around: ['a', 'b'],
      other: ['c'],
    })
    expect(withFence(rules, project, undefined).fences).toEqual({
      around: ['a', 'b'],
      other: ['c'],
    })
  })

  it('goes like a pin, of which the hard one counts', () => {
    const rules = {
      projectPins: {
        new: { uid: 'a', mode: 'soft' as const },
        old: { uid: 'b', mode: 'hard' as const },
      },
    }
    expect(projectPinOf(rules, project)).toEqual({ uid: 'b', mode: 'hard' })
    expect(withProjectPin(rules, project, { uid: 'c', mode: 'soft' }).projectPins).toEqual({
      new: { uid: 'c', mode: 'soft' },
    })
    expect(withProjectPin(rules, project, undefined).projectPins).toEqual({})
  })

  it.skipIf(process.platform === 'win32')(
    'set through a link holds in the folder itself, in a part of it and in a worktree, and is lifted from there',
    async () => {
      const { home, repo } = await homeWithRepository()
      await writeFile(path.join(repo, 'src', 'package.json'), '{}')
      git(repo, 'worktree', 'add', '-q', '-b', 'one', path.join(home, 'tree'))
      await symlink(repo, path.join(home, 'link'))
      const file = path.join(home, '.opencode', 'oc-codex-multi-auth-accounts.json')
      await mkdir(path.dirname(file))
      const account = (uid: string) => ({
        uid,
        accountLabel: uid,
        refreshToken: `rt_${uid}`,
        accountId: uid,
        addedAt: 1,
        lastUsed: 0,
      })
      await writeFile(
        file,
        JSON.stringify({
          version: 3,
          accounts: [account('work'), account('private')],
          activeIndex: 0,
        }),
      )
      const fences = async (): Promise<unknown> =>
        JSON.parse(await readFile(file, 'utf8')).rules?.fences
      const pool = async (directory: string, ...args: string[]): Promise<string> =>
        (await runCli(home, ['pool', ...args], { directory })).stdout
      await pool(path.join(home, 'link'), '--action', 'fence', '--accounts', '1')
      expect(await fences()).toEqual({ [projectKeyOf(repo)]: ['work'] })
      for (const entered of [
        repo,
        path.join(home, 'link'),
        path.join(home, 'tree'),
        path.join(repo, 'src'),
      ])
        expect(await pool(entered), entered).toContain(
          'Only these may serve this project: Account 1 (work).',
        )
      expect(await pool(path.join(repo, 'src'), '--action', 'unfence')).toContain(
        'That is the fence of the repository around this folder',
      )
      await pool(path.join(home, 'tree'), '--action', 'unfence')
      expect(await fences()).toBeUndefined()
    },
  )
})
