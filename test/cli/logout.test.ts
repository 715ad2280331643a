import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { MANAGED_AUTH } from '../../lib/login/managed-entry.js'
import { aHome } from '../support/home.js'
import { runCli } from '../support/run-cli.js'
import { failFiles } from '../support/faulty-files.js'
import { expectPrivate } from '../support/private-place.js'

const account = (name: string): Record<string, unknown> => ({
  refreshToken: `rt-${name}`,
  accountId: `id-${name}`,
  accountUserId: `user-${name}`,
  accountLabel: name,
  addedAt: 1,
  lastUsed: 0,
})

const poolIn = async (home: string): Promise<{ accounts: { accountLabel: string }[] }> =>
  JSON.parse(
    await readFile(path.join(home, '.opencode', 'oc-codex-multi-auth-accounts.json'), 'utf8'),
  ) as { accounts: { accountLabel: string }[] }
const namesIn = async (home: string): Promise<string[]> =>
  (await poolIn(home)).accounts.map(({ accountLabel }) => accountLabel)

async function hostLogins(home: string, content: unknown): Promise<string> {
  const folder = path.join(home, '.local', 'share', 'opencode')
  await mkdir(folder, { recursive: true })
  const file = path.join(folder, 'auth.json')
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content), {
    mode: 0o600,
  })
  return file
}

describe('logout', () => {
  it('without --yes and without a terminal says what would happen, changes nothing and ends with 2', async () => {
    const home = await aHome([account('anna'), account('ben')])
    const { code, stdout } = await runCli(home, ['logout', 'anna'])
    expect(code).toBe(2)
    expect(stdout).toContain('Account 1 (anna) would be logged out')
    expect(stdout).toContain('--yes')
    expect(await namesIn(home)).toEqual(['anna', 'ben'])
  })

  it('asks on a terminal, and anything but yes changes nothing', async () => {
    const home = await aHome([account('anna')])
    expect(await runCli(home, ['logout', '1'], { answer: 'n' })).toMatchObject({
      code: 0,
      stdout: 'Nothing was changed.\n',
      stderr: expect.stringContaining('Continue? [y/N]'),
    })
    expect(await namesIn(home)).toEqual(['anna'])
    expect(await runCli(home, ['logout', '1'], { answer: 'y' })).toMatchObject({ code: 0 })
    expect(await namesIn(home)).toEqual([])
  })

  it.each(['--yes', '--confirm'])(
    'with %s removes one account, and the import it names brings it back',
    async (flag) => {
      const home = await aHome([account('anna'), account('ben')])
      const { code, stdout } = await runCli(home, ['logout', 'anna', flag])
      expect(code).toBe(0)
      expect(stdout).toContain('Account 1 (anna) is logged out on this machine; 1 left.')
      expect(await namesIn(home)).toEqual(['ben'])
      const backup = /Undo: npx oc-codex-multi-auth import (["']?)(.+)\1$/m.exec(stdout)?.[2] ?? ''
      await expectPrivate(backup)
      expect((await runCli(home, ['import', backup])).code).toBe(0)
      expect(await namesIn(home)).toEqual(['ben', 'anna'])
    },
  )

  it('with --all removes every account in one step and takes our mark out of OpenCode’s login file, nothing else', async () => {
    const home = await aHome([account('anna'), account('ben')])
    const file = await hostLogins(home, {
      anthropic: { type: 'api', key: 'k' },
      openai: MANAGED_AUTH,
    })
    const { code, stdout } = await runCli(home, ['logout', '--all', '--yes', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      accounts: [{ index: 1 }, { index: 2 }],
      loggedOut: true,
      remaining: 0,
      hostEntry: 'removed',
    })
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      anthropic: { type: 'api', key: 'k' },
    })
    await expectPrivate(file)
    expect(await readdir(path.join(home, '.opencode', 'backups'))).toHaveLength(1)
  })

  it('leaves OpenCode’s login file alone while accounts are left', async () => {
    const home = await aHome([account('anna'), account('ben')])
    const file = await hostLogins(home, { openai: MANAGED_AUTH })
    await runCli(home, ['logout', 'ben', '--yes'])
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ openai: MANAGED_AUTH })
  })

  it.each([
    [
      'a login of the host’s own',
      '{"openai":{"type":"oauth","refresh":"theirs","access":"theirs","expires":1}}',
      'foreign',
    ],
    ['a key', '{"openai":{"type":"api","key":"theirs"}}', 'foreign'],
    ['a broken file', '{"openai":', 'unreadable'],
    ['no entry', '{"anthropic":{}}', 'absent'],
  ])('never rewrites OpenCode’s login file with %s in it', async (_what, text, hostEntry) => {
    const home = await aHome([account('anna')])
    const file = await hostLogins(home, text)
    expect(
      JSON.parse((await runCli(home, ['logout', 'anna', '--yes', '--json'])).stdout),
    ).toMatchObject({ hostEntry })
    expect(await readFile(file, 'utf8')).toBe(text)
  })

  it('keeps OpenCode’s entry while a project has a pool of its own', async () => {
    const home = await aHome([account('anna')])
    const file = await hostLogins(home, { openai: MANAGED_AUTH })
    await mkdir(path.join(home, '.opencode', 'projects', 'site-0123456789ab'), { recursive: true })
    expect((await runCli(home, ['logout', 'anna', '--yes'])).stdout).toContain('another pool')
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ openai: MANAGED_AUTH })
  })

  it.each([
    [[], 2],
    [['anna', '--all'], 2],
    [['anna', 'ben'], 2],
    [['nobody', '--yes'], 1],
  ])('refuses %j with one sentence and exit code %i', async (args, expected) => {
    const home = await aHome([account('anna'), account('ben')])
    const { code, stderr } = await runCli(home, ['logout', ...args])
    expect(code).toBe(expected)
    expect(stderr).toMatch(/Say which account|There is no account/)
    expect(await namesIn(home)).toEqual(['anna', 'ben'])
  })

  it('shows no token, whatever it is asked', async () => {
    const home = await aHome([account('anna'), account('ben')])
    const outputs = [
      await runCli(home, ['logout', 'anna', '--json']),
      await runCli(home, ['logout', '--all', '--yes', '--json']),
    ]
    expect(JSON.stringify(outputs)).not.toContain('rt-')
  })
})

describe('accounts without a terminal', () => {
  it('prints the list and a hint, and waits for nobody', async () => {
    const home = await aHome([account('anna'), account('ben')])
    const { code, stdout } = await runCli(home, ['accounts'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/1\* {2}anna[\s\S]*ben[\s\S]*is a menu/)
  })

  it('prints the same JSON as list', async () => {
    const home = await aHome([account('anna')])
    expect((await runCli(home, ['accounts', '--json'])).stdout).toBe(
      (await runCli(home, ['list', '--json'])).stdout,
    )
  })

  it('names the undo also when OpenCode’s login file cannot be written', async () => {
    const home = await aHome([account('anna')])
    const file = await hostLogins(home, { openai: MANAGED_AUTH })
    failFiles('open', (target) =>
      target !== file && path.dirname(target) === path.dirname(file) ? 'EACCES' : undefined,
    )
    const { code, stdout } = await runCli(home, ['logout', '1', '--yes'])
    expect(code).toBe(0)
    expect(stdout).toContain('could not be written')
    expect(stdout).toContain('Undo: ')
  })
})
