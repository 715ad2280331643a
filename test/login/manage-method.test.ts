import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { MANAGED_AUTH } from '../../lib/login/managed-entry.js'
import { isLoginCommand, manageAccounts, type ManageDeps } from '../../lib/login/manage-method.js'
import { temporaryFolder } from '../support/temporary.js'

const LOGIN = ['opencode', '/$bunfs/root/index.js', 'auth', 'login', '--provider', 'openai']

async function deps(
  changes: Partial<ManageDeps> & { readonly entry?: unknown } = {},
): Promise<ManageDeps & { readonly said: string[] }> {
  const folder = await temporaryFolder()
  const hostAuthFile = path.join(folder, 'auth.json')
  await mkdir(folder, { recursive: true })
  if (changes.entry !== undefined)
    await writeFile(hostAuthFile, JSON.stringify({ openai: changes.entry }))
  const said: string[] = []
  return {
    host: { log: () => undefined, toast: ({ message }) => void said.push(message) },
    hostAuthFile,
    hasAccounts: async () => true,
    argv: LOGIN,
    isTerminal: true,
    runMenu: async () => void said.push('menu'),
    said,
    ...changes,
  }
}

const callbackOf = async (given: ManageDeps): Promise<unknown> => {
  const result = await manageAccounts(given)
  if (result.method !== 'auto') throw new Error('the method asks for nothing')
  return result.callback()
}

describe('managing accounts from the host’s login methods', () => {
  it('runs the menu in opencode auth login on a terminal, before the host goes on', async () => {
    const given = await deps({ entry: MANAGED_AUTH })
    expect(await callbackOf(given)).toEqual({ ...MANAGED_AUTH, type: 'success' })
    expect(given.said).toEqual(['menu'])
  })

  it.each([
    ['in the TUI', { argv: ['opencode', '/$bunfs/root/index.js'] }],
    ['in a server', { argv: ['opencode', '/$bunfs/root/index.js', 'serve'] }],
    ['without a terminal', { isTerminal: false }],
  ])('%s never takes the screen, and says the command instead', async (_where, changes) => {
    const given = await deps(changes)
    expect((await manageAccounts(given)).instructions).toContain('npx oc-codex-multi-auth accounts')
    expect(given.said).toEqual([expect.stringContaining('npx oc-codex-multi-auth accounts')])
  })

  it('never answers with a success that would end a login of the host’s own', async () => {
    await expect(
      callbackOf(await deps({ entry: { type: 'oauth', refresh: 'theirs' } })),
    ).rejects.toThrow('Nothing was changed')
    await expect(callbackOf(await deps({ entry: { type: 'api', key: 'theirs' } }))).rejects.toThrow(
      'Nothing was changed',
    )
  })

  it('says that nobody is signed in when the last account went', async () => {
    await expect(callbackOf(await deps({ hasAccounts: async () => false }))).rejects.toThrow(
      'No ChatGPT account is signed in.',
    )
  })

  it('knows the login command by both of its names, and nothing else', () => {
    expect(isLoginCommand(LOGIN)).toBe(true)
    expect(isLoginCommand(['opencode', 'providers', 'login'])).toBe(true)
    for (const argv of [[], ['auth'], ['auth', 'list'], ['run', 'login'], ['login', 'auth']])
      expect(isLoginCommand(argv)).toBe(false)
  })
})
