import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { describe, expect, it } from 'vitest'

import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { dialogWork } from '../../lib/dialog-entry.js'
import { loadDialogChunk } from '../../lib/tui/dialog-chunk.js'
import { coreOver } from '../support/core-over.js'
import { temporaryFolder } from '../support/temporary.js'

describe('reading the limits from the TUI', () => {
  it('asks the backend in this process and leaves the reading where every window sees it', async () => {
    const { core, simulator, home } = await coreOver([
      { name: 'a', windows: [{ minutes: 300, limit: 100, used: 63 }] },
    ])
    const env = core.runtime.env
    const { accounts } = await core.runtime.store.read()
    await dialogWork({ env, directory: home }).readLimits(accounts[0]!.uid)
    expect(simulator.requests.map((request) => request.path)).toContain('/backend-api/wham/usage')
    expect(await readFile(resolvePaths(env).quotaFile, 'utf8')).toContain('63')
  })

  it('says in one sentence why there is no reading', async () => {
    const { core, home } = await coreOver(['a', 'b'], {
      change: (account, index) => (index === 0 ? { ...account, enabled: false } : account),
    })
    const { accounts } = await core.runtime.store.read()
    const work = dialogWork({ env: core.runtime.env, directory: home })
    await expect(work.readLimits(accounts[0]!.uid)).rejects.toThrow('Disabled')
    await expect(work.readLimits('nobody')).rejects.toThrow('The account is gone')
  })
})

describe('the chunk of the dialog', () => {
  it('that an update took away is named as the cause, with what to do', async () => {
    const chunk = pathToFileURL(path.join(await temporaryFolder(), 'dialog.js')).href
    await expect(loadDialogChunk(chunk)).rejects.toThrow(
      'The plugin was updated or removed while OpenCode ran. Start OpenCode again.',
    )
  })
})
