import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { readdir } from 'node:fs/promises'

import { describe, expect, it } from 'vitest'

import { commands } from '../../lib/cli/commands.js'
import { SETTING_NAMES } from '../../lib/config/setting-names.js'
import { aHome } from '../support/home.js'
import { holdLock } from '../support/held-lock.js'
import { SCRIPTS } from '../../lib/cli/completion/scripts.js'
import { runCli } from '../support/run-cli.js'

const ACCOUNTS = [
  {
    refreshToken: 'rt-a',
    accountId: 'a',
    addedAt: 1,
    lastUsed: 0,
    accountLabel: 'work',
    accountTags: ['team'],
  },
  { refreshToken: 'rt-b', accountId: 'b', addedAt: 1, lastUsed: 0, email: 'me@example.test' },
]

/** The words offered for the last one. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const home = await aHome(ACCOUNTS)
  const { code, stdout } = await runCli(home, ['completion', '--words', '--', ...words])
  expect(code).toBe(0)
  return stdout.split('\n').filter((_line, place) => place % 2 === 0 && _line !== '')
}

describe('completion', () => {
  it('offers every command', async () => {
    expect(await offered('')).toEqual(commands.map(({ name }) => name))
    expect(await offered('li')).toEqual(['list', 'limits'])
  })

  it.each([
    [['limits', '--c'], ['--cached']],
    [['limits', '--wa'], ['--watch']],
    [['login', '--de'], ['--device']],
    [
      ['switch', ''],
      ['1', '2', 'work'],
    ],
    [['switch', 'w'], ['work']],
    [['switch', 'work', ''], []],
    [
      ['logout', ''],
      ['1', '2', 'work'],
    ],
    [['login', '--account', 'w'], ['work']],
    [['login', '--account=w'], ['--account=work']],
    [
      ['login', '--account', '='],
      ['1', '2', 'work'],
    ],
    [['list', '--tag', ''], ['team']],
    [['pool', '--action', 'f'], ['fence']],
    [['pool', '--action', 'fence', '--accounts', '1,w'], ['1,work']],
    [['switch', '--pin', 's'], ['soft']],
    [
      ['keychain', ''],
      ['status', 'migrate', 'rollback'],
    ],
    [['config', 'se'], ['set']],
    [['config', 'set', 'rotationSt'], ['rotationStrategy']],
    [
      ['config', 'set', 'tools', ''],
      ['core', 'full', 'off'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['import', ''], [':files']],
    [['dashboard', '--html', ''], [':files']],
    [['nonsense', ''], []],
  ])('completes %j to %j', async (words, expected) => {
    const found = await offered(...words)
    expect([...found].sort()).toEqual([...expected].sort())
  })

  it('offers the names of all settings', async () => {
    expect(await offered('config', 'unset', '')).toEqual(SETTING_NAMES)
    expect(await offered('config', 'c')).toContain('check')
  })

  it('waits for no lock and leaves nothing behind', async () => {
    const home = await aHome(ACCOUNTS)
    const folder = path.join(home, '.opencode')
    const release = await holdLock(
      path.join(folder, 'oc-codex-multi-auth-accounts.json.transaction'),
    )
    const before = await readdir(folder)
    const { stdout } = await runCli(home, ['completion', '--words', '--', 'switch', 'w'])
    expect(stdout).toBe('work\naccount 1\n')
    expect(await readdir(folder)).toEqual(before)
    await release()
  })

  it('offers what it can where the account file is broken or missing', async () => {
    const { stdout, code } = await runCli(await aHome([]), [
      'completion',
      '--words',
      '--',
      'switch',
      '',
    ])
    expect({ stdout, code }).toEqual({ stdout: '', code: 0 })
  })

  it('says how to install it, and which shells there are', async () => {
    const help = await runCli(await aHome([]), ['completion', '--help'])
    expect(help.stdout).toContain('eval "$(oc-codex-multi-auth completion bash)"')
    expect(await runCli(await aHome([]), ['completion', 'tcsh'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('bash, zsh, fish'),
    })
  })
})

it.skipIf(spawnSync('bash', ['-c', 'true']).status !== 0)(
  'loads and answers without a word in the bash of macOS, which has no compopt and reads no <(…)',
  () => {
    const { stdout, stderr } = spawnSync(
      'bash',
      [
        '--norc',
        '-c',
        `enable -n compopt
command() { echo :files; }
eval "$SCRIPT"
COMP_WORDS=(oc-codex-multi-auth import "") COMP_CWORD=2
_oc_codex_multi_auth
echo "\${#COMPREPLY[@]}"`,
      ],
      { encoding: 'utf8', env: { ...process.env, SCRIPT: SCRIPTS.bash } },
    )
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' })
  },
)
