import * as z from 'zod'

import {
  findPlainCopies,
  type SealState,
  sealStateOf,
} from '../../accounts/keychain/sealed-files.js'
import { backupsDirOf } from '../../accounts/store/pool-file.js'
import { PROBE_ITEM } from '../../accounts/keychain/vault.js'
import { refreshDir } from '../../tokens/tokens.js'
import { sealPoolFile, type SealingResult, unsealPoolFile } from '../../tokens/sealing.js'
import { CodexError, messageOf } from '../../kernel/errors.js'
import { counted } from '../../kernel/text/plural.js'
import { KEYCHAIN_ENV, type Runtime } from '../../runtime.js'
import { agreeing, defineTool } from '../definition.js'

export const codexKeychain = defineTool({
  name: 'keychain',
  group: 'Backup and secrets',
  summary:
    'Keep the tokens sealed with a key in the OS keychain: status, migrate or rollback; without confirm it only says what would happen.',
  risk: 'secret',
  args: {
    command: z.enum(['status', 'migrate', 'rollback']).describe('default: status').optional(),
    dryRun: z.boolean().optional(),
    confirm: z.boolean().describe('needed to migrate and to roll back').optional(),
  },
  positional: ['command'],
  userOnly: ['confirm'],
  async run(runtime, { command = 'status', dryRun = false, confirm = false }, context) {
    const before = await sealStateOf(runtime.store.path)
    // What cannot be read as an account file is not the same as none: the store says why, and nothing is sealed there.
    if (before.kind === 'empty') await runtime.store.read()
    if (command === 'status') return report(runtime, command, false, statusText(before, runtime))
    if (command === 'migrate' && !runtime.vault.optedIn)
      throw new CodexError(
        'invalid_input',
        `Migrating needs ${KEYCHAIN_ENV}=1 in the environment, of OpenCode as well as of this command.`,
        { hint: 'Nothing was changed.' },
      )
    const isToSeal = command === 'migrate' && before.kind !== 'sealed'
    if (isToSeal && (await runtime.store.read()).accounts.length === 0)
      throw new CodexError(
        'no_accounts',
        'There is no account to seal; the first login makes a sealed file.',
      )
    if (dryRun || !confirm) {
      const how = dryRun ? '' : ` ${agreeing(context, true)} to do it.`
      const text = `${previewText(command, before)} Nothing was changed.${how}`
      return report(runtime, command, true, text)
    }
    const deps = {
      store: runtime.store,
      vault: runtime.vault,
      backupsDir: backupsDirOf(runtime.store.path),
      refreshDir: refreshDir(runtime.paths.root),
      spareRefreshDirs: runtime.paths.spareRefreshDirs,
      nowMs: runtime.clock.now(),
    }
    const result = await (command === 'migrate' ? sealPoolFile(deps) : unsealPoolFile(deps))
    return report(runtime, command, false, doneText(command, result), result)
  },
  render: (data) =>
    [data.message, ...detailsOf(data), ...data.warnings.map((text) => `warning: ${text}`)].join(
      '\n',
    ),
  failed: (data) => data.keychain.reachable === false,
})

async function report(
  runtime: Runtime,
  command: 'status' | 'migrate' | 'rollback',
  dryRun: boolean,
  message: string,
  result?: SealingResult,
) {
  const { vault, store } = runtime
  const state = await sealStateOf(store.path)
  const problem = await problemOf(runtime, state)
  const copies =
    state.kind === 'sealed'
      ? await findPlainCopies(store.path, backupsDirOf(runtime.store.path))
      : { own: [], other: [] }
  return {
    command,
    /** True where nothing was changed because confirm was not given. */
    dryRun,
    path: store.path,
    optedIn: vault.optedIn,
    /** How the file is stored now. */
    storage: state.kind,
    accounts: state.accounts,
    keychain: {
      via: vault.keychain.via,
      /** Null when it was not asked. */
      reachable: problem === undefined ? null : problem === null,
      problem: problem ?? null,
    },
    /** Files with unencrypted tokens beside a sealed account file. */
    plainCopies: [...copies.own, ...copies.other],
    backup: result?.backup ?? null,
    warnings: result?.warnings ?? [],
    message,
  }
}

/** Undefined when nobody needs the keychain and it is not asked; null when it answers. */
async function problemOf({ vault }: Runtime, state: SealState): Promise<string | null | undefined> {
  if (!vault.optedIn && state.kind !== 'sealed') return undefined
  const probe = state.keyId === undefined ? vault.keychain.get(PROBE_ITEM) : vault.key(state.keyId)
  return probe.then(
    () => null,
    (error: unknown) => messageOf(error),
  )
}

function statusText(state: SealState, { vault, store }: Runtime): string {
  const count = counted(state.accounts, 'account')
  switch (state.kind) {
    case 'sealed':
      return `The tokens of ${count} in ${store.path} are sealed with a key in the OS keychain.`
    case 'plain':
      return `The tokens of ${count} are stored unencrypted in ${store.path}, readable only by you.${vault.optedIn ? ' To seal them: {keychain migrate}' : ''}`
    case 'empty':
      return `There is no account in ${store.path}.${vault.optedIn ? ' The first login makes a sealed file.' : ''}`
  }
}

function previewText(command: 'migrate' | 'rollback', state: SealState): string {
  const count = counted(state.accounts, 'account')
  if (command === 'migrate') {
    if (state.kind === 'sealed')
      return 'The account file is sealed already; copies in the backups folder that are still plain would be sealed.'
    return `The tokens of ${count}, and the copies the plugin made in the backups folder, would be sealed with a new key in the OS keychain.`
  }
  if (state.kind !== 'sealed')
    return 'The account file is not sealed; sealed copies in the backups folder would be unsealed.'
  return `The tokens of ${count}, and the sealed copies in the backups folder, would be stored unencrypted, and the key deleted from the OS keychain.`
}

function doneText(
  command: 'migrate' | 'rollback',
  { changed, accounts, copies }: SealingResult,
): string {
  const count = counted(accounts, 'account')
  const also =
    copies === 0
      ? ''
      : ` So ${copies === 1 ? 'is 1 copy' : `are ${copies} copies`} in the backups folder.`
  if (command === 'migrate')
    return `The tokens of ${count} are ${changed ? 'now' : 'already'} sealed with a key in the OS keychain.${also}`
  return `The tokens of ${count} ${changed ? 'are stored unencrypted again' : 'were not sealed'}.${also}`
}

function detailsOf(data: Awaited<ReturnType<typeof report>>): string[] {
  const { keychain, optedIn, plainCopies, backup } = data
  const reach = keychain.reachable === null ? 'not asked' : (keychain.problem ?? 'reachable')
  return [
    `keychain: ${reach} (${keychain.via}); ${KEYCHAIN_ENV}=1 is ${optedIn ? '' : 'not '}set`,
    ...(backup === null ? [] : [`sealed copy: ${backup}`]),
    ...(plainCopies.length === 0
      ? []
      : ['unencrypted tokens are also in:', ...plainCopies.map((file) => `  ${file}`)]),
  ]
}
