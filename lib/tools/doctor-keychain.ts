import path from 'node:path'

import { findPlainCopies } from '../accounts/plain-copies.js'
import { sealStateOf } from '../accounts/seal-state.js'
import { isCodexError, messageOf } from '../kernel/errors.js'
import type { Runtime } from '../runtime.js'
import type { Finding } from './doctor-checks.js'

/** Whether a sealed account file opens, and whether what should be sealed is. Says nothing to whom it does not concern. */
export async function keychain({ vault, store }: Runtime): Promise<readonly Finding[]> {
  const state = await sealStateOf(store.path).catch(() => undefined)
  if (state === undefined) return []
  if (state.keyId === undefined) {
    if (!vault.optedIn || state.kind === 'empty') return []
    return [{ id: 'keychain', severity: 'warning', summary: 'CODEX_KEYCHAIN=1 is set, but the tokens lie in the account file in the clear.', action: 'Seal them: codex-keychain migrate' }]
  }
  try {
    await vault.key(state.keyId)
  } catch (error) {
    return [{ id: 'keychain', severity: 'error', summary: messageOf(error), action: isCodexError(error) ? error.hint : '' }]
  }
  const copies = await findPlainCopies(store.path, path.join(path.dirname(store.path), 'backups'))
  const count = copies.own.length + copies.other.length
  if (count === 0) return [{ id: 'keychain', severity: 'ok', summary: `The tokens are sealed with a key in the OS keychain (${vault.keychain.via}).`, action: '' }]
  const action = copies.own.length > 0 ? 'Seal them: codex-keychain migrate' : 'Delete those you do not need; codex-keychain lists them.'
  return [{ id: 'keychain', severity: 'warning', summary: `The account file is sealed, but ${count === 1 ? '1 other file holds' : `${count} other files hold`} tokens in the clear.`, action }]
}
