import { expect, it } from 'vitest'

import { aHome } from '../support/home.js'
import { runCli } from '../support/run-cli.js'

it.each([
  [['remove'], 'Argument account is missing.'],
  [['keychain', 'nonsense'], 'Argument command: '],
  [['import', 'a', 'b'], 'import takes at most 1 argument without a flag.'],
  [['list', 'extra'], 'list takes no argument without a flag.'],
  [['logout'], 'Say which account to log out'],
  [['login', '--browser', '--device'], 'Choose one of --browser'],
  [['config', 'a', 'b'], 'config takes at most one name.'],
  [['install', '--modern', '--full'], 'Choose one of --modern, --full.'],
  [['list', '--nonsense'], "Unknown option '--nonsense'.\n"],
  [['replay', '--number'], "Option '--number <value>' argument missing.\n"],
  [['replay', '--number', '-1'], "Option '--number' argument is ambiguous.\n"],
  [['doctor', '--drill', '--fix'], '--drill stands alone.'],
  [['simulate', '--port', '99999999'], '--port must be a whole number'],
])('ends with 2 after one sentence when it is called wrongly: %j', async (argv, sentence) => {
  const home = await aHome([{ refreshToken: 'rt-a', accountId: 'a', addedAt: 1, lastUsed: 0 }])
  expect(await runCli(home, argv)).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining(sentence),
  })
})

it('says where help is, however it was called wrongly, in one line behind the sentence', async () => {
  const home = await aHome([])
  for (const argv of [
    ['list', '--nonsense'],
    ['diag', '--snapshots', '0'],
    ['install', 'extra'],
    ['personality', 'use', '--nonsense'],
    ['import', '--from', 'nobody'],
  ]) {
    const { code, stderr } = await runCli(home, argv)
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(
        new RegExp(`^[^\\n]+\\.\\nHelp: npx oc-codex-multi-auth ${argv[0] ?? ''} --help\\n$`),
      ),
    ])
  }
})

it('ends with 1 when the account is unknown: the call itself was right', async () => {
  const home = await aHome([{ refreshToken: 'rt-a', accountId: 'a', addedAt: 1, lastUsed: 0 }])
  expect(await runCli(home, ['remove', 'nobody', '--confirm'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('There is no account "nobody"'),
  })
})

it('gives an error as JSON to who asked for JSON, and the sentence for people beside it', async () => {
  const { code, stdout, stderr } = await runCli(await aHome([]), ['switch', 'nobody', '--json'])
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({
    error: { code: 'no_accounts', message: expect.stringContaining('No ChatGPT account') },
  })
  expect(stderr).toContain('No ChatGPT account')
})

it('says as JSON too that there is no such command', async () => {
  const { code, stdout, stderr } = await runCli(await aHome([]), ['nonsense', '--json'])
  expect(code).toBe(2)
  expect(JSON.parse(stdout)).toMatchObject({
    error: { code: 'invalid_input', message: 'There is no command "nonsense".' },
  })
  expect(stderr).toContain('Usage: ')
})
