import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { holdLock } from '../support/held-lock.js'
import { startProcess } from '../support/child-process.js'
import { noTerminal, openTerminal } from '../support/tmux.js'
import { expectSane, open, packedCli, stageWith, usePackedCli } from './cli-terminal.js'

usePackedCli()

describe.skipIf(noTerminal)('--watch on a terminal', () => {
  it('shows the table, when it was read and when it is read next, in place, until q gives the terminal back', async () => {
    const stage = await stageWith(3)
    const terminal = await open(stage, ['status', '--watch', '--interval', '2'])
    const screen = await terminal.waitFor(/Read at \d\d:\d\d:\d\d\. Next in \d s\. q ends\./)
    expect(screen).toMatch(/1\* {2}anna .*active/)
    expect(await terminal.hasCursor()).toBe(false)
    const file = path.join(stage.home, '.opencode', 'oc-codex-multi-auth-accounts.json')
    await writeFile(file, (await readFile(file, 'utf8')).replace('"carla"', '"carol"'))
    const later = await terminal.waitFor('carol')
    expect(later.match(/Account {2}/g)).toHaveLength(1)
    await terminal.press('q')
    await expectSane(terminal, 0)
    expect(await terminal.screen()).not.toContain('Next in')
  })

  it('follows a new size at once, keeps the line about the reading and scrolls to the rest', async () => {
    const terminal = await open(await stageWith(12), ['list', '--watch', '--interval', '3600'], {
      columns: 100,
      rows: 30,
    })
    await terminal.waitFor('lena')
    await terminal.resize(50, 8)
    const small = await terminal.waitFor(/Up and Down scroll/)
    expect(small).not.toContain('lena')
    for (let step = 0; step < 9; step += 1) await terminal.press('Down')
    await terminal.waitFor('lena')
    await terminal.resize(100, 30)
    const large = await terminal.waitFor('anna')
    expect(large).toContain('lena')
    expect(large).not.toContain('scroll')
    await terminal.press('C-c')
    await expectSane(terminal, 130)
  })

  it('gives the terminal back when it is told to end, and when a first reading fails', async () => {
    const stage = await stageWith(1)
    const killed = await openTerminal({
      command: [
        'sh',
        '-c',
        '"$0" "$1" list --watch & sleep 1; kill -TERM $!; wait $!; echo "exit code $?"; stty -a | tr ";" "\\n" | tail -3; sleep 60',
        process.execPath,
        packedCli(),
      ],
      cwd: stage.home,
      env: stage.env,
      columns: 80,
      rows: 24,
    })
    try {
      await expectSane(killed, 130)
    } finally {
      await killed.close()
    }
    const unknown = await open(stage, ['limits', 'nobody', '--watch'])
    await expectSane(unknown, 1)
    expect(await unknown.screen()).toContain('There is no account "nobody"')
  })
})

it('ends by itself when nobody reads its output any more', async () => {
  const stage = await stageWith(1)
  const shell = startProcess({
    file: 'sh',
    args: [
      '-c',
      '"$0" "$1" list --watch --interval 1 | head -1; echo over',
      process.execPath,
      packedCli(),
    ],
    cwd: stage.home,
    env: stage.env,
  })
  const { stdout, stderr } = await shell.ended
  expect(stdout).toMatch(/^Read at [\s\S]*over\n$/)
  expect(stderr).toBe('')
})

describe.skipIf(noTerminal)('a wait', () => {
  it('is explained after half a second, and the line is gone when it is over', async () => {
    const stage = await stageWith(2)
    const file = path.join(stage.home, '.opencode', 'oc-codex-multi-auth-accounts.json')
    const release = await holdLock(`${file}.transaction`)
    const terminal = await open(stage, ['label', '2', 'office'])
    await terminal.waitFor('Waiting for another process that holds the account file')
    await release()
    const screen = await terminal.waitFor('Account 2 (office): label set.')
    expect(screen).not.toContain('Waiting')
    await expectSane(terminal, 0)
  })
})
