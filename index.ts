import { server } from './lib/plugin.js'

/** OpenCode's server plugin: the host reads `id` and calls `server` (host facts §1). */
export default { id: 'oc-codex-multi-auth', server }
