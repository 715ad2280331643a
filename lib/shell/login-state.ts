import type { PluginInput } from '@opencode-ai/plugin'

import {
  MAX_FOREIGN_BYTES,
  readBoundedFile,
  readBoundedFileSync,
} from '../kernel/files/bounded-file.js'
import { fsNow } from '../kernel/files/fs-now.js'
import type { Paths } from '../kernel/files/paths.js'
import { isRecord } from '../kernel/text/json.js'
import { MANAGED_AUTH } from '../login/managed-entry.js'

/**
 * OpenCode asks a provider's plugin only when its login file names the provider
 * (docs/development/facts/opencode-host.md#start-up). When accounts exist but the entry does not (another plugin's
 * pool, a host logout), the entry is put back; the usual start reads one file.
 */
export async function registerWithHost(client: PluginInput['client'], paths: Paths): Promise<void> {
  try {
    const text =
      process.env.OPENCODE_AUTH_CONTENT ??
      (await readBoundedFile(paths.hostAuthFile, MAX_FOREIGN_BYTES)) ??
      '{}'
    const logins: unknown = JSON.parse(text)
    const isNamed = isRecord(logins) && 'openai' in logins
    if (!isNamed && (await hasAccounts(paths.accountsFile))) await markAsManaged(client)
  } catch {
    // An unreadable login file is the host's own affair; a start never fails here.
  }
}

/** Puts our mark into the host's login file. */
export async function markAsManaged(client: PluginInput['client']): Promise<void> {
  await client.auth.set({ path: { id: 'openai' }, body: MANAGED_AUTH })
}

/** Whether an account is signed in. A file that cannot be read counts, so that the core can say what is wrong with it. */
export async function hasAccounts(accountsFile: string): Promise<boolean> {
  try {
    return namesAccounts(await readBoundedFile(accountsFile, MAX_FOREIGN_BYTES))
  } catch {
    return true
  }
}

/** The same at once, for the list of the login methods. */
export function hasAccountsNow(accountsFile: string): boolean {
  try {
    return namesAccounts(readBoundedFileSync(fsNow(), accountsFile, MAX_FOREIGN_BYTES))
  } catch {
    return true
  }
}

/** @throws SyntaxError when the text is not JSON */
function namesAccounts(text: string | undefined): boolean {
  if (text === undefined) return false
  const pool: unknown = JSON.parse(text)
  return isRecord(pool) && Array.isArray(pool.accounts) && pool.accounts.length > 0
}
