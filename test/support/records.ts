import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import type { StoredAccount } from '../../lib/accounts/account.js'
import type { Simulator } from '../../simulator/index.js'

/** A record of an account file as it lies on the disk. */
export type RecordOnDisk = Record<string, unknown>

/** An account with a login that stays good; `more` replaces and adds members. */
export function anAccount(name: string, more: RecordOnDisk = {}): StoredAccount {
  return {
    refreshToken: `rt-${name}`,
    accessToken: `at-${name}`,
    expiresAt: Date.UTC(2100, 0, 1),
    accountId: `id-${name}`,
    email: `${name}@example.test`,
    addedAt: 1,
    lastUsed: 0,
    ...more,
  }
}

type Logins = Pick<Simulator, 'login' | 'account'>

/** An account as the pool holds it after a login at a simulator. */
export function signedIn(
  simulator: Logins,
  name: string,
  expiresInMs = 3_600_000,
  tokens = simulator.login(name),
): StoredAccount {
  const { accountId, uid, email } = simulator.account(name)
  return {
    refreshToken: tokens.refresh_token,
    accessToken: tokens.access_token,
    expiresAt: Date.now() + expiresInMs,
    accountId,
    accountUserId: uid,
    email,
    addedAt: 1,
    lastUsed: 0,
  }
}

/** The text of an account file. */
export function aPool(accounts: readonly object[]): string {
  return `${JSON.stringify({ version: 3, accounts, activeIndex: 0 }, undefined, 2)}\n`
}

/** Where a home has its account file. */
export function accountsFileOf(home: string): string {
  return path.join(home, '.opencode', 'oc-codex-multi-auth-accounts.json')
}

/** Puts accounts into an account file, and makes its folder. */
export async function writePool(file: string, accounts: readonly object[]): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(file, aPool(accounts), { mode: 0o600 })
}
