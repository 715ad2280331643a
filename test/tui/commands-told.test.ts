import { mkdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { isTuiPluginHere } from '../../lib/shell/tui-plugin.js'
import { tellCommands } from '../../lib/tui/commands-told.js'
import { homeIn } from '../support/home.js'
import { temporaryFolder } from '../support/temporary.js'

/** What a server in the thread of a TUI decides, with our plugin named in `tui.json`. */
async function stage(): Promise<{ file: string; isHere: () => Promise<boolean> }> {
  const home = await temporaryFolder()
  const paths = resolvePaths(homeIn(home))
  await mkdir(paths.hostConfigDir, { recursive: true })
  await writeFile(
    path.join(paths.hostConfigDir, 'tui.json'),
    '{ "plugin": ["oc-codex-multi-auth"] }',
  )
  return {
    file: paths.tuiFile,
    isHere: () => isTuiPluginHere({ directory: home, paths, env: {}, isMainThread: false }),
  }
}

describe('what the TUI plugin tells of its commands', () => {
  it('is believed by the server of the next start: it leaves them to the TUI', async () => {
    const { file, isHere } = await stage()
    expect(await isHere()).toBe(false)
    await tellCommands(file, true)
    expect(await isHere()).toBe(true)
  })

  it('is taken back by an OpenCode that cannot have them', async () => {
    const { file, isHere } = await stage()
    await tellCommands(file, true)
    await tellCommands(file, false)
    expect(await isHere()).toBe(false)
    await tellCommands(file, false)
    expect(await isHere()).toBe(false)
  })

  it.skipIf(process.platform === 'win32')('lies in a file of the user alone', async () => {
    const { file } = await stage()
    await tellCommands(file, true)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await stat(path.dirname(file))).mode & 0o777).toBe(0o700)
  })

  it('is not written again when it stands there', async () => {
    const { file } = await stage()
    await tellCommands(file, true)
    await utimes(file, 1, 1)
    await tellCommands(file, true)
    expect((await stat(file)).mtimeMs).toBe(1_000)
  })

  it('replaces what is broken', async () => {
    const { file, isHere } = await stage()
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, '{"program":')
    expect(await isHere()).toBe(false)
    await tellCommands(file, true)
    expect(await isHere()).toBe(true)
  })

  it('is a no where it cannot be written, and fails nothing', async () => {
    const { file, isHere } = await stage()
    await mkdir(file, { recursive: true })
    await tellCommands(file, true)
    await tellCommands(file, false)
    expect(await isHere()).toBe(false)
    const below = path.join(await temporaryFolder(), 'a-file')
    await writeFile(below, 'x')
    await tellCommands(path.join(below, 'told.json'), true)
    expect(await readFile(below, 'utf8')).toBe('x')
  })
})
