import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { runCli } from '../support/run-cli.js'
import { temporaryFolder } from '../support/temporary.js'
import { expectPrivate } from '../support/private-place.js'

async function login(
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; answer?: string } = {},
) {
  const home = await temporaryFolder()
  const file = path.join(home, '.opencode', 'oc-codex-multi-auth-accounts.json')
  const ended = await runCli(home, ['login', ...args], options)
  const text = await readFile(file, 'utf8').catch(() => '{"accounts":[]}')
  return { ...ended, file, accounts: (JSON.parse(text) as { accounts: unknown[] }).accounts }
}

describe('login with an API key', () => {
  it('puts a key for the public API into the pool when no endpoint is named, and never prints it', async () => {
    const { code, stdout, stderr, accounts, file } = await login(['--api-key'], {
      answer: ' sk-made-up ',
    })
    expect(code, stderr).toBe(0)
    expect(accounts).toMatchObject([
      { kind: 'api-key', apiKey: 'sk-made-up', baseUrl: 'https://api.openai.com/v1' },
    ])
    expect(stdout).toBe('Account 1 (api.openai.com) is in the pool.\n')
    await expectPrivate(file)
  })

  it('takes it from OPENAI_API_KEY when asked for one, after OC_CODEX_API_KEY, and says so', async () => {
    const env = { OPENAI_API_KEY: 'sk-made-up-public' }
    const taken = await login(['--api-key'], { env })
    expect(taken.accounts).toMatchObject([{ apiKey: 'sk-made-up-public' }])
    expect(taken.stdout).toContain('The key is from OPENAI_API_KEY.')
    const own = await login(['--api-key', '--json'], {
      env: { ...env, OC_CODEX_API_KEY: 'sk-made-up-own' },
    })
    expect(own.accounts).toMatchObject([{ apiKey: 'sk-made-up-own' }])
    expect(JSON.parse(own.stdout)).toMatchObject({
      account: 'Account 1 (api.openai.com)',
      keyFrom: 'OC_CODEX_API_KEY',
    })
    expect(own.stdout).not.toContain('sk-')
  })

  it('never takes the key of the public API for another endpoint', async () => {
    const refused = await login(['--endpoint', 'https://codex.example.com'], {
      env: { OPENAI_API_KEY: 'sk-made-up' },
    })
    expect(refused).toMatchObject({
      code: 1,
      accounts: [],
      stderr: expect.stringContaining('OC_CODEX_API_KEY'),
    })
    expect(refused.stderr).not.toContain('OPENAI_API_KEY')
  })

  it.each([
    [
      ['--api-key'],
      1,
      'Set the key in the environment variable OC_CODEX_API_KEY or OPENAI_API_KEY',
    ],
    [['--api-key', '--device'], 2, 'Choose either an API key or a ChatGPT login.'],
    [['--endpoint', 'http://codex.example.com'], 1, 'must start with https://'],
  ])('answers %j with one clear sentence and exit code %i', async (args, code, sentence) => {
    const answer = args[0] === '--endpoint' ? { answer: 'sk-made-up' } : {}
    expect(await login(args, answer)).toMatchObject({
      code,
      accounts: [],
      stderr: expect.stringContaining(sentence),
    })
  })
})
