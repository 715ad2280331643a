import { chmod, mkdir, stat, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { closeFolder, openPlaces } from '../../lib/accounts/project/own-folders.js'
import { ensureHostManifest } from '../../lib/accounts/project/host-folder.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { coreOver } from '../support/core-over.js'
import { toolData } from '../support/run-tool.js'
import { temporaryFolder } from '../support/temporary.js'
import { homeIn } from '../support/home.js'

const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o777

describe.skipIf(process.platform === 'win32')('a folder of ours', () => {
  it.each([0o777, 0o775, 0o770, 0o755])(
    'that is open to others (%o) is closed by the next write and by the next start',
    async (mode) => {
      const { core, home } = await coreOver(['a'])
      const root = path.join(home, '.opencode')
      await chmod(root, mode)
      await core.runtime.store.update((pool) => ({ ...pool }))
      expect(await modeOf(root)).toBe(0o700)
      await chmod(root, mode)
      await ensureHostManifest(root)
      expect(await modeOf(root)).toBe(0o700)
    },
  )

  it('is named by doctor with its mode, as each file in it is, and mended by --fix', async () => {
    const { core, home } = await coreOver(['a'])
    const root = path.join(home, '.opencode')
    const project = path.join(root, 'projects', 'p-1')
    await mkdir(path.join(project, 'backups'), { recursive: true })
    await mkdir(path.join(root, 'refresh'), { recursive: true })
    const open = [
      root,
      path.join(root, 'projects'),
      project,
      path.join(project, 'backups'),
      path.join(root, 'refresh'),
    ]
    const files = [
      path.join(root, 'oc-codex-multi-auth-accounts.json.corrupt-1'),
      path.join(root, 'openai-codex-accounts.json.migrated'),
      path.join(project, 'backups', 'accounts-1.json'),
    ]
    for (const file of files) await writeFile(file, '{}')
    for (const place of open) await chmod(place, 0o777)
    for (const file of files) await chmod(file, 0o644)
    const { findings } = await toolData(core.runtime, 'doctor')
    const summaries = (findings as { id: string; summary: string }[])
      .filter(({ id }) => id === 'permissions')
      .map(({ summary }) => summary)
    for (const place of open)
      expect(summaries).toContainEqual(
        `${place} (mode 777) can be changed by other users of this machine.`,
      )
    for (const file of files)
      expect(summaries).toContainEqual(
        `${file} (mode 644) can be read by other users of this machine.`,
      )
    await toolData(core.runtime, 'doctor', { fix: true })
    for (const place of open) expect(await modeOf(place), place).toBe(0o700)
    for (const file of files) expect(await modeOf(file), file).toBe(0o600)
  })

  it('is never closed where it belongs to the host, is a link, or belongs to somebody else', async () => {
    const { core, home } = await coreOver(['a'])
    const host = path.join(home, '.config', 'opencode')
    await mkdir(host, { recursive: true })
    await chmod(host, 0o777)
    const { findings } = await toolData(core.runtime, 'doctor', { fix: true })
    expect(findings).toContainEqual(
      expect.objectContaining({ summary: expect.stringContaining(host), fixable: false }),
    )
    expect(await modeOf(host)).toBe(0o777)
    const shared = await temporaryFolder()
    await chmod(shared, 0o777)
    await symlink(shared, path.join(home, 'link'))
    expect(await closeFolder(path.join(home, 'link'))).toBe(false)
    expect(await modeOf(shared)).toBe(0o777)
    expect(await closeFolder(path.join(home, 'missing'))).toBe(false)
    expect(await openPlaces(resolvePaths({ ...homeIn(path.join(home, 'missing')) }))).toEqual([])
  })
})
