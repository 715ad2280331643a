import { counted } from '../../kernel/text/plural.js'
import path from 'node:path'
import * as z from 'zod'

import { timestamp } from '../../accounts/store/backups.js'
import { backupsDirOf } from '../../accounts/store/pool-file.js'
import { encryptPool } from '../../transfer/export.js'
import { formatPool } from '../../accounts/store/pool-format.js'
import { isSealed } from '../../accounts/keychain/data-key.js'
import { CodexError } from '../../kernel/errors.js'
import { givenPath } from '../../kernel/files/given-path.js'
import { sameStamp, stampOf } from '../../kernel/files/json-file.js'
import { writeFileAtomic } from '../../kernel/files/replace-file.js'
import { defineTool } from '../definition.js'
import { passphraseFrom } from './passphrase.js'

export const codexExport = defineTool({
  name: 'export',
  group: 'Backup and secrets',
  summary: 'Write the accounts with their tokens to a file, plain or encrypted.',
  risk: 'secret',
  args: {
    path: z.string().describe('the file; default: a new one in the backups folder').optional(),
    encrypt: z.boolean().describe('encrypt with the passphrase in OC_CODEX_PASSPHRASE').optional(),
    force: z.boolean().describe('replace an existing file').optional(),
  },
  positional: ['path'],
  userOnly: ['path', 'force'],
  async run(runtime, { path: wanted, encrypt = false, force = false }, context) {
    const read = await runtime.store.read()
    const pool = { ...read, accounts: read.accounts.filter((account) => !isSealed(account)) }
    if (pool.accounts.length === 0)
      throw new CodexError('no_accounts', 'There is no account to export.')
    const folder = backupsDirOf(runtime.store.path)
    const file =
      wanted === undefined
        ? path.join(folder, `export-${timestamp(runtime.clock.now())}.json`)
        : givenPath(wanted, { directory: context.directory, home: runtime.paths.home })
    const there = await stampOf(file)
    if (there !== undefined && sameStamp(there, await stampOf(runtime.store.path)))
      throw new CodexError('invalid_input', `${file} is the account file itself.`, {
        hint: 'Nothing was changed. Choose another name.',
      })
    if (!force && there !== undefined)
      throw new CodexError('invalid_input', `${file} exists already.`, {
        hint: 'Choose another name, or pass force to replace it.',
      })
    await writeFileAtomic(
      file,
      encrypt ? await encryptPool(pool, passphraseFrom(runtime.env)) : formatPool(pool),
    )
    const count = counted(pool.accounts.length, 'account')
    const warning = encrypt
      ? ''
      : ' The file holds unencrypted tokens: anyone who reads it can use the accounts.'
    return {
      path: file,
      accounts: pool.accounts.length,
      encrypted: encrypt,
      message: `${count} written to ${file}.${warning}`,
    }
  },
  render: (data) => data.message,
})
