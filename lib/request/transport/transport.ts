import { lazily } from '../../kernel/lazy.js'
import { send } from './http.js'
import { countPassage, type Transport, type TransportRuntime } from './passage.js'
import type { OpenWebSocket } from './socket.js'

/**
 * Creates the way to the backend: plain HTTP as the settings have it by default, else all of `ways.ts`.
 * @param openWebSocket undefined where the runtime has none that takes headers
 */
export function createTransport(
  runtime: TransportRuntime,
  openWebSocket: OpenWebSocket | undefined = bunWebSocket(),
): Transport {
  const { config, fetch, metrics } = runtime
  if (config.transport === 'http' && config.requestCompression === 'off')
    return {
      load: async () => undefined,
      async send(shipment) {
        const { text: body } = shipment.body
        const response = await send(fetch, { ...shipment, body })
        const passage = {
          transport: 'http' as const,
          bodyBytes: body.length,
          sentBytes: body.length,
        }
        countPassage(metrics, passage)
        return { response, passage }
      },
      close: async () => undefined,
    }
  const ways = lazily(async () => (await import('./ways.js')).createWays(runtime, openWebSocket))
  return {
    load: async () => (await ways()).load(),
    send: async (shipment) => (ways.ready() ?? (await ways())).send(shipment),
    close: async () => (await ways.started())?.close(),
  }
}

/** Bun's own WebSocket, in which headers and a proxy can be given; undefined elsewhere. */
export function bunWebSocket(): OpenWebSocket | undefined {
  if (process.versions.bun === undefined || typeof WebSocket !== 'function') return undefined
  const Constructor = WebSocket as unknown as new (
    url: string,
    options: Parameters<OpenWebSocket>[1],
  ) => ReturnType<OpenWebSocket>
  return (url, options) => new Constructor(url, options)
}
