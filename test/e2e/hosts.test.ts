import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, it } from 'vitest'

import { OLDEST_HOST } from '../../lib/host-setup/oldest-host.js'
import { ageOfHost } from '../../lib/host-setup/tested-hosts.js'
import { opencodeVersion } from '../../scripts/opencode-binary.mjs'
import { noTerminal, openTerminal, type Terminal } from '../support/tmux.js'
import { signIn, turns, useStage } from './setup.js'

/** Of the repository, or the one that `npm run test:hosts` names. */
const version = opencodeVersion()
const isTooOld = ageOfHost(version) === 'too-old'
const PATIENCE = 240_000
const SENTENCE = `this OpenCode is too old for it, which needs ${OLDEST_HOST} or newer. Run: opencode upgrade`

describe.skipIf(isTooOld)(`OpenCode ${version}`, { timeout: PATIENCE }, () => {
  const stage = useStage({ simulator: { accounts: ['personal', 'work'] } })

  async function open(): Promise<Terminal> {
    const { host } = stage()
    const terminal = await openTerminal({
      command: [host.binary, '--model', 'openai/gpt-5.5'],
      cwd: host.project,
      env: host.env,
      columns: 140,
      rows: 40,
    })
    await terminal.waitFor(/Ask anything/, 120_000)
    return terminal
  }

  it('signs two accounts in, answers, calls a tool and moves on at a limit', async () => {
    for (const account of ['personal', 'work']) await signIn(stage(), account)
    const { host, simulator } = stage()
    const title = 'smoke'
    expect((await host.prompt('SIM:say Hello there', { title })).stdout).toContain('Hello there')
    const called = await host.prompt('SIM:tool codex-status {}', { title })
    expect(called.stdout + called.stderr).toMatch(/codex-status|Codex status/i)
    const [served] = turns(stage()).slice(-1)
    expect(served?.raw).toContain('function_call_output')
    simulator.patchAccount(served?.account ?? '', {
      windows: [{ minutes: 10_080, limit: 100, used: 100 }],
    })
    const from = simulator.requests.length
    expect((await host.prompt('SIM:say Went on', { title })).stdout).toContain('Went on')
    expect(turns(stage(), from).map(({ status }) => status)).toEqual([429, 200])
  })

  it.skipIf(noTerminal)(
    'shows what is left in the TUI, and has the commands at the latest at the second start, with one line in the log where the TUI cannot have them',
    async () => {
      const first = await open()
      try {
        await first.waitFor(/limited until|5h|7d/, 60_000)
      } finally {
        await first.close()
      }
      const second = await open()
      try {
        await second.waitFor(/limited until|5h|7d/, 60_000)
        await sleep(1_500)
        await second.type('/codex-st')
        await second.waitFor(/\/codex-status/, 60_000)
      } finally {
        await second.close()
      }
      const lines = (await stage().host.log())
        .split('\n')
        .filter((line) => /(?:commands|slots) are not shown/.test(line))
      expect(lines.length).toBeLessThanOrEqual(2)
      for (const line of lines)
        expect(line).toContain('commands are not shown: this OpenCode has no keymap')
    },
  )
})

describe.skipIf(!isTooOld)(`OpenCode ${version}, which is too old,`, { timeout: PATIENCE }, () => {
  const stage = useStage()

  it('says in one sentence which version is needed, and starts as without the plugin', async () => {
    const { host } = stage()
    const listed = await host.run(['models', '--print-logs'], { timeoutMs: 180_000 })
    expect(listed.code).toBe(0)
    expect(listed.stdout + listed.stderr).toContain(SENTENCE)
  })

  it.skipIf(noTerminal)('says it on the screen, too', async () => {
    const { host } = stage()
    const terminal = await openTerminal({
      command: [host.binary],
      cwd: host.project,
      env: host.env,
      columns: 140,
      rows: 40,
    })
    try {
      await terminal.waitFor(/Ask anything/, 120_000)
      await terminal.waitFor(/too old/, 60_000)
      expect((await terminal.screen()).replaceAll(/\s+/g, ' ')).toContain('opencode upgrade')
    } finally {
      await terminal.close()
    }
  })
})
