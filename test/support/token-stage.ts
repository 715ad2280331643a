import path from 'node:path'

import { onTestFinished } from 'vitest'

import { withLogin } from '../../lib/accounts/edits.js'
import { type AccountStore, createAccountStore } from '../../lib/accounts/store/store.js'
import type { Account } from '../../lib/accounts/account.js'
import { OAuthClient } from '../../lib/oauth/oauth-client.js'
import { Tokens } from '../../lib/tokens/tokens.js'
import { type Clock, systemClock } from '../../lib/kernel/clock.js'
import { temporaryFolder } from './temporary.js'
import { startTokenServer, type TokenServer } from './token-server.js'

export interface TokenStage {
  readonly server: TokenServer
  readonly store: AccountStore
  readonly account: Account
  /** Tokens of another window over the same files. */
  newTokens(changed?: Partial<ConstructorParameters<typeof Tokens>[0]>): Tokens
  /** Toasts of every window, in order. */
  readonly toasts: readonly string[]
  /** Warnings and errors in the log of every window, in order. */
  readonly complaints: readonly string[]
  /** Everything that lies on the disk: the account file, leases and journals. */
  readonly folder: string
  /** Folder on another disk, as it were, for tokens that find no room. */
  readonly spareDir: string
  readonly file: string
  /** Folder of leases and journals. */
  readonly dir: string
  readonly refreshToken: string
}

/** One account in a pool, its login server, and any number of windows over them. */
export async function tokenStage(
  options: { expiresInMs?: number; lifetimeSeconds?: number; clock?: Clock } = {},
): Promise<TokenStage> {
  const clock = options.clock ?? systemClock
  const folder = await temporaryFolder()
  const server = await startTokenServer(options)
  onTestFinished(() => server.close())
  const file = path.join(folder, 'accounts.json')
  const dir = path.join(folder, 'refresh')
  const spareDir = path.join(await temporaryFolder(), 'spare')
  const toasts: string[] = []
  const complaints: string[] = []
  const newStore = (): AccountStore =>
    createAccountStore({ path: file, backupsDir: path.join(folder, 'backups'), clock: systemClock })
  const newTokens: TokenStage['newTokens'] = (changed = {}) => {
    const tokens = new Tokens({
      store: newStore(),
      clock,
      random: () => 0.5,
      log: {
        log: (level, message) => {
          if (level === 'warn' || level === 'error') complaints.push(message)
        },
      },
      label: () => 'Account 1',
      dir,
      spareDirs: [spareDir],
      toast: ({ message }) => void toasts.push(message),
      refreshGrant: new OAuthClient({
        endpoints: { issuer: server.issuer, backend: server.issuer },
        fetch,
        clock,
        userAgent: 'test',
      }).refresh,
      settings: { refreshSkewMs: 60_000 },
      ...changed,
    })
    onTestFinished(() => tokens.close())
    return tokens
  }
  const store = newStore()
  const refreshToken = server.grant('a')
  const login = {
    refreshToken,
    accessToken: 'at_first',
    expiresAt: Date.now() + (options.expiresInMs ?? 3_600_000),
    accountId: 'w',
    addedAt: 0,
    lastUsed: 0,
  }
  const pool = await store.update((before) => withLogin(before, login).pool)
  const account = pool.accounts[0]
  if (account === undefined) throw new Error('the pool has the account that was just put in')
  return {
    server,
    store,
    account,
    newTokens,
    toasts,
    complaints,
    folder,
    spareDir,
    file,
    dir,
    refreshToken,
  }
}
