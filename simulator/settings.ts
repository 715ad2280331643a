import * as z from 'zod'

/** Everything about the simulator that may be changed while it runs. */
const settingsSchema = z.strictObject({
  /** Pause after each delta of a streamed answer, in ms. 0 sends the answer in as few writes as possible. */
  deltaMs: z.number().min(0),
  /** Name of the account that the sign-in page approves at once, without showing itself; `null` shows the page. */
  autoApprove: z.string().nullable(),
  /** Delay of every answer of the token endpoint, in ms. */
  tokenLatencyMs: z.number().min(0),
  /** Life of an access token, in seconds. */
  accessTokenSeconds: z.number().positive(),
  /** Life of an unused refresh token, in seconds. */
  refreshTokenSeconds: z.number().positive(),
  /** A refresh token used twice ends its whole family: the newest refresh token dies with it. */
  reuseRevokesFamily: z.boolean(),
  /**
   * Ports a redirect may name; the real issuer knows the two of the Codex CLI
   * (docs/development/facts/oauth.md#redirect-to-this-machine). `null` allows any.
   */
  redirectPorts: z.array(z.number().int()).nullable(),
  /** Seconds a client is told to wait between two polls of a device login. */
  deviceIntervalSec: z.number().min(0),
  /** A device login approves itself after this many pending polls; `null` waits for a person or the control plane. */
  deviceApproveAfterPolls: z.number().int().min(0).nullable(),
  /** False answers 404 on the device endpoints, as for a workspace that has not enabled them. */
  deviceEnabled: z.boolean(),
  /** False answers every upgrade with 426. */
  webSocket: z.boolean(),
  /** Takes the offer of `permessage-deflate`. */
  webSocketDeflate: z.boolean(),
  /** A larger message of the client closes its connection with 1009. */
  webSocketMaxBytes: z.number().int().positive(),
  /** Age on the simulator's clock from which a connection answers `websocket_connection_limit_reached`. */
  webSocketMaxAgeMs: z.number().positive(),
  /**
   * Where an item id may come once only: among what a continued answer holds already (`chain`), or also in a whole
   * history that is sent again on a connection that holds it (`connection`).
   */
  duplicateItems: z.enum(['chain', 'connection']),
  /** Wait between `response.created` and the first output, per transport, in ms: the scheduling of the backend. */
  outputDelayMs: z.strictObject({ http: z.number().min(0), websocket: z.number().min(0) }),
  /** What the model says where a prompt asks for nothing else, by the kind of request; its usual words when `null`. */
  says: z.strictObject({ turn: z.string().nullable(), title: z.string().nullable() }),
  /** Oldest client, by model, that its list names the model to, in place of the model's own. */
  minimalClients: z.record(z.string(), z.string()),
  /** Packed bodies that are understood. */
  encodings: z.array(z.enum(['zstd', 'gzip', 'deflate', 'br'])),
  /** How any other is refused. */
  encodingRefusal: z.literal([400, 415]),
})

/** Some of the settings, as the control plane takes them. */
export const settingsPatchSchema = settingsSchema.partial()

export type Settings = z.output<typeof settingsSchema>
export type SettingsPatch = z.input<typeof settingsPatchSchema>

export const DEFAULT_SETTINGS: Settings = {
  deltaMs: 0,
  autoApprove: null,
  tokenLatencyMs: 0,
  accessTokenSeconds: 3_600,
  refreshTokenSeconds: 30 * 86_400,
  reuseRevokesFamily: true,
  redirectPorts: [1455, 1457],
  deviceIntervalSec: 5,
  deviceApproveAfterPolls: null,
  deviceEnabled: true,
  webSocket: true,
  webSocketDeflate: true,
  webSocketMaxBytes: 16 * 1024 * 1024,
  webSocketMaxAgeMs: 60 * 60_000,
  duplicateItems: 'connection',
  outputDelayMs: { http: 0, websocket: 0 },
  says: { turn: null, title: null },
  minimalClients: {},
  encodings: ['zstd', 'gzip', 'deflate', 'br'],
  encodingRefusal: 415,
}
