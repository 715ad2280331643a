import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { endOf, startProcess } from '../support/child-process.js'
import { noTerminal, type Terminal } from '../support/tmux.js'
import { expectSane, open, packedCli, pick, usePackedCli } from './cli-terminal.js'
import { setStage, type Stage, turns } from './setup.js'

usePackedCli()

/** A home without any configuration, and OpenCode in the search path. */
async function newUser({ hasHost = true } = {}) {
  const stage = await setStage({ host: { plugins: [] } })
  onTestFinished(() => stage.close())
  const { host } = stage
  const config = path.join(host.home, '.config', 'opencode')
  await rm(path.join(config, 'opencode.json'))
  await rm(path.join(config, 'tui.json'))
  const bin = path.join(host.home, 'bin')
  await mkdir(bin)
  const install = async (): Promise<void> => {
    const file = path.join(bin, 'opencode')
    await writeFile(file, `#!/bin/sh\nexec '${host.binary}' "$@"\n`)
    await chmod(file, 0o755)
  }
  if (hasHost) await install()
  const env = { ...host.env, PATH: `${bin}:${host.env.PATH ?? ''}` }
  const { simulator } = stage
  return {
    stage,
    config,
    install,
    open: (...args: string[]): Promise<Terminal> =>
      open(
        { home: host.home, simulator, env, pool: () => Promise.reject(new Error('not asked')) },
        ['setup', ...args],
        { columns: 100, rows: 45 },
      ),
    run: (...args: string[]) =>
      endOf(
        startProcess({
          file: process.execPath,
          args: [packedCli(), ...args],
          cwd: host.project,
          env,
        }),
        60_000,
      ),
  }
}

async function accounts({ accountsFile }: Stage): Promise<number> {
  const pool = JSON.parse(await readFile(accountsFile, 'utf8')) as { accounts: unknown[] }
  return pool.accounts.length
}

describe.skipIf(noTerminal)('setup for somebody who has nothing', () => {
  it('leads by the screen alone from an empty home to an answer and a second account, and does nothing twice', async () => {
    const { stage, config, open: start } = await newUser()
    const { simulator } = stage
    const terminal = await start()
    await terminal.waitFor(/OpenCode 1\.\d+\.\d+ is installed\./)
    const preview = await terminal.waitFor('Write this into OpenCode’s configuration?')
    expect(preview).toContain(`${path.join(config, 'opencode.json')} (new)`)
    expect(preview).toMatch(/\+ .*"oc-codex-multi-auth"/)
    await terminal.type('y')
    await terminal.waitFor('To undo it: npx oc-codex-multi-auth uninstall')

    simulator.changeSettings({ autoApprove: 'personal' })
    await terminal.waitFor('An account is needed. How?')
    await pick(terminal, 'Sign in to ChatGPT')
    await pick(terminal, 'ChatGPT account (browser)')
    await terminal.waitFor('Add a second account, which takes over at a limit?')
    expect(await accounts(stage)).toBe(1)

    simulator.changeSettings({ autoApprove: 'work', deviceApproveAfterPolls: 0 })
    await pick(terminal, 'Sign in to ChatGPT')
    await pick(terminal, 'device code')
    await terminal.waitFor('Send one short test prompt through OpenCode?')
    expect(await accounts(stage)).toBe(2)

    await terminal.type('y')
    const end = await terminal.waitFor('Ready: start opencode', 120_000)
    expect(end).toContain('The answer:')
    expect(end).toMatch(/Account [12] \(.+\) has served it\./)
    await expectSane(terminal, 0)
    expect(turns(stage)).toHaveLength(1)

    const again = await start()
    const screen = await again.waitFor('Ready: start opencode')
    expect(screen).not.toContain('?')
    for (const done of [
      'is installed.',
      'configuration names this plugin.',
      'An account is signed in.',
      'A second account is there to take over.',
      'OpenCode has had answers through this plugin.',
    ])
      expect(screen).toContain(done)
    await expectSane(again, 0)
    expect(turns(stage)).toHaveLength(1)
  })

  it('says how to install OpenCode where it is missing, and sees it as soon as it is there', async () => {
    const { install, open: start } = await newUser({ hasHost: false })
    const terminal = await start()
    await terminal.waitFor('npm install -g opencode-ai')
    await install()
    await pick(terminal, 'Look again')
    await terminal.waitFor(/OpenCode 1\.\d+\.\d+ is installed\./)
    await terminal.press('C-c')
    await expectSane(terminal, 130)
  })

  it('can be left with Esc, says what is done and how to go on, and goes on from there', async () => {
    const { open: start } = await newUser()
    const terminal = await start()
    await terminal.waitFor('Write this into')
    await terminal.type('y')
    await terminal.waitFor('An account is needed. How?')
    await terminal.press('Escape')
    const screen = await terminal.waitFor('Go on at any time')
    expect(screen).toContain('[x] OpenCode’s configuration names this plugin')
    expect(screen).toContain('[ ] An account is signed in')
    await expectSane(terminal, 1)
    const again = await start()
    const next = await again.waitFor('An account is needed. How?')
    expect(next).not.toContain('Write this into')
    await again.press('C-c')
    await expectSane(again, 130)
  })
})

describe('setup without a terminal', () => {
  it('shows what is left and writes nothing; with --yes it writes the configuration', async () => {
    const { config, run } = await newUser()
    const shown = await run('setup')
    expect(shown.stdout).toContain('[ ] OpenCode’s configuration names this plugin')
    await expect(readFile(path.join(config, 'opencode.json'))).rejects.toThrow('ENOENT')
    const written = await run('setup', '--yes', '--json')
    const { steps, ready } = JSON.parse(written.stdout) as {
      steps: { id: string; done: boolean }[]
      ready: boolean
    }
    expect(ready).toBe(false)
    expect(steps.filter(({ done }) => done).map(({ id }) => id)).toEqual([
      'host',
      'plugin',
      'config',
    ])
    expect(written.stderr).toContain('opencode.json: changed')
    expect(await readFile(path.join(config, 'opencode.json'), 'utf8')).toContain(
      'oc-codex-multi-auth',
    )
    expect((await run('setup', '--yes')).stderr).toBe('')
  })

  it('is what the bare command names as the next thing', async () => {
    const { run } = await newUser()
    expect((await run()).stdout).toContain('Next: npx oc-codex-multi-auth setup')
  })
})
