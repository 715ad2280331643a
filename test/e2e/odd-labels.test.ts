import { readFile, writeFile } from 'node:fs/promises'

import { describe, expect, it } from 'vitest'

import type { AccountPool } from '../../lib/accounts/account.js'
import { ODD_LABELS } from '../support/odd-labels.js'
import { noTerminal, openTerminal, type Terminal } from '../support/tmux.js'
import { open, stageWith, usePackedCli } from './cli-terminal.js'
import { useStage } from './setup.js'

const LABELS = Object.keys(ODD_LABELS)

/** Gives the accounts of a file, and copies of them, the names. */
async function nameAll(accountsFile: string): Promise<void> {
  const pool = JSON.parse(await readFile(accountsFile, 'utf8')) as AccountPool
  const accounts = LABELS.map((accountLabel, place) => {
    const account = pool.accounts[place]
    if (account !== undefined) return { ...account, accountLabel }
    const copy = structuredClone(pool.accounts[0]) as unknown as Record<string, string>
    for (const key of ['uid', 'accountId', 'accountUserId', 'refreshToken', 'email'])
      copy[key] = `${copy[key]}-${place}`
    return { ...copy, accountLabel, enabled: true }
  })
  await writeFile(accountsFile, JSON.stringify({ ...pool, accounts }))
}

/** The rows of accounts stand below each other: what follows the name begins in one column, by the terminal's own table. */
async function expectColumns(terminal: Terminal, screen: string): Promise<void> {
  const starts: Record<string, number> = {}
  for (const shown of Object.values(ODD_LABELS)) {
    const row = screen
      .normalize('NFD')
      .split('\n')
      .find((line) => line.includes(shown.normalize('NFD')))
    expect(row, `${shown}\n${screen}`).toBeDefined()
    const before = /^(.*?)(?:active|ok)\b/.exec(row ?? '')?.[1] ?? ''
    starts[shown] = await terminal.widthOf(before.normalize('NFC').replaceAll(' ', '.'))
  }
  expect(new Set(Object.values(starts)).size, JSON.stringify(starts, undefined, 1)).toBe(1)
}

describe.skipIf(noTerminal)('accounts with names whose width programs disagree on', () => {
  describe('in the TUI', () => {
    const stage = useStage({
      signedIn: ['personal'],
      simulator: { accounts: [{ name: 'personal' }] },
    })

    it('stand below each other in the dialog of the accounts and in the result of a command', async () => {
      const { host, accountsFile } = stage()
      await nameAll(accountsFile)
      const terminal = await openTerminal({
        command: [host.binary, '--model', 'openai/gpt-5.5'],
        cwd: host.project,
        env: host.env,
        columns: 130,
        rows: 60,
      })
      try {
        await terminal.waitFor(/Ask anything/)
        for (const [command, sign] of [
          ['/codex-accounts ', `Codex accounts: ${LABELS.length} accounts`],
          ['/codex-list ', 'c copy'],
        ] as const) {
          await terminal.settled()
          await terminal.type(command)
          await terminal.waitFor(command.trim())
          await terminal.press('Enter')
          await terminal.waitFor(sign)
          await expectColumns(terminal, await terminal.settled())
          await terminal.press('Escape')
          await terminal.waitUntilGone(sign)
        }
      } finally {
        await terminal.close()
      }
    })
  })

  describe('on the command line', () => {
    usePackedCli()

    it.each([['list'], ['status'], ['accounts']])('stand below each other in %s', async (name) => {
      const stage = await stageWith(1)
      await nameAll(`${stage.home}/.opencode/oc-codex-multi-auth-accounts.json`)
      const terminal = await open(stage, [name], { columns: 110, rows: 60 })
      await terminal.waitFor(name === 'accounts' ? /é é 한/ : 'exit code 0')
      await expectColumns(terminal, await terminal.settled())
    })
  })
})
