import { readdir, readFile, readlink } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, it } from 'vitest'

import { TOOL_SUMMARIES } from '../../lib/slash-commands/tool-list.js'
import { startHostServer } from '../support/host-server.js'
import { noTerminal, openTerminal, type Terminal } from '../support/tmux.js'
import { useStage } from './setup.js'

/** How often the children of the host are counted, ms. */
const LOOK_MS = 20

describe.skipIf(noTerminal)('commands in the TUI', () => {
  const names = ['personal', 'work']
  const stage = useStage({
    signedIn: names,
    simulator: {
      accounts: names.map((name) => ({
        name,
        windows: [
          { minutes: 300, limit: 100, used: 20 },
          { minutes: 10_080, limit: 100, used: 92 },
        ],
      })),
    },
  })

  async function open(columns = 130): Promise<Terminal> {
    const { host } = stage()
    const terminal = await openTerminal({
      command: [host.binary, '--model', 'openai/gpt-5.5'],
      cwd: host.project,
      env: host.env,
      columns,
      rows: 45,
    })
    await terminal.waitFor(/Ask anything/)
    await sleep(1_500)
    return terminal
  }

  async function send(terminal: Terminal, line: string): Promise<void> {
    await terminal.type(`${line} `)
    await terminal.waitFor(line)
    await terminal.press('Enter')
  }

  /** What is typed at once behind Escape would be one key with it. */
  async function leave(terminal: Terminal): Promise<void> {
    await terminal.press('Escape')
    await terminal.waitUntilGone(/esc close|esc$/m)
    await sleep(300)
  }

  const turns = (from: number): readonly string[] =>
    stage()
      .simulator.requests.slice(from)
      .map(({ path }) => path)
      .filter((route) => route.endsWith('/responses'))

  it('run all of them without a turn, a request for a model or a child process', async () => {
    const { simulator, host } = stage()
    const terminal = await open()
    const children = watchChildren(host.binary)
    try {
      const from = simulator.requests.length
      for (const name of Object.keys(TOOL_SUMMARIES)) {
        await send(terminal, `/codex-${name}`)
        // A result, a list to choose from, or the host's question.
        await terminal.waitFor(/esc close|esc$/m)
        const screen = await terminal.waitUntilGone(/ …\s*$/m)
        expect(screen).not.toContain('does not say what it holds in memory')
        await leave(terminal)
      }
      expect(turns(from)).toEqual([])
      expect(await children.stop()).toEqual([])
    } finally {
      await terminal.close()
    }
  }, 300_000)

  it('are listed once, and run a typed line at once', async () => {
    const { simulator, accountsFile } = stage()
    const from = simulator.requests.length
    const terminal = await open()
    try {
      await terminal.type('/codex-lab')
      const list = await terminal.waitFor(/\/codex-label +Give/)
      expect(list.match(/\/codex-label /g)).toHaveLength(1)
      expect(list).not.toContain('Costs a turn')
      // The host clears a line whose space reaches it together with more while its list is open.
      await terminal.type('el ')
      await terminal.waitUntilGone(/\/codex-label +Give/)
      await terminal.type('2 my other work')
      await terminal.waitFor('2 my other work')
      await terminal.press('Enter')
      await terminal.waitFor(/label set/)
      expect(await readFile(accountsFile, 'utf8')).toContain('"my other work"')
      await leave(terminal)
      await send(terminal, '/codex-label 1 --nonsense')
      expect(await terminal.waitFor('Usage:')).toContain('nonsense')
      await leave(terminal)
      await send(terminal, '/codex-lable 1 x')
      await terminal.waitFor('There is no command /codex-lable')
      expect(turns(from)).toEqual([])
    } finally {
      await terminal.close()
    }
  })

  it('leave the shell and other texts alone', async () => {
    const { simulator } = stage()
    const from = simulator.requests.length
    const terminal = await open()
    try {
      await terminal.type('SIM:say plain /codex-status')
      await terminal.press('Enter')
      await terminal.waitFor(/plain \/codex-status[^]*plain \/codex-status/)
      expect(turns(from).length).toBeGreaterThan(0)
    } finally {
      await terminal.close()
    }
  })

  it('are listed once and run here without a turn when the TUI is attached to a server of this machine', async () => {
    const { host } = stage()
    const server = await startHostServer(host)
    const terminal = await openTerminal({
      command: [host.binary, 'attach', server.url],
      cwd: host.project,
      env: host.env,
      columns: 130,
      rows: 45,
    })
    try {
      await terminal.waitFor(/Ask anything/)
      await sleep(1_500)
      const from = stage().simulator.requests.length
      await terminal.type('/codex-sta')
      const list = await terminal.waitFor(/\/codex-status +Show/)
      expect(list.match(/\/codex-status /g)).toHaveLength(1)
      await terminal.type('tus ')
      await terminal.waitUntilGone(/\/codex-status +Show/)
      await terminal.press('Enter')
      await terminal.waitFor(/esc close/)
      await terminal.waitFor('Strategy: ')
      expect(turns(from)).toEqual([])
      await leave(terminal)
      // Counters are in the memory of the server, which is another process.
      await send(terminal, '/codex-metrics')
      await terminal.waitFor('The process that sends the requests does not say')
    } finally {
      await terminal.close()
      await server.stop()
    }
  })

  it('show a result that fits and is drawn anew at every width', async () => {
    const terminal = await open(200)
    try {
      await send(terminal, '/codex-limits')
      await terminal.waitFor('c copy')
      for (const columns of [60, 80, 100, 121, 130, 160, 200]) {
        await terminal.resize(columns, 45)
        await sleep(600)
        const screen = await terminal.screen()
        expect(screen, `at ${columns}`).toMatch(/5h +80%/)
        expect(screen, `at ${columns}`).toMatch(/c copy/)
      }
      await leave(terminal)
      await send(terminal, '/codex-accounts')
      await terminal.waitFor('Codex accounts: 2')
      for (const columns of [60, 80, 100, 121, 130, 160, 200]) {
        await terminal.resize(columns, 45)
        await sleep(600)
        const screen = await terminal.screen()
        expect(screen, `at ${columns}`).toMatch(
          /5h +80% (?:\w{3} )?\d\d:\d\d +7d +8% [^\n]*\d\d:\d\d/,
        )
        expect(screen, `at ${columns}`).toMatch(/esc close/)
      }
    } finally {
      await terminal.close()
    }
  })
})

/** Collects the programs that the host starts. */
function watchChildren(binary: string): { stop(): Promise<readonly string[]> } {
  const seen = new Set<string>()
  const look = async (): Promise<void> => {
    const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
    const hosts = new Set<string>()
    const parents = new Map<string, string>()
    for (const pid of pids) {
      const [exe, stat] = await Promise.all([
        readlink(`/proc/${pid}/exe`).catch(() => ''),
        readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''),
      ])
      parents.set(pid, /\) \S (\d+)/.exec(stat)?.[1] ?? '')
      if (exe === binary) hosts.add(pid)
    }
    for (const [pid, parent] of parents) {
      if (!hosts.has(parent)) continue
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      if (command !== '') seen.add(command.replaceAll('\0', ' ').trim())
    }
  }
  let running = look().catch(() => undefined)
  const timer = setInterval(() => {
    running = running.then(look).catch(() => undefined)
  }, LOOK_MS)
  return {
    async stop() {
      clearInterval(timer)
      await running
      return [...seen]
    },
  }
}
