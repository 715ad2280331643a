import type { PluginInput } from '@opencode-ai/plugin'

import { dropUndefined } from '../kernel/drop-undefined.js'
import type { HostPort } from '../kernel/host-port.js'
import { commandsIn } from '../kernel/text/command-words.js'
import { plainData, plainLines } from '../kernel/text/plain-text.js'
import { redact } from '../kernel/text/redact.js'

const SERVICE = 'oc-codex-multi-auth'

/**
 * The host's client as a port. Calls run detached: instance routes deadlock while the host starts and the plugin never
 * waits for the screen (docs/development/facts/opencode-host.md#start-up).
 */
export function createHostPort(client: PluginInput['client']): HostPort {
  const detached = (call: () => Promise<unknown>): void => {
    void Promise.resolve()
      .then(call)
      .catch(() => undefined)
  }
  return {
    log(level, message, extra) {
      detached(() =>
        client.app.log({
          body: {
            service: SERVICE,
            level,
            message: commandsIn(plainLines(redact(message)), 'terminal'),
            ...(extra ? { extra: plainData(redact(extra)) as Record<string, unknown> } : {}),
          },
        }),
      )
    },
    toast({ title, message, variant, durationMs }) {
      detached(() =>
        client.tui.showToast({
          body: dropUndefined({
            title,
            message: commandsIn(plainLines(redact(message)), 'tui'),
            variant,
            duration: durationMs,
          }),
        }),
      )
    },
  }
}
