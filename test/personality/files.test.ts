import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { createPersonalityFiles, personalityFolders } from '../../lib/personality/files.js'
import { spokenBy } from '../../lib/personality/spoken.js'
import { recordFileOperations } from '../support/file-operations.js'
import { temporaryFolder } from '../support/temporary.js'

/** A home with a project in it, and what is in their two folders. */
async function stageWith(
  user: Readonly<Record<string, string>>,
  project: Readonly<Record<string, string>> = {},
) {
  const home = await temporaryFolder()
  const hostConfigDir = path.join(home, '.config', 'opencode')
  const directory = path.join(home, 'work')
  const mine = path.join(hostConfigDir, 'personalities')
  const theirs = path.join(directory, '.opencode', 'personalities')
  for (const [folder, texts] of [
    [mine, user],
    [theirs, project],
  ] as const) {
    await mkdir(folder, { recursive: true })
    for (const [name, text] of Object.entries(texts)) await writeFile(path.join(folder, name), text)
  }
  const folders = personalityFolders({ paths: { home, hostConfigDir }, env: {}, directory })
  return { home, mine, theirs, directory, files: createPersonalityFiles(folders) }
}

describe('the text of a personality', () => {
  it('is found whatever the case of the file, in the project before the user’s own folder', async () => {
    const { files, theirs, mine } = await stageWith(
      { 'Mine.md': 'user', 'only-user.MD': 'only' },
      { 'mine.md': 'project' },
    )
    expect(await files.find('mine')).toEqual({
      kind: 'text',
      scope: 'project',
      file: path.join(theirs, 'mine.md'),
      text: 'project',
    })
    expect(await files.find('only-user')).toMatchObject({
      scope: 'user',
      file: path.join(mine, 'only-user.MD'),
    })
    expect(await files.find('other')).toEqual({ kind: 'missing' })
    expect((await files.names()).names).toEqual(['mine', 'only-user'])
  })

  it('is looked for in the folder that the environment names', async () => {
    const { home } = await stageWith({})
    const named = path.join(home, 'elsewhere')
    const [user] = personalityFolders({
      paths: { home, hostConfigDir: 'unused' },
      env: { OPENCODE_CONFIG_DIR: named },
      directory: home,
    })
    expect(user?.folder).toBe(path.join(named, 'personalities'))
  })

  it('of a folder that is not there is missing, without an error', async () => {
    const { files, mine, theirs } = await stageWith({})
    await rm(mine, { recursive: true })
    await rm(theirs, { recursive: true })
    expect(await files.find('mine')).toEqual({ kind: 'missing' })
    expect(await files.names()).toEqual({ names: [], problems: [] })
  })

  it('of 5 MB is refused, and so is an empty one', async () => {
    const { files } = await stageWith({ 'big.md': 'x'.repeat(5_000_000), 'empty.md': ' \n\u200b' })
    expect(await files.find('big')).toMatchObject({
      kind: 'problem',
      problem: expect.stringMatching(/too large: more than 32 KB/) as string,
    })
    expect(await files.find('empty')).toMatchObject({ kind: 'problem' })
  })

  it.each([
    ['as Windows writes it', Buffer.from('\ufeffSpeak as two.', 'utf16le')],
    ['without a mark', Buffer.from('Speak as two.', 'utf16le')],
    ['in Latin-1', Buffer.from('Sprich schön.', 'latin1')],
  ])(
    'in another encoding than UTF-8 is refused, and not sent as what is left of it: %s',
    async (_what, bytes) => {
      const { files, mine } = await stageWith({})
      await writeFile(path.join(mine, 'odd.md'), bytes)
      expect(await files.find('odd')).toMatchObject({
        kind: 'problem',
        problem: expect.stringContaining('Save it as UTF-8.') as string,
      })
    },
  )

  it('that speaks of the replacement character is UTF-8 all the same', async () => {
    const { files } = await stageWith({ 'odd.md': '\ufeffWrite no \ufffd.' })
    expect(await files.find('odd')).toMatchObject({ kind: 'text', text: 'Write no \ufffd.' })
  })

  it('with a byte order mark and ends of lines of Windows is what it says', async () => {
    const { files } = await stageWith({ 'odd.md': '\ufeffOne.\r\nTwo.\r\n' })
    expect(await files.find('odd')).toMatchObject({ kind: 'text', text: 'One.\nTwo.' })
  })

  it('under a name that cannot be chosen is no text', async () => {
    // On Windows nothing is written under the name of a device.
    const device = process.platform === 'win32' ? {} : { 'con.md': 'x' }
    const { files } = await stageWith({ 'my text.md': 'x', '.md': 'x', 'ü.md': 'x', ...device })
    for (const name of (await files.names()).names)
      expect(await files.find(name), name).toMatchObject({ kind: 'problem' })
  })

  it.skipIf(process.platform === 'win32')(
    'in a folder that cannot be read is said to be there, in a sentence',
    async () => {
      const { files, mine } = await stageWith({})
      await rm(mine, { recursive: true })
      await symlink(mine, mine)
      const problem = `${mine} cannot be read (ELOOP).`
      expect(await files.find('mine')).toMatchObject({ kind: 'problem', problem })
      expect((await files.names()).problems).toEqual([problem])
    },
  )

  it.skipIf(process.platform === 'win32')(
    'in two files that differ in case is refused with both names',
    async () => {
      const { files } = await stageWith({ 'mine.md': 'a', 'Mine.md': 'b' })
      const found = await files.find('mine')
      expect(found).toMatchObject({
        kind: 'problem',
        problem: expect.stringMatching(/Mine\.md and mine\.md .* differ in case only/) as string,
      })
    },
  )

  it.skipIf(process.platform === 'win32')(
    'behind a link out of its folder is refused, and one inside is read',
    async () => {
      const { files, mine, home } = await stageWith({ 'real.md': 'text' })
      await writeFile(path.join(home, 'secret.txt'), 'secret')
      await symlink(path.join(home, 'secret.txt'), path.join(mine, 'out.md'))
      await symlink('real.md', path.join(mine, 'in.md'))
      await symlink('nothing', path.join(mine, 'broken.md'))
      await symlink('loop.md', path.join(mine, 'loop.md'))
      expect(await files.find('out')).toMatchObject({
        kind: 'problem',
        problem: expect.stringContaining('leads out of its folder') as string,
      })
      expect(await files.find('in')).toMatchObject({ kind: 'text', text: 'text' })
      expect(await files.find('broken')).toMatchObject({
        kind: 'problem',
        problem: expect.stringContaining('link to nothing') as string,
      })
      expect(await files.find('loop')).toMatchObject({ kind: 'problem' })
    },
  )

  it.skipIf(process.platform === 'win32')(
    'is not read through a folder that a project links to elsewhere',
    async () => {
      const { files, theirs, home } = await stageWith({}, { 'notes.md': 'x' })
      const secrets = path.join(home, 'private')
      await rename(theirs, secrets)
      await symlink(secrets, theirs)
      expect(await files.find('notes')).toMatchObject({
        kind: 'problem',
        problem: expect.stringContaining('leads out of the project') as string,
      })
    },
  )

  it('has no name that belongs to the backend’s list', async () => {
    const { files } = await stageWith({}, { 'friendly.md': 'I obey the project.' })
    expect(await files.find('friendly')).toMatchObject({ kind: 'problem' })
    const spoken = await spokenBy('friendly', 'gpt-5.5', {
      files,
      listed: async () => 'Warm words.',
    })
    expect(spoken).toMatchObject({
      kind: 'part',
      scope: 'list',
      part: '# Personality\n\nWarm words.',
    })
  })

  it('is read again when it changed, and only then', async () => {
    const { files, mine } = await stageWith({ 'mine.md': 'one' })
    expect(await files.find('mine')).toMatchObject({ text: 'one' })
    const operations = recordFileOperations()
    expect(await files.find('mine')).toMatchObject({ text: 'one' })
    expect(operations.filter(({ name }) => name === 'open' || name === 'readdir')).toEqual([])
    await writeFile(path.join(mine, 'mine.md'), 'two')
    await utimes(path.join(mine, 'mine.md'), 1, 1)
    expect(await files.find('mine')).toMatchObject({ text: 'two' })
    await rm(path.join(mine, 'mine.md'))
    expect(await files.find('mine')).toEqual({ kind: 'missing' })
  })
})
