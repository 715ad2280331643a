import type { TuiPluginApi } from '@opencode-ai/plugin/tui'
import { createComponent, createElement, effect, insert, setProp } from '@opentui/solid'
import { createSignal } from 'solid-js'

/**
 * What draws, handed to the dialogs: they are in a chunk of their own, and only this bundle gets the host's modules
 * (docs/development/facts/opencode-host.md#tui-plugins).
 */
export interface HostUi {
  readonly api: TuiPluginApi
  readonly createComponent: typeof createComponent
  readonly createElement: typeof createElement
  readonly effect: typeof effect
  readonly insert: typeof insert
  readonly setProp: typeof setProp
  readonly createSignal: typeof createSignal
}

export function hostUi(api: TuiPluginApi): HostUi {
  return { api, createComponent, createElement, effect, insert, setProp, createSignal }
}
