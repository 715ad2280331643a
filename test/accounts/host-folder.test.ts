import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { ensureHostManifest } from '../../lib/accounts/project/host-folder.js'
import { temporaryFolder } from '../support/temporary.js'

describe('ensureHostManifest', () => {
  it('names the package in a folder that holds only data, so that the host installs nothing', async () => {
    const root = await temporaryFolder()
    await writeFile(path.join(root, 'oc-codex-multi-auth-accounts.json'), '{}')
    await ensureHostManifest(root)
    expect(
      JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')).dependencies,
    ).toHaveProperty('@opencode-ai/plugin')
    expect(await readdir(path.join(root, 'node_modules'))).toEqual([])
  })

  it.each(['tool', 'plugin', 'opencode.json'])(
    'leaves a folder alone in which the user has %s',
    async (name) => {
      const root = await temporaryFolder()
      await mkdir(path.join(root, name))
      await ensureHostManifest(root)
      expect(await readdir(root)).toEqual([name])
    },
  )

  it('never touches a manifest of somebody else', async () => {
    const root = await temporaryFolder()
    await writeFile(path.join(root, 'package.json'), '{"dependencies":{}}')
    await ensureHostManifest(root)
    expect(await readdir(root)).toEqual(['package.json'])
  })

  it('steps back when the user begins to keep code there', async () => {
    const root = await temporaryFolder()
    await ensureHostManifest(root)
    await mkdir(path.join(root, 'plugin'))
    await ensureHostManifest(root)
    expect(await readdir(root)).toEqual(['plugin'])
  })

  it('does nothing where no folder is', async () => {
    const root = path.join(await temporaryFolder(), 'missing')
    await ensureHostManifest(root)
    await expect(readdir(root)).rejects.toThrow('ENOENT')
  })
})
