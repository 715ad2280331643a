import path from 'node:path'
import * as z from 'zod'

import { writeBackup } from '../accounts/backups.js'
import { readExport } from '../accounts/export.js'
import { isSameAccount } from '../accounts/identity.js'
import { mergePools } from '../accounts/merge.js'
import { formatPool } from '../accounts/pool-format.js'
import { CodexError } from '../kernel/errors.js'
import { readTextFile } from '../kernel/json-file.js'
import { defineTool } from './definition.js'
import { PASSPHRASE_ENV } from './passphrase.js'

interface ImportData {
  readonly path: string
  readonly mode: 'merge' | 'replace'
  readonly dryRun: boolean
  readonly added: number
  readonly updated: number
  readonly unchanged: number
  readonly removed: number
  readonly total: number
  /** Copy of the pool before; null when nothing was changed. */
  readonly backup: string | null
  readonly message: string
}

/** `codex-import`. */
export const codexImport = defineTool({
  name: 'import',
  group: 'Backup and secrets',
  summary: 'Take accounts over from an export or a backup; dryRun only says what would happen.',
  args: {
    path: z.string().describe('the file'),
    mode: z.enum(['merge', 'replace']).describe('replace: accounts that are not in the file go').optional(),
    dryRun: z.boolean().optional(),
    confirm: z.boolean().describe('needed to replace').optional(),
  },
  positional: ['path'],
  async run(runtime, { path: wanted, mode = 'merge', dryRun = false, confirm }, context): Promise<ImportData> {
    const file = path.resolve(context.directory, wanted)
    const found = await readTextFile(file)
    if (found === undefined) throw new CodexError('invalid_input', `There is no file ${file}.`, { hint: 'Nothing was changed.' })
    const incoming = await readExport(found.text, runtime.env[PASSPHRASE_ENV], file)
    const before = await runtime.store.read()
    const plan = (pool: typeof before): { pool: typeof before; added: number; updated: number; unchanged: number; removed: number } => {
      const merged = mergePools(pool, incoming)
      if (mode === 'merge') return { ...merged, removed: 0 }
      const kept = merged.pool.accounts.filter((account) => incoming.accounts.some((one) => isSameAccount(one, account)))
      return { ...merged, pool: { ...merged.pool, accounts: kept, activeIndex: 0 }, removed: merged.pool.accounts.length - kept.length }
    }
    const preview = plan(before)
    const { added, updated, unchanged, removed } = preview
    const counts = `${added} added, ${updated} updated, ${unchanged} unchanged, ${removed} removed`
    const base = { path: file, mode, added, updated, unchanged, removed }
    const needsConfirm = mode === 'replace' && removed > 0 && confirm !== true
    if (dryRun || needsConfirm) {
      const how = needsConfirm && !dryRun ? ' Say confirm to replace.' : ''
      return { ...base, dryRun: true, total: preview.pool.accounts.length, backup: null, message: `Would be: ${counts}. Nothing was changed.${how}` }
    }
    const backup = before.accounts.length === 0 ? null : await writeBackup(path.join(path.dirname(runtime.store.path), 'backups'), 'before-import', formatPool(before), runtime.clock.now())
    const pool = await runtime.store.update((current) => plan(current).pool)
    const shared = added + updated === 0 ? '' : ' A login that is also used elsewhere from this file will be ended there by the next refresh here, or the other way round.'
    return { ...base, dryRun: false, total: pool.accounts.length, backup, message: `${counts}.${backup === null ? '' : ` The pool before is in ${backup}.`}${shared}` }
  },
  render: (data) => data.message,
})
