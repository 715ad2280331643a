import { accountsServing, withAccountCounts } from './catalogue/account-counts.js'
import type { Catalogues } from './catalogue/catalogue-file.js'
import type { HostModel } from './catalogue/host-models.js'
import type { Paths } from './kernel/files/paths.js'
import { loadConfig } from './loaded-config.js'

/** What reads the user's own configuration files: ours and the host's. Loaded where there is something to read. */
export { resolveConfig } from './config/load.js'
export {
  providerEndpoint,
  userAllowance,
  userBaseUrl,
  userCommands,
} from './host-setup/user-config.js'
export { personalityCommands } from './slash-commands/create-personality.js'
export { loadConfig } from './loaded-config.js'

/** The models with, in their names, how many of the accounts that serve here may run each; where all may, it is not said. */
export async function countedModels(
  models: Readonly<Record<string, HostModel>>,
  catalogues: Catalogues,
  userDefined: ReadonlySet<string>,
  { env, paths, directory }: { env: NodeJS.ProcessEnv; paths: Paths; directory: string },
): Promise<Record<string, HostModel>> {
  const { perProjectAccounts } = loadConfig(env, paths, directory).config
  const uids = await accountsServing(paths, directory, perProjectAccounts)
  return withAccountCounts(models, catalogues, uids, userDefined)
}
