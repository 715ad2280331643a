import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { TOOLS } from '../../lib/tools/index.js'
import { startSimulator } from '../../simulator/index.js'
import { aHome } from '../support/home.js'
import { signedIn } from '../support/records.js'
import { runCli } from '../support/run-cli.js'

const ACCOUNT = { refreshToken: 'rt-a', accountId: 'a', addedAt: 1, lastUsed: 0 }

/** Runs a watched command until it has written so often, with something done after each. */
async function watched(
  home: string,
  argv: readonly string[],
  {
    times = 2,
    env = {},
    after,
  }: { times?: number; env?: NodeJS.ProcessEnv; after?: () => Promise<void> } = {},
) {
  const end = new AbortController()
  let count = 0
  const result = await runCli(home, argv, {
    env,
    signal: end.signal,
    onOutput: () => {
      count += 1
      if (count >= times) end.abort()
      else void after?.()
    },
  })
  return result
}

describe('--watch where nobody looks at a screen', () => {
  it('prints one JSON object in each line and ends with 130', async () => {
    const home = await aHome([ACCOUNT])
    const { code, stdout } = await watched(home, ['status', '--watch', '--interval', '1', '--json'])
    expect(code).toBe(130)
    const lines = stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(2)
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({
        readAtMs: expect.any(Number),
        accounts: [{ index: 1, state: 'eligible' }],
      })
  })

  it('prints valid JSON whatever an account is called, and the name as it is', async () => {
    const labels = ['{label x', '{status --why', '} {login} \\"{doctor']
    const home = await aHome(
      labels.map((accountLabel, index) => ({
        ...ACCOUNT,
        accountLabel,
        refreshToken: `rt-${String(index)}`,
        accountId: String(index),
      })),
    )
    const { stdout } = await watched(home, ['list', '--watch', '--interval', '1', '--json'])
    for (const line of stdout.trimEnd().split('\n')) {
      const { accounts } = JSON.parse(line) as { accounts: readonly { name: string }[] }
      expect(accounts.map(({ name }) => name).slice(0, 2)).toEqual(labels.slice(0, 2))
    }
  })

  it('prints blocks that say when they were read, without a sequence of a terminal', async () => {
    const home = await aHome([ACCOUNT])
    const { stdout } = await watched(home, ['list', '--watch', '--interval', '1'])
    expect(stdout.match(/^Read at \d\d:\d\d:\d\d$/gm)).toHaveLength(2)
    expect(stdout).not.toContain('\u001b')
  })

  it('shows what another program has changed since', async () => {
    const home = await aHome([{ ...ACCOUNT, accountLabel: 'before' }])
    const file = path.join(home, '.opencode', 'oc-codex-multi-auth-accounts.json')
    const { stdout } = await watched(home, ['list', '--watch', '--interval', '1'], {
      after: async () =>
        writeFile(file, (await readFile(file, 'utf8')).replace('before', 'after1')),
    })
    expect(stdout).toMatch(/before[\s\S]*after1/)
  })

  it('goes on when a later reading fails, and says why', async () => {
    const home = await aHome([ACCOUNT])
    const file = path.join(home, '.opencode', 'oc-codex-multi-auth-accounts.json')
    const { stdout } = await watched(home, ['list', '--watch', '--interval', '1', '--json'], {
      after: () => writeFile(file, '{ not json'),
    })
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => Object.keys(JSON.parse(line) as object)),
    ).toEqual([expect.arrayContaining(['accounts']), ['readAtMs', 'error']])
  })
})

describe('the pace of --watch', () => {
  it('does not let limits ask the backend more than twice a minute, but look at what is known', async () => {
    const home = await aHome([ACCOUNT])
    expect(await runCli(home, ['limits', '--watch', '--interval', '5'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('from 30 to'),
    })
    const { code } = await watched(home, ['limits', '--watch', '--interval', '1', '--cached'])
    expect(code).toBe(130)
  })

  it.each([
    [['status', '--watch', '--interval', 'soon'], '--interval takes a number'],
    [['status', '--watch', '--interval', '0'], '--interval takes a number'],
    [['status', '--interval', '5'], '--interval needs --watch'],
    [['dashboard', '--watch', '--html', 'x.html'], 'cannot be watched'],
    [['switch', '1', '--watch'], '--watch'],
  ])('ends with 2 when it is asked for wrongly: %j', async (argv, sentence) => {
    expect(await runCli(await aHome([ACCOUNT]), argv)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(sentence),
    })
  })

  it('is there only for tools that change nothing with these arguments', () => {
    const all = TOOLS.filter(({ watch }) => watch !== undefined)
    expect(all.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['status', 'limits', 'list', 'dashboard']),
    )
    for (const tool of all) expect(tool.riskOf?.({}) ?? tool.risk).toBe('read')
  })
})

describe('colours', () => {
  it('shows the state and what is low in colour where the output can, and nowhere else', async () => {
    // Two looks one after the other say the same.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
    onTestFinished(() => void vi.useRealTimers())
    const simulator = await startSimulator({
      accounts: [{ name: 'anna', windows: [{ minutes: 300, limit: 100, used: 93 }] }],
    })
    onTestFinished(() => simulator.close())
    const home = await aHome([signedIn(simulator, 'anna'), { ...ACCOUNT, enabled: false }])
    const env = {
      OC_CODEX_SIMULATOR_ISSUER: simulator.url,
      OC_CODEX_SIMULATOR_BACKEND: simulator.backend,
    }
    const limits = await runCli(home, ['limits', '1'], { env, hasColours: true })
    expect(limits.stdout).toContain('\u001b[31m7%\u001b[0m')
    for (const name of ['status', 'list', 'dashboard']) {
      const coloured = await runCli(home, [name], { env, hasColours: true })
      expect(coloured.stdout).toContain('\u001b[32mactive\u001b[0m')
      expect(coloured.stdout).toContain('\u001b[2mdisabled\u001b[0m')
      expect(coloured.stdout).toMatch(/\u001b\[31m5h .*7%\u001b\[0m/)
      const plain = await runCli(home, [name], { env })
      expect(plain.stdout).not.toContain('\u001b')
      expect(coloured.stdout.replace(/\u001b\[\d+m/g, '')).toBe(plain.stdout)
    }
    const { stdout } = await runCli(home, ['status', '--json'], { env, hasColours: true })
    expect(stdout).not.toContain('\u001b')
  })
})
