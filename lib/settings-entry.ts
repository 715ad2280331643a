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
