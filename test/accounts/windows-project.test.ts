import { execFileSync } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, type TestContext } from 'vitest'

import { findProjectRoot, projectKeyOf, projectKeysOf } from '../../lib/accounts/project/project.js'
import { canonicalPath, isSamePath } from '../../lib/kernel/files/same-path.js'
import { realPathOf } from '../../lib/kernel/files/real-path.js'
import { planText } from '../../lib/personality/writing.js'
import { findProgram } from '../../lib/kernel/start-program.js'
import { temporaryFolder } from '../support/temporary.js'

/** A home with a project in it, on the real disk of a Windows. */
async function project(): Promise<{ home: string; root: string }> {
  const home = realPathOf(await temporaryFolder())
  const root = path.join(home, 'Project With Long Name')
  await mkdir(path.join(root, 'Source Folder'), { recursive: true })
  await writeFile(path.join(root, 'package.json'), '{}')
  return { home, root }
}

/** The short name that the disk keeps for a folder; the test is left out where it keeps none. */
function shortNameOf(folder: string, { skip }: TestContext): string {
  const listing = execFileSync('cmd', ['/c', 'dir', '/x', path.dirname(folder)], {
    encoding: 'utf8',
  })
  const line = listing.split(/\r?\n/).find((one) => one.trimEnd().endsWith(path.basename(folder)))
  const [, short] = /<DIR>\s+(\S*~\S*)\s/.exec(line ?? '') ?? []
  if (short === undefined) skip('this disk keeps no short names')
  return path.join(path.dirname(folder), short ?? '')
}

const waysInto = (root: string): readonly string[] => [
  root.toLowerCase(),
  root.toUpperCase(),
  root.replaceAll('\\', '/'),
  root.charAt(0).toLowerCase() + root.slice(1),
  `${root}\\`,
  `\\\\?\\${root}`,
  `\\\\?\\${root.toLowerCase()}`,
  `\\\\.\\${root}`,
  `//?/${root.replaceAll('\\', '/')}`,
  `${root}\\Source Folder\\..`,
]

describe.runIf(process.platform === 'win32')('a project on the disk of this Windows', () => {
  it('has the key of the earlier plugin by every way into it', async () => {
    const { home, root } = await project()
    for (const entered of waysInto(root)) {
      expect(projectKeysOf(entered, home)?.key, entered).toBe(projectKeyOf(root))
      expect(projectKeysOf(`${entered}/source FOLDER`, home)?.key, entered).toBe(projectKeyOf(root))
      expect(canonicalPath(entered), entered).toBe(root)
      expect(isSamePath(`${entered}/Still/Missing`, `${root}\\still\\missing`), entered).toBe(true)
      expect(findProjectRoot(entered, home), entered).not.toMatch(/^\\\\/)
    }
    for (const entered of waysInto(home))
      expect(projectKeysOf(entered, home), entered).toBeUndefined()
  })

  it('has it by its short name too, and by that of the folder above', async (context) => {
    const { home, root } = await project()
    const short = shortNameOf(root, context)
    expect(short).not.toBe(root)
    expect(projectKeysOf(short, home)?.key).toBe(projectKeyOf(root))
    expect(projectKeysOf(`\\\\?\\${short.toLowerCase()}\\Source Folder`, home)).toMatchObject({
      key: projectKeyOf(root),
    })
    expect(projectKeysOf(short, home)?.aliases).toContain(projectKeyOf(short))
    expect(isSamePath(path.join(short, 'new'), path.join(root, 'NEW'))).toBe(true)
  })

  it('has it through a junction', async ({ skip }) => {
    const { home, root } = await project()
    const junction = path.join(home, 'junction')
    const made = await symlink(root, junction, 'junction').then(
      () => true,
      () => false,
    )
    if (!made) skip('junctions cannot be made here')
    expect(projectKeysOf(path.join(junction, 'source folder'), home)?.key).toBe(projectKeyOf(root))
  })

  it('is one with a worktree of it, as git for Windows writes its files', async () => {
    const { home, root } = await project()
    const slashes = (file: string): string => file.replaceAll('\\', '/')
    const tree = path.join(home, 'Work Tree')
    const admin = path.join(root, '.git', 'worktrees', 'Work Tree')
    await mkdir(admin, { recursive: true })
    await mkdir(tree)
    await writeFile(path.join(tree, '.git'), `gitdir: ${slashes(admin).toLowerCase()}\n`)
    await writeFile(path.join(admin, 'gitdir'), `${slashes(tree)}/.git\n`)
    await writeFile(path.join(admin, 'commondir'), '../..\n')
    expect(projectKeysOf(tree.toUpperCase(), home)?.key).toBe(projectKeyOf(root))
  })

  it('takes a text of its own by every way into it: none of them leads out of it', async () => {
    const { root } = await project()
    for (const within of waysInto(root).map((way) => path.normalize(way))) {
      const folder = path.join(within, '.opencode', 'personalities')
      const planned = await planText(
        { scope: 'project', folder, within },
        'brief',
        'Be brief.',
        true,
      )
      expect(
        isSamePath(planned.file, path.join(root, '.opencode', 'personalities', 'brief.md')),
      ).toBe(true)
    }
  })

  it('lends us no program, by whatever spelling the search path names it', async () => {
    const { root } = await project()
    await writeFile(path.join(root, 'helper.exe'), '')
    for (const entry of [root, ...waysInto(root)]) {
      const env = { PATH: entry, USERPROFILE: 'C:\\users\\nobody' }
      expect(findProgram('helper', env, root), entry).toBeUndefined()
      expect(
        findProgram('helper', env, `${root}\\Source Folder`.toLowerCase()),
        entry,
      ).toBeDefined()
    }
  })
})
