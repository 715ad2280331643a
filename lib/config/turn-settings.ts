import * as s from '../kernel/shape.js'

import { downTo, type Setting, setting } from './setting.js'

/**
 * What is added to turns, beside the request of the host. Each costs tokens and tells the model something, so a project
 * may only switch it off. A file that speaks of one of them makes the hooks of turns load (`lib/shell/config-hook.ts`).
 */
export const TURN_SETTINGS = {
  collaboration: setting({
    schema: s.oneOf(['off', 'codex']),
    default: 'off',
    env: 'CODEX_AUTH_COLLABORATION',
    project: downTo('off', 'codex'),
  }),
  compactionPrompt: setting({
    schema: s.oneOf(['host', 'codex']),
    default: 'host',
    env: 'CODEX_AUTH_COMPACTION_PROMPT',
    project: downTo('host', 'codex'),
  }),
} as const satisfies Record<string, Setting>
