import { parsePool } from '../accounts/store/pool-format.js'
import { resolvePoolScope } from '../accounts/project/project.js'
import { MAX_FOREIGN_BYTES, readBoundedFile } from '../kernel/files/bounded-file.js'
import type { Paths } from '../kernel/files/paths.js'
import { isRecord } from '../kernel/text/json.js'
import type { Catalogues } from './catalogue-file.js'
import type { HostModel } from './host-models.js'

/**
 * The models with, in the name of each that not every account may run, how many may: the host shows the name alone where a
 * model is chosen. Accounts whose list is not known count on neither side. Pure.
 * @param uids the accounts of the pool in force
 * @param userDefined ids the user configured: their names are the user's
 */
export function withAccountCounts(
  models: Readonly<Record<string, HostModel>>,
  catalogues: Catalogues,
  uids: ReadonlySet<string>,
  userDefined: ReadonlySet<string>,
): Record<string, HostModel> {
  const lists = Object.entries(catalogues)
    .filter(([uid]) => uids.has(uid))
    .map(([, { models: list }]) => new Map(list.map(({ id, fast }) => [id, fast])))
  const noted = (id: string, model: HostModel): HostModel => {
    const { api, options } = model
    const asked = isRecord(api) && typeof api.id === 'string' ? api.id : id
    const isFast = options?.serviceTier === 'priority'
    const able = lists.filter((list) => list.has(asked) && (!isFast || list.get(asked) === true))
    return able.length === 0 || able.length === lists.length
      ? model
      : { ...model, name: `${model.name} (${able.length} of ${lists.length} accounts)` }
  }
  return Object.fromEntries(
    Object.entries(models).map(([id, model]) => [
      id,
      userDefined.has(id) ? model : noted(id, model),
    ]),
  )
}

/** The accounts that serve in a folder and have a list; none where that cannot be read. Never throws. */
export async function accountsServing(
  paths: Paths,
  directory: string,
  perProjectAccounts: boolean,
): Promise<ReadonlySet<string>> {
  try {
    const { file } = resolvePoolScope(paths, directory, perProjectAccounts)
    const parsed = parsePool((await readBoundedFile(file, MAX_FOREIGN_BYTES)) ?? '')
    const accounts = parsed.kind === 'pool' ? parsed.pool.accounts : []
    return new Set(
      accounts
        .filter((one) => one.kind !== 'api-key' && one.enabled !== false)
        .map(({ uid }) => uid),
    )
  } catch {
    return new Set()
  }
}
