import { readFile, writeFile } from 'node:fs/promises'

import { describe, expect, it } from 'vitest'

import { noTerminal } from '../support/tmux.js'
import { open, stageWith, usePackedCli } from './cli-terminal.js'

usePackedCli()

describe.skipIf(noTerminal)('what the menus show', () => {
  it.each([60, 80, 100])('has a line for each account at %d columns', async (columns) => {
    const stage = await stageWith(3)
    const file = `${stage.home}/.opencode/oc-codex-multi-auth-accounts.json`
    const pool = JSON.parse(await readFile(file, 'utf8')) as { accounts: object[] }
    const accounts = pool.accounts.map((account) => ({
      ...account,
      accountLabel: 'a name that is longer than any line of a menu has room for',
    }))
    await writeFile(file, JSON.stringify({ ...pool, accounts }))
    const terminal = await open(stage, ['accounts'], { columns, rows: 30 })
    await terminal.waitFor('Read all limits now')
    await terminal.press('Up')
    await terminal.settled()
    const screen = await terminal.screen()
    const lines = screen.split('\n')
    const first = lines.findIndex((line) => /^│ {2}. 1\*/.test(line))
    expect(lines.slice(first, first + 4), screen).toEqual([
      expect.stringMatching(/^│ {2}. 1\* {2}a name/),
      expect.stringMatching(/^│ {2}. 2 {3}a name/),
      expect.stringMatching(/^│ {2}. 3 {3}a name/),
      expect.stringContaining('Add an account'),
    ])
  })

  it.each([60, 80])('breaks no word of setup at %d columns', async (columns) => {
    const terminal = await open(await stageWith(1), ['setup'], { columns, rows: 40 })
    const screen = await terminal.waitFor('What now?')
    expect(screen.replaceAll(/\s+/g, ' ')).toContain(
      'OpenCode, its configuration, an account, a second one, a test prompt. Esc or Ctrl-C leaves at any question; what is done stays done.',
    )
  })
})
