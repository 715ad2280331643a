import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, it, onTestFinished } from 'vitest'

import { endOf, startProcess } from '../support/child-process.js'
import { aHome } from '../support/home.js'
import { isListening } from '../support/port.js'
import { plantIn } from '../support/planted.js'
import { signedIn } from '../support/records.js'
import { noTerminal, openTerminal } from '../support/tmux.js'
import {
  type CliStage,
  expectSane,
  open,
  packedCli,
  pick,
  stageWith,
  underCursor,
  usePackedCli,
} from './cli-terminal.js'
import { useStage } from './setup.js'

usePackedCli()

describe.skipIf(noTerminal)('the menu of the accounts', () => {
  it('shows both windows of every account after reading them, without an address', async () => {
    const terminal = await open(await stageWith(3), ['accounts'])
    await terminal.waitFor(/● 1\* {2}anna .*active/)
    await pick(terminal, 'Read all limits now')
    const screen = await terminal.waitFor(/3 {3}carla .*5h 62% {2}7d 81%/)
    expect(screen).toContain('The limits of 3 accounts are up to date.')
    expect(screen).not.toContain('@')
    await pick(terminal, 'Quit')
    await expectSane(terminal, 0)
  })

  it('switches, pins, disables and names accounts', async () => {
    const stage = await stageWith(3)
    const terminal = await open(stage, ['accounts'])
    await pick(terminal, '2   ben')
    await pick(terminal, 'Switch to it')
    await terminal.waitFor('New sessions go to Account 2 (ben).')
    await pick(terminal, '2*  ben')
    await pick(terminal, 'Pin it alone')
    await terminal.waitFor('Account 2 (ben) is pinned (global, hard).')
    await pick(terminal, 'ben    active, pinned')
    await pick(terminal, 'Lift the pin')
    await terminal.waitFor('The pin is lifted.')
    await pick(terminal, '3   carla')
    await pick(terminal, 'Disable it')
    await terminal.waitFor('Account 3 (carla) is now disabled.')
    await pick(terminal, 'carla  disabled')
    await pick(terminal, 'Name it')
    await terminal.waitFor('Name (empty removes it)')
    await terminal.press('C-u')
    await terminal.type('office')
    await terminal.press('Enter')
    await terminal.waitFor('Account 3 (office): label set.')
    expect(await stage.pool()).toMatchObject({
      activeIndex: 1,
      accounts: [{}, {}, { accountLabel: 'office', enabled: false }],
    })
  })

  it('removes after a question, and brings back: at once, and later from the list', async () => {
    const stage = await stageWith(3)
    const before = await stage.pool()
    const terminal = await open(stage, ['accounts'])
    const remove = async (line: string): Promise<void> => {
      await pick(terminal, line)
      await pick(terminal, 'Remove it')
      await terminal.waitFor(/Remove Account \d \(\w+\)\?/)
      expect(await terminal.screen()).toMatch(/○ Yes \/ ● No/)
      await terminal.press('y')
    }
    await remove('1*  anna')
    await pick(terminal, 'Undo: put it back')
    await terminal.waitFor('Account 1 (anna) is back.')
    expect((await stage.pool()).accounts).toMatchObject(before.accounts)
    await remove('2   ben')
    await pick(terminal, 'Continue')
    await terminal.waitFor('2 accounts (')
    expect((await stage.pool()).accounts.map(({ accountLabel }) => accountLabel)).toEqual([
      'anna',
      'carla',
    ])
    await pick(terminal, 'Undo: put Account 2 (ben) back')
    await terminal.waitFor('Account 2 (ben) is back.')
    expect((await stage.pool()).accounts).toMatchObject(before.accounts)
    expect((await stage.pool()).activeIndex).toBe(0)
  })

  it('adds an account by a device code, and tells when a login belongs to another account', async () => {
    const stage = await stageWith(2)
    const terminal = await open(stage, ['accounts'])
    await pick(terminal, 'Add an account')
    await pick(terminal, 'device code')
    await terminal.waitFor(/enter the code [A-Z0-9]{4}-[A-Z0-9]{4,5}/)
    await terminal.waitFor('is signed in.')
    await terminal.waitFor('3 accounts (')
    expect((await stage.pool()).accounts[2]?.email).toBe('carla@example.test')
    await pick(terminal, '2   ben')
    await pick(terminal, 'Sign in again')
    await pick(terminal, 'device code')
    const screen = await terminal.waitFor(/belongs to another account:[\s\S]*3 accounts/)
    expect(screen.replace(/\n│ +/g, ' ')).toMatch(
      /another account: Account 3 \(ca.*\), which was updated\. Account 2 \(ben\) is as before\./,
    )
    expect((await stage.pool()).accounts).toHaveLength(3)
  })

  it('imports accounts from a file, and adds a key for another endpoint without showing it', async () => {
    const stage = await stageWith(2)
    const other = await aHome([{ ...signedIn(stage.simulator, 'carla'), accountLabel: 'carla' }])
    const terminal = await open(stage, ['accounts'])
    await pick(terminal, 'Import from another program or a file')
    await terminal.waitFor('File (an export')
    await terminal.type(path.join(other, '.opencode', 'oc-codex-multi-auth-accounts.json'))
    await terminal.press('Enter')
    await terminal.waitFor('1 would be added and 0 updated. Import?')
    await terminal.press('y')
    await terminal.waitFor('3 accounts (')
    await pick(terminal, 'Add an account')
    await pick(terminal, 'Third-party Codex API')
    await terminal.waitFor('Base URL of the endpoint')
    await terminal.type('http://codex.example.com')
    await terminal.press('Enter')
    await terminal.waitFor('must start with https://')
    await terminal.press('C-u')
    await terminal.type('https://codex.example.com')
    await terminal.press('Enter')
    await terminal.waitFor('API key')
    await terminal.type('key-that-nobody-sees')
    await terminal.press('Enter')
    expect(await terminal.waitFor('4 accounts (')).not.toContain('key-that-nobody-sees')
    expect((await stage.pool()).accounts).toMatchObject([
      {},
      {},
      { accountLabel: 'carla' },
      { apiKey: 'key-that-nobody-sees', baseUrl: 'https://codex.example.com' },
    ])
  })

  it('searches a long list at 60 by 20, and follows the size of the terminal', async () => {
    const terminal = await open(await stageWith(11), ['accounts'], { columns: 60, rows: 20 })
    await terminal.waitFor('11 accounts')
    await terminal.type('gin')
    await terminal.waitFor(/\(1 match\)/)
    expect(underCursor(await terminal.screen())).toContain('gina')
    await terminal.resize(100, 30)
    await sleep(500)
    expect(
      (await terminal.screen()).split('\n').filter((line) => line.includes('gina')),
    ).toHaveLength(1)
    await terminal.press('Enter')
    await terminal.waitFor('7 gina: ok')
    await terminal.press('Escape')
    const screen = await terminal.waitFor(/Search:[\s\S]*kim/)
    expect(screen).toMatch(/● +7 +gina/)
    await terminal.press('Escape')
    await expectSane(terminal, 0)
  })

  it.each([
    ['the list', [] as string[], '3 accounts'],
    ['the menu of an account', ['2   ben'], 'Switch to it'],
    [
      'a login that waits',
      ['Add an account', 'ChatGPT account (browser)'],
      'Waiting for the browser',
    ],
  ])('ends cleanly by Ctrl-C in %s', async (_where, way, shown) => {
    const terminal = await open(await stageWith(3), ['accounts'])
    for (const step of way) await pick(terminal, step)
    await terminal.waitFor(shown)
    await terminal.press('C-c')
    await expectSane(terminal, 130)
    for (const port of [1455, 1457]) expect(await isListening(port)).toBe(false)
  })

  it('goes back by Esc from a login that waits, and nothing listens then', async () => {
    const terminal = await open(await stageWith(1), ['accounts'])
    await pick(terminal, 'Add an account')
    await pick(terminal, 'ChatGPT account (browser)')
    await terminal.waitFor('Waiting for the browser')
    await terminal.press('Escape')
    await terminal.waitFor(/The login was cancelled\.[\s\S]*1 account \(/)
    for (const port of [1455, 1457]) expect(await isListening(port)).toBe(false)
  })

  it('login offers the ways to sign in, the device code first over SSH, and signs in', async () => {
    const stage = await stageWith(1)
    const terminal = await open({ ...stage, env: { ...stage.env, SSH_TTY: '/dev/pts/1' } }, [
      'login',
    ])
    expect(underCursor(await terminal.waitFor('How do you want to sign in?'))).toContain(
      'device code',
    )
    await terminal.press('Enter')
    await terminal.waitFor('Account 2 (be')
    await expectSane(terminal, 0)
    expect((await stage.pool()).accounts).toHaveLength(2)
  })

  it.each([
    ['C-c', 130, 2],
    ['C-d', 2, 2],
    ['n', 0, 2],
    ['y', 0, 1],
  ] as const)('logout asks first, and takes %s for an answer', async (key, code, left) => {
    const stage = await stageWith(2)
    const terminal = await open(stage, ['logout', 'ben'])
    await terminal.waitFor('Continue? [y/N]')
    await terminal.press(key, ...(key.length === 1 ? ['Enter'] : []))
    await expectSane(terminal, code)
    expect((await stage.pool()).accounts).toHaveLength(left)
  })

  it('login that is cancelled by Ctrl-C changes nothing and leaves nothing listening', async () => {
    const stage = await stageWith(1)
    const terminal = await open(stage, ['login'])
    await pick(terminal, 'ChatGPT account (browser)')
    await terminal.waitFor('Waiting for the browser')
    expect(await isListening(1455)).toBe(true)
    await terminal.press('C-c')
    await expectSane(terminal, 130)
    expect(await isListening(1455)).toBe(false)
    expect((await stage.pool()).accounts).toHaveLength(1)
  })

  it('uses no colour when NO_COLOR says so', async () => {
    const stage = await stageWith(3)
    const output = path.join(stage.home, 'typescript')
    const terminal = await openTerminal({
      command: ['script', '-q', '-c', `${process.execPath} ${packedCli()} accounts`, output],
      cwd: stage.home,
      env: { ...stage.env, NO_COLOR: '1' },
      columns: 80,
      rows: 24,
    })
    onTestFinished(() => terminal.close())
    await terminal.waitFor('3 accounts')
    await terminal.press('Escape')
    await terminal.waitForEnd()
    expect(await readFile(output, 'utf8')).not.toMatch(/\u001b\[[\d;]*m/)
  })
})

describe('the menu from opencode auth login', () => {
  const LABEL = 'Manage ChatGPT accounts'
  const stage = useStage({ signedIn: ['personal', 'work'] })

  it.skipIf(noTerminal)(
    'opens on a terminal, takes the keys, and leaves the entry of OpenCode as it was',
    async () => {
      const { host, accountsFile } = stage()
      const before = await readFile(host.authFile, 'utf8')
      const planted = await plantIn(host)
      onTestFinished(planted.remove)
      const terminal = await openTerminal({
        command: [
          'sh',
          '-c',
          `"$0" auth login --provider openai; echo "exit code $?"; sleep 60`,
          host.binary,
        ],
        cwd: host.project,
        env: host.env,
        columns: 80,
        rows: 24,
      })
      onTestFinished(() => terminal.close())
      await pick(terminal, LABEL)
      await terminal.waitFor('2 accounts (')
      await pick(terminal, '2   ')
      await pick(terminal, 'Switch to it')
      await terminal.waitFor('New sessions go to Account 2')
      await pick(terminal, 'Quit')
      await terminal.waitFor('exit code 0')
      expect(JSON.parse(await readFile(accountsFile, 'utf8')).activeIndex).toBe(1)
      expect(JSON.parse(await readFile(host.authFile, 'utf8'))).toEqual(JSON.parse(before))
      expect(await planted.effects()).toEqual([])
    },
  )

  it('says the command where there is no terminal', async () => {
    const login = await stage().host.login(LABEL)
    expect(login.stdout + login.stderr).toContain('npx oc-codex-multi-auth accounts')
    expect(login.code).toBe(0)
  })

  it('is not listed before there is an account, and never touches a login of the host’s own', async () => {
    const { host, accountsFile } = stage()
    const theirs = JSON.stringify({
      openai: { type: 'oauth', refresh: 'theirs', access: 'theirs', expires: 1 },
    })
    await writeFile(host.authFile, theirs)
    const login = await host.login(LABEL)
    expect(login.stdout + login.stderr).toContain('Nothing was changed in OpenCode’s own login')
    expect(await readFile(host.authFile, 'utf8')).toBe(theirs)
    await rm(accountsFile)
    const unknown = await host.login(LABEL)
    expect(unknown.stdout + unknown.stderr).toContain('Unknown method')
  })
})

describe('the package', () => {
  it('keeps the menu and its library out of everything that OpenCode loads', async () => {
    const dist = path.dirname(packedCli())
    const names = (await readdir(dist)).filter((name) => name.endsWith('.js'))
    const texts = new Map(
      await Promise.all(
        names.map(async (name) => [name, await readFile(path.join(dist, name), 'utf8')] as const),
      ),
    )
    const holders = names.filter((name) => texts.get(name)?.includes('clack:cancel') === true)
    expect(holders.length).toBeGreaterThan(0)
    // What an entry imports at once, and what that imports; `import(…)` waits until somebody asks.
    const loaded = new Set<string>()
    const load = (name: string): void => {
      if (loaded.has(name)) return
      loaded.add(name)
      for (const [, next = ''] of (texts.get(name) ?? '').matchAll(
        /(?:from|^import|;import)\s*"\.\/([^"]+)"/gm,
      ))
        load(next)
    }
    for (const entry of [
      'index.js',
      'tui.js',
      'tools.js',
      'dialog.js',
      ...names.filter((name) => name.startsWith('chunk-core-')),
    ])
      load(entry)
    expect(loaded.size).toBeGreaterThan(6)
    expect([...loaded].filter((name) => holders.includes(name))).toEqual([])
  })
})

describe('the commands without a terminal', () => {
  const run = async ({ home, env }: CliStage, ...args: string[]): ReturnType<typeof endOf> =>
    endOf(
      startProcess({ file: process.execPath, args: [packedCli(), ...args], cwd: home, env }),
      30_000,
    )

  it('accounts prints the list and a hint and ends, although nobody can be asked', async () => {
    const stage = await stageWith(3)
    expect(await run(stage, 'accounts')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/anna[\s\S]*ben[\s\S]*carla[\s\S]*is a menu/),
    })
    expect(JSON.parse((await run(stage, 'accounts', '--json')).stdout)).toMatchObject({
      totalAccounts: 3,
    })
  })

  it('login --account tells the account that signed in from the one that was asked for', async () => {
    const stage = await stageWith(2)
    const other = await run(stage, 'login', '--device', '--account', 'ben')
    expect(other).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        /another account: Account 3 \(.*\), which was added\. Account 2 \(ben\) is as before\./,
      ),
    })
    stage.simulator.changeSettings({ autoApprove: 'ben' })
    expect(await run(stage, 'login', '--device', '--account', 'ben')).toMatchObject({
      code: 0,
      stdout: 'Account 2 (ben) is signed in.\n',
    })
    expect(await run(stage, 'login', '--device', '--account', 'nobody')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no account "nobody"'),
    })
  })

  it('logout shows what would happen, does it with --yes, and import undoes it; the backend hears nothing', async () => {
    const stage = await stageWith(2)
    const asked = stage.simulator.requests.length
    expect(await run(stage, 'logout', 'ben')).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('Nothing was changed'),
    })
    const done = await run(stage, 'logout', 'ben', '--yes')
    expect(done.code).toBe(0)
    expect((await stage.pool()).accounts).toHaveLength(1)
    const backup = /Undo: npx oc-codex-multi-auth import (\S+)/.exec(done.stdout)?.[1] ?? ''
    expect((await run(stage, 'import', backup)).code).toBe(0)
    expect((await stage.pool()).accounts.map(({ accountLabel }) => accountLabel)).toEqual([
      'anna',
      'ben',
    ])
    expect(stage.simulator.requests).toHaveLength(asked)
  })

  it('logout of the last account takes our entry, and ours alone, out of OpenCode’s login file', async () => {
    const stage = await stageWith(1)
    const file = path.join(stage.home, '.local', 'share', 'opencode', 'auth.json')
    await mkdir(path.dirname(file), { recursive: true })
    const marker = 'managed-by-oc-codex-multi-auth'
    await writeFile(
      file,
      JSON.stringify({
        openai: { type: 'oauth', refresh: marker, access: marker, expires: 1 },
        other: { type: 'api', key: 'k' },
      }),
    )
    expect((await run(stage, 'logout', '--all', '--yes')).stdout).toContain('was removed too')
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ other: { type: 'api', key: 'k' } })
  })
})
