import type { PluginInput } from '@opencode-ai/plugin'

/** The screen of an OpenCode that starts is there by then, ms. */
const SCREEN_IS_THERE_MS = 3_000
const SHOWN_MS = 20_000

/** Shows on the screen of an OpenCode that is too old why the plugin is not there. Never throws, keeps no program from its end. */
export function tell(
  input: Pick<PluginInput, 'client'> | undefined,
  sentence: string,
  afterMs = SCREEN_IS_THERE_MS,
): void {
  const message = `oc-codex-multi-auth does not work: ${sentence}`
  const show = async (): Promise<unknown> =>
    input?.client.tui.showToast({ body: { message, variant: 'error', duration: SHOWN_MS } })
  setTimeout(() => void show().catch(() => undefined), afterMs).unref()
}
