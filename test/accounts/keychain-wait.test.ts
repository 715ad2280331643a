import { chmod, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { createVault } from '../../lib/accounts/keychain/vault.js'
import { createAccountStore } from '../../lib/accounts/store/store.js'
import { createCore } from '../../lib/core.js'
import { systemClock } from '../../lib/kernel/clock.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { firstTurn } from '../support/core-over.js'
import { memoryKeychain } from '../support/memory-keychain.js'
import { anAccount } from '../support/records.js'
import { runCli } from '../support/run-cli.js'
import { temporaryFolder } from '../support/temporary.js'

/** A home whose accounts are sealed, on a desktop where reading their key asks for a password. */
async function lockedDesktop(answer: (key: string) => string) {
  const home = await temporaryFolder()
  const { accountsFile } = resolvePaths({ HOME: home })
  const keychain = memoryKeychain()
  const vault = createVault({ keychain, clock: systemClock, optedIn: true })
  const backupsDir = path.join(path.dirname(accountsFile), 'backups')
  const store = createAccountStore({ path: accountsFile, backupsDir, clock: systemClock, vault })
  await store.update((pool) => ({ ...pool, accounts: [{ ...anAccount('a'), uid: 'a' }] }))
  const bin = path.join(home, 'bin')
  const asked = path.join(home, 'asked')
  const [key = ''] = [...keychain.items.values()]
  const program = path.join(home, 'secret-tool')
  await writeFile(program, `#!/bin/sh\necho asked >> '${asked}'\n${answer(key)}\n`)
  await chmod(program, 0o755)
  return {
    home,
    env: { HOME: home, PATH: `${bin}:${home}:/usr/bin:/bin`, DISPLAY: ':9' },
    timesAsked: async () =>
      (await readFile(asked, 'utf8').catch(() => '')).split('\n').filter(Boolean).length,
  }
}

describe.skipIf(process.platform !== 'linux')('a keychain that asks its owner', () => {
  it('is waited for by a command, which says at once what it waits for', async () => {
    const { home, env } = await lockedDesktop((key) => `sleep 1.8; printf %s '${key}'`)
    const { code, stdout, stderr } = await runCli(home, ['list'], { env })
    expect(code, stderr).toBe(0)
    expect(stdout).toContain('active')
    expect(stderr).toMatch(/^Waiting for the keyring: .*Ctrl-C gives up\.\n$/)
  })

  it('lets Ctrl-C end the command', async () => {
    const { home, env, timesAsked } = await lockedDesktop(() => 'exec sleep 600')
    const abort = new AbortController()
    const running = runCli(home, ['list'], { env, signal: abort.signal })
    await expect.poll(timesAsked).toBe(1)
    abort.abort()
    expect((await running).code).toBe(130)
  })

  it('holds up neither the plugin nor a request that the user gives up, and is told of on the screen', async () => {
    const { home, env, timesAsked } = await lockedDesktop(() => 'exec sleep 600')
    const said: string[] = []
    const core = await createCore({
      host: {
        log: () => undefined,
        toast: ({ message }) => void said.push(message),
      },
      paths: resolvePaths(env),
      env,
      directory: home,
    })
    onTestFinished(() => core.close())
    await expect.poll(() => said).toEqual([expect.stringContaining('your desktop may be asking')])
    const abort = new AbortController()
    const request = core.fetch('https://api.openai.com/v1/responses', {
      method: 'POST',
      body: await firstTurn(),
      signal: abort.signal,
    })
    setTimeout(() => abort.abort(), 50)
    await expect(request).rejects.toMatchObject({ name: 'AbortError' })
    expect(await timesAsked()).toBe(1)
  })
})
