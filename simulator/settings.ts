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
}
