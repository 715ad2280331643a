import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

import { expect, onTestFinished } from 'vitest'

import { parsePool } from '../../lib/accounts/store/pool-format.js'
import type { Account } from '../../lib/accounts/account.js'
import { parseLedger } from '../../lib/quota/ledger-state.js'
import { type Simulator, startSimulator } from '../../simulator/index.js'
import { type Ended, type Running, startProcess } from '../support/child-process.js'
import { temporaryFolder } from '../support/temporary.js'
import { accountsFileOf, signedIn, writePool } from '../support/records.js'

export interface ChaosStage {
  readonly simulator: Simulator
  readonly home: string
  readonly accountIds: readonly (string | undefined)[]
  /** Starts one window: so many requests, or `10s` of them. */
  start(name: string, amount: string, env?: Readonly<Record<string, string>>): Running
  /** Requests for tokens, and those among them that came with a spent one. */
  refreshes(): { readonly all: number; readonly reused: number }
  /** The accounts as they are on the disk; fails when a file of the plugin is not whole. */
  accountsAfterwards(): Promise<readonly Account[]>
}

/** A home with the accounts signed in at a simulator that makes tokens of one second, and windows over it. */
export async function chaosStage(
  worker: () => string,
  names: readonly string[],
  seed: number,
  runtime: { readonly command: string; readonly env: Readonly<Record<string, string>> } = {
    command: process.execPath,
    env: {},
  },
): Promise<ChaosStage> {
  const home = await temporaryFolder()
  const simulator = await startSimulator({
    accounts: names.map((name) => ({ name, windows: [{ minutes: 300, limit: 1_000_000 }] })),
    seed,
    settings: { accessTokenSeconds: 1 },
  })
  onTestFinished(() => simulator.close())
  const accounts = names.map((name) => signedIn(simulator, name, 1_000))
  const file = accountsFileOf(home)
  const root = path.dirname(file)
  await writePool(file, accounts)
  const base = {
    HOME: home,
    PATH: process.env.PATH ?? '',
    OC_CODEX_SIMULATOR_ISSUER: simulator.url,
    OC_CODEX_SIMULATOR_BACKEND: simulator.backend,
    CODEX_AUTH_TOKEN_REFRESH_SKEW_MS: '500',
    CODEX_AUTH_RETRY_PROFILE: 'aggressive',
  }
  return {
    simulator,
    home,
    accountIds: accounts.map(({ accountId }) => accountId),
    start: (name, amount, env) =>
      startProcess({
        file: runtime.command,
        args: [worker(), amount, name],
        cwd: home,
        env: { ...base, ...runtime.env, ...env },
      }),
    refreshes() {
      const all = simulator.requests.filter((request) => request.path === '/oauth/token')
      return { all: all.length, reused: all.filter((request) => request.status === 401).length }
    },
    async accountsAfterwards() {
      const pool = parsePool(await readFile(file, 'utf8'))
      if (pool.kind !== 'pool')
        throw new Error(`the account file is not whole: ${JSON.stringify(pool)}`)
      parseLedger(
        await readFile(
          path.join(home, '.local', 'state', 'opencode', 'oc-codex-multi-auth-quota.json'),
          'utf8',
        ),
      )
      expect((await readdir(root)).filter((name) => name.includes('corrupt'))).toEqual([])
      return pool.pool.accounts
    },
  }
}

/** The lines in which windows reported their requests. */
export function reports(ends: readonly Ended[]): string[] {
  return ends.flatMap(({ stdout }) =>
    stdout.split('\n').filter((line) => /^(?:ok|bad|faulty)/.test(line)),
  )
}

/** Fails unless every window came to its own end. */
export function expectCleanEnds(ends: readonly Ended[]): void {
  expect(
    ends.map(({ code }) => code),
    ends.map(({ stderr }) => stderr).join('\n'),
  ).toEqual(ends.map(() => 0))
}
