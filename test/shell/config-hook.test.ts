import { mkdir, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'

import type { PluginInput } from '@opencode-ai/plugin'
import { describe, expect, it, vi } from 'vitest'

import { CONFIG_FILE, resolvePaths } from '../../lib/kernel/files/paths.js'
import { applyConfig } from '../../lib/shell/config-hook.js'
import type { HostSettings } from '../../lib/shell/host-settings.js'
import { aHome, homeIn } from '../support/home.js'

/** A repository with a package within, whose configuration says what is given, opened in a folder of that package. */
async function aPackage(settings: Record<string, unknown>) {
  const home = await aHome([])
  const worktree = path.join(home, 'repo')
  const packed = path.join(worktree, 'packages', 'a')
  await mkdir(path.join(worktree, '.git'), { recursive: true })
  await mkdir(path.join(packed, '.opencode'), { recursive: true })
  await mkdir(path.join(packed, 'src', 'deep'), { recursive: true })
  await writeFile(path.join(packed, '.opencode', CONFIG_FILE), JSON.stringify(settings))
  return {
    worktree,
    packed,
    async commandsIn(directory: string): Promise<string[]> {
      for (const [name, value] of Object.entries(homeIn(home))) vi.stubEnv(name, value)
      const found: HostSettings = { models: new Set(), commands: new Set(), compacting: new Set() }
      const config: { command?: Record<string, unknown> } = {}
      const input = { directory, worktree, client: {} } as unknown as PluginInput
      await applyConfig(config as never, found, input, resolvePaths(homeIn(home)))
      vi.unstubAllEnvs()
      return Object.keys(config.command ?? {})
    },
  }
}

describe('what a project says of commands', () => {
  it('counts in the folders below its root, wherever in a repository that root is', async () => {
    const { commandsIn, packed, worktree } = await aPackage({ slashCommands: false })
    for (const directory of [packed, path.join(packed, 'src'), path.join(packed, 'src', 'deep')])
      expect(await commandsIn(directory)).toEqual([])
    expect(await commandsIn(worktree)).toContain('codex-status')
  })

  it('counts where the folder is a link into it', async ({ skip }) => {
    const { commandsIn, packed, worktree } = await aPackage({ slashCommands: false })
    const link = path.join(worktree, '..', 'linked')
    try {
      await symlink(path.join(packed, 'src'), link, 'junction')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOTSUP') skip('Wine makes no junctions')
      throw error
    }
    expect(await commandsIn(link)).toEqual([])
  })
})
