import { OLDEST_HOST, UPGRADE_HOST } from './lib/host-setup/oldest-host.js'
import { server } from './lib/plugin.js'

/**
 * OpenCode's server plugin: the host reads `id` and calls `server`
 * (docs/development/facts/opencode-host.md#plugin-loading).
 */
export default { id: 'oc-codex-multi-auth', server }

/**
 * An OpenCode before 1.14 does not know the plugin's default export: it calls every export, in the order of their names, and
 * this one comes first. It shows the user what it throws, and starts without us. Written here and not re-exported: the
 * published declarations are this file's alone.
 */
export function AnOlderHost(): never {
  throw new Error(
    `this OpenCode is too old for it, which needs ${OLDEST_HOST} or newer. Run: ${UPGRADE_HOST}`,
  )
}
