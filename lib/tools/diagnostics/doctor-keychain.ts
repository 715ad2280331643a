import { backupsDirOf } from '../../accounts/store/pool-file.js'
import { findPlainCopies, keyIdsIn, sealStateOf } from '../../accounts/keychain/sealed-files.js'
import { isSealed } from '../../accounts/keychain/data-key.js'
import { withKeyName, unsealPool } from '../../accounts/keychain/seal.js'
import { createAccountStore } from '../../accounts/store/store.js'
import { CodexError, isCodexError, messageOf } from '../../kernel/errors.js'
import type { Runtime } from '../../runtime.js'
import { failed, type Finding, ok, warning } from './finding.js'

/** Whether a sealed account file opens, and whether what should be sealed is. Says nothing to whom it does not concern. */
export async function keychain(runtime: Runtime): Promise<readonly Finding[]> {
  const { vault, store } = runtime
  const state = await sealStateOf(store.path).catch(() => undefined)
  if (state === undefined) return []
  if (state.isKeyNameMissing === true) {
    return [
      failed(
        'keychain',
        'The logins in the account file are sealed, and the line that names their key is missing or odd.',
        '',
        () => nameKey(runtime),
      ),
    ]
  }
  if (state.keyId === undefined) {
    if (!vault.optedIn || state.kind === 'empty') return []
    return [
      warning(
        'keychain',
        'CODEX_KEYCHAIN=1 is set, but the tokens in the account file are not sealed.',
        'Seal them: {keychain migrate}',
      ),
    ]
  }
  try {
    await vault.key(state.keyId)
    if ((await vault.ensureStored(state.keyId, 'now')) === 'rescued') {
      return [
        warning(
          'keychain',
          'The key of the sealed accounts was gone from the OS keychain and was put back from the memory of this process.',
        ),
      ]
    }
  } catch (error) {
    return [failed('keychain', messageOf(error), isCodexError(error) ? error.hint : '')]
  }
  const copies = await findPlainCopies(store.path, backupsDirOf(store.path))
  const count = copies.own.length + copies.other.length
  if (count === 0)
    return [
      ok(
        'keychain',
        `The tokens are sealed with a key in the OS keychain (${vault.keychain.via}).`,
      ),
    ]
  const action =
    copies.own.length > 0
      ? 'Seal them: {keychain migrate}'
      : 'Delete those you do not need; {keychain} lists them.'
  return [
    warning(
      'keychain',
      `The account file is sealed, but ${count === 1 ? '1 other file holds' : `${count} other files hold`} unencrypted tokens.`,
      action,
    ),
  ]
}

/** Puts the name of the key back that opens every login of the file; the sealed copies say which keys there are. */
async function nameKey({ vault, store, clock }: Runtime): Promise<string> {
  const backupsDir = backupsDirOf(store.path)
  // Without a vault the sealed fields are left as they are.
  const sealed = createAccountStore({ path: store.path, backupsDir, clock })
  const pool = await sealed.read()
  for (const id of await keyIdsIn(backupsDir)) {
    const key = await vault.fetchKey(id).catch(() => undefined)
    if (key === undefined || unsealPool(pool, key).accounts.some(isSealed)) continue
    await sealed.update((current) => withKeyName(current, id))
    return 'the account file names its key again.'
  }
  throw new CodexError(
    'store_unreadable',
    'No copy in the backups folder names a key that opens the logins.',
    { hint: '' },
  )
}
