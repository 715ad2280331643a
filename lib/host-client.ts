import type { PluginInput } from '@opencode-ai/plugin'

import type { HostPort } from './kernel/host-port.js'
import { plainData, plainLines } from './kernel/plain-text.js'
import { redact } from './kernel/redact.js'

const SERVICE = 'oc-codex-multi-auth'

/**
 * The host's client as a port. Calls run detached: instance routes deadlock while the host starts and the plugin never
 * waits for the screen (host facts §0.5).
 */
export function createHostPort(client: PluginInput['client']): HostPort {
  const detached = (call: () => Promise<unknown>): void => {
    void Promise.resolve().then(call).catch(() => undefined)
  }
  return {
    log(level, message, extra) {
      detached(() =>
        client.app.log({
          body: { service: SERVICE, level, message: plainLines(redact(message)), ...(extra ? { extra: plainData(redact(extra)) as Record<string, unknown> } : {}) },
        }),
      )
    },
    toast({ title, message, variant, durationMs }) {
      detached(() =>
        client.tui.showToast({
          body: {
            ...(title === undefined ? {} : { title }),
            message: plainLines(redact(message)),
            variant,
            ...(durationMs === undefined ? {} : { duration: durationMs }),
          },
        }),
      )
    },
  }
}
