import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { expect, it, onTestFinished } from 'vitest'

import { commands } from '../../lib/cli/commands.js'
import { main } from '../../lib/cli/main.js'
import { temporaryFolder } from '../support/temporary.js'
import { startTokenServer } from '../support/token-server.js'
import { accountsFileOf, anAccount, writePool } from '../support/records.js'
import { homeIn } from '../support/home.js'

/** `refresh` on a disk that takes nothing from the moment the token is spent. */
async function refreshOnFullDisk({ isInteractive }: { isInteractive: boolean }) {
  const server = await startTokenServer()
  onTestFinished(() => server.close())
  const home = path.join(await temporaryFolder(), 'home')
  const file = accountsFileOf(home)
  await writePool(file, [
    anAccount('a', { refreshToken: server.grant('a'), accountId: 'w', accountLabel: 'work' }),
  ])
  let gone: Promise<void> = Promise.resolve()
  server.onSpent = () => {
    gone = rename(home, `${home}-away`).then(() => writeFile(home, ''))
  }
  // The answer waits until the disk is gone.
  server.delayMs = 200
  let stderr = ''
  const abort = new AbortController()
  let isOver = false
  const ended = main(commands, ['refresh'], {
    stdout: () => undefined,
    stderr: (text) => void (stderr += text),
    progress: () => undefined,
    ask: async () => undefined,
    openScreen: () => undefined,
    hasColours: false,
    isInteractive,
    columns: undefined,
    signal: abort.signal,
    env: {
      ...homeIn(home),
      OC_CODEX_SIMULATOR_ISSUER: server.issuer,
      OC_CODEX_SIMULATOR_BACKEND: server.issuer,
    },
    directory: path.dirname(home),
  }).finally(() => (isOver = true))
  const back = async (): Promise<void> => {
    await gone
    await rm(home)
    await rename(`${home}-away`, home)
  }
  return {
    ended,
    abort,
    back,
    stderr: () => stderr,
    isOver: () => isOver,
    stored: async () =>
      (JSON.parse(await readFile(file, 'utf8')) as { accounts: { refreshToken: string }[] })
        .accounts[0]?.refreshToken,
    server,
  }
}

it('a command at a terminal does not end while it alone has new tokens, says so, and ends with them stored (a login was lost by it after 5 s)', async () => {
  const run = await refreshOnFullDisk({ isInteractive: true })
  await expect
    .poll(run.stderr, { timeout: 30_000 })
    .toMatch(/work.*waiting to write the new tokens.*Ctrl-C gives up/)
  // Longer than closing alone would ask the disk.
  await new Promise((resolve) => setTimeout(resolve, 7_000))
  expect(run.isOver()).toBe(false)
  await run.back()
  expect(await run.ended).toBe(1)
  expect(await run.stored()).toBe('rt_a_2')
  expect(run.stderr()).toContain('are saved now')
  expect(run.stderr()).not.toContain('lost when this command ends')
  expect(run.server.counts.rotated).toBe(1)
}, 60_000)

it.each([
  ['the user gives up', true],
  ['nobody sits at a terminal', false],
])(
  'a command that ends with tokens stored nowhere says that the login is lost and what to do, when %s',
  async (_when, isInteractive) => {
    const run = await refreshOnFullDisk({ isInteractive })
    if (isInteractive) {
      await expect.poll(run.stderr, { timeout: 30_000 }).toContain('Ctrl-C gives up')
      run.abort.abort()
    }
    expect(await run.ended).toBe(1)
    expect(run.stderr()).toMatch(
      /work.*could not be written to any disk and are lost.*Sign in again: opencode auth login/,
    )
  },
  60_000,
)
