import type { PluginInput } from '@opencode-ai/plugin'

import { AnOlderHost as throwTooOld, server } from './lib/plugin.js'

/**
 * OpenCode's server plugin: the host reads `id` and calls `server`
 * (docs/development/facts/opencode-host.md#plugin-loading).
 */
export default { id: 'oc-codex-multi-auth', server }

/** For an OpenCode that does not know the export above. Typed here: the published declarations are this file's alone. */
export const AnOlderHost: (input?: Pick<PluginInput, 'client'>) => never = throwTooOld
