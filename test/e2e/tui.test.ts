import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { plantIn } from '../support/planted.js'
import { noTerminal, openTerminal, type Terminal } from '../support/tmux.js'
import { useStage } from './setup.js'

describe.skipIf(noTerminal)('the TUI', () => {
  const stage = useStage({
    signedIn: ['personal', 'work'],
    simulator: {
      accounts: ['personal', 'work', 'newcomer'].map((name) => ({
        name,
        windows: [
          { minutes: 300, limit: 100, used: 20 },
          { minutes: 10_080, limit: 100, used: 88 },
        ],
      })),
    },
  })

  async function open(columns: number): Promise<Terminal> {
    const { host } = stage()
    return openTerminal({
      command: [host.binary, '--model', 'openai/gpt-5.5'],
      cwd: host.project,
      env: host.env,
      columns,
      rows: 40,
    })
  }

  async function ask(terminal: Terminal, text: string, answer: string): Promise<void> {
    await terminal.waitFor(/Ask anything|gpt-5\.5|GPT-5\.5/i)
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    await terminal.type(text)
    await terminal.press('Enter')
    await terminal.waitFor(answer)
  }

  it.each([
    [160, /personal|pe…@e….test|work|wo…@e….test/, /5h [█░]{6} \d+%/],
    [100, /5h [█░]{6} \d+%/, /7d [█░]{6} \d+%/],
    [70, /7d \d+%/, /7d \d+%/],
  ] as const)(
    'shows what is left beside the prompt at %d columns',
    async (columns, first, second) => {
      const terminal = await open(columns)
      try {
        await ask(terminal, 'SIM:say shown', 'shown')
        await terminal.waitFor(first)
        const screen = await terminal.waitFor(second)
        expect(screen).not.toContain('personal@example.test')
      } finally {
        await terminal.close()
      }
    },
  )

  it('lists the accounts and switches to one from the keyboard, without a model turn', async () => {
    const { simulator, accountsFile } = stage()
    const terminal = await open(140)
    try {
      await terminal.waitFor(/Ask anything|gpt-5\.5|GPT-5\.5/i)
      await new Promise((resolve) => setTimeout(resolve, 1_500))
      const from = simulator.requests.length
      await terminal.type('/codex')
      await new Promise((resolve) => setTimeout(resolve, 800))
      await terminal.press('Enter')
      const list = await terminal.waitFor(/Codex accounts[\s\S]*2\*? +wo/)
      expect(list).not.toContain('work@example.test')
      await terminal.press('Down')
      await terminal.press('Enter')
      await terminal.waitFor(/Switch to it/)
      await terminal.press('Enter')
      await terminal.waitFor(/New sessions go to Account 2/)
      expect(JSON.parse(await readFile(accountsFile, 'utf8')).activeIndex).toBe(1)
      expect(
        simulator.requests.slice(from).filter(({ path: route }) => route.endsWith('/responses')),
      ).toEqual([])
    } finally {
      await terminal.close()
    }
  })

  it('signs an account in from the list of accounts, and comes back to it', async () => {
    const { simulator, accountsFile } = stage()
    simulator.changeSettings({ autoApprove: 'newcomer', deviceApproveAfterPolls: 1 })
    const before = await readFile(accountsFile, 'utf8')
    const terminal = await open(140)
    try {
      await terminal.waitFor(/Ask anything/)
      await terminal.settled()
      await terminal.type('/codex-accounts ')
      await terminal.waitFor('/codex-accounts')
      await terminal.press('Enter')
      await terminal.waitFor('Codex accounts: 2 accounts')
      await terminal.press('C-n')
      await terminal.waitFor('Connect a provider')
      await terminal.type('openai')
      await terminal.waitFor(/OpenAI +\(ChatGPT/)
      await terminal.settled()
      await terminal.press('Enter')
      await terminal.waitFor('Select auth method')
      await terminal.type('device')
      await terminal.settled()
      await terminal.press('Enter')
      // Behind the login the host offers its models.
      await terminal.waitFor(/OpenAI +esc[^]*GPT-5\.5/)
      await terminal.press('Escape')
      expect(await terminal.waitFor('Codex accounts: 3 accounts')).toMatch(/› +3\*? +ne/)
    } finally {
      simulator.changeSettings({ autoApprove: null, deviceApproveAfterPolls: null })
      await terminal.close()
      await writeFile(accountsFile, before)
    }
  })

  it('reads the limits of an account when asked to, past whatever files the project holds, and tells everything that is known of it', async () => {
    const { simulator, host } = stage()
    const planted = await plantIn(host)
    onTestFinished(planted.remove)
    const terminal = await open(140)
    try {
      await terminal.waitFor(/Ask anything|gpt-5\.5|GPT-5\.5/i)
      await new Promise((resolve) => setTimeout(resolve, 1_500))
      const choose = async (action: string): Promise<void> => {
        await terminal.type('/codex')
        await new Promise((resolve) => setTimeout(resolve, 800))
        await terminal.press('Enter')
        await terminal.waitFor(/Codex accounts[\s\S]*2\*? +wo/)
        await terminal.press('Enter')
        await terminal.waitFor(/Pin it/)
        await terminal.type(action)
        await new Promise((resolve) => setTimeout(resolve, 500))
        await terminal.press('Enter')
      }
      simulator.patchAccount('personal', {
        windows: [
          { minutes: 300, limit: 100, used: 63 },
          { minutes: 10_080, limit: 100, used: 90 },
        ],
      })
      await choose('Read the')
      await terminal.waitFor(/account 1 \(pe.*\) are up to date/)
      await terminal.press('Escape')
      await terminal.waitUntilGone('Codex accounts')
      await choose('Details')
      const details = await terminal.waitFor(/Banked resets/)
      expect(details).toMatch(/5h window\s+37% left, resets/)
      expect(details).toMatch(/State\s+(?:ok|active)/)
      expect(details).toMatch(/Limits read\s+\d+ s ago/)
      expect(await planted.effects()).toEqual([])
    } finally {
      await terminal.close()
    }
  })

  it('asks before a tool that the model calls changes anything, and Esc is a no', async () => {
    const { accountsFile } = stage()
    const before = await readFile(accountsFile, 'utf8')
    const terminal = await open(140)
    try {
      await ask(terminal, 'SIM:tool codex-switch {"account":1,"pin":"soft"}', 'Permission required')
      expect(await terminal.screen()).toMatch(/Call tool codex-switch/)
      await terminal.press('Escape')
      await terminal.waitUntilGone('Permission required')
      expect(JSON.parse(await readFile(accountsFile, 'utf8'))).toMatchObject({
        activeIndex: (JSON.parse(before) as { activeIndex: number }).activeIndex,
      })
      expect(await readFile(accountsFile, 'utf8')).not.toContain('"pin"')
    } finally {
      await terminal.close()
    }
  })

  it('goes on without a word when the shared files are broken', async () => {
    const { host } = stage()
    const state = path.join(host.home, '.local', 'state', 'opencode')
    await writeFile(path.join(state, 'oc-codex-multi-auth-quota.json'), '{"version":')
    await writeFile(path.join(state, 'oc-codex-multi-auth-affinity.json'), 'nonsense')
    const terminal = await open(120)
    try {
      await ask(terminal, 'SIM:say unharmed', 'unharmed')
    } finally {
      await terminal.close()
    }
  })
})
