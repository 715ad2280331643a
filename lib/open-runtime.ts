import { loadConfig } from './loaded-config.js'
import { createRuntime, type Runtime, type RuntimeOptions } from './runtime.js'

/** A runtime with the configuration of its folder, for commands: OpenCode's own is made in core.ts, by steps. */
export function openRuntime(options: Omit<RuntimeOptions, 'loaded'>): Runtime {
  const { env, paths, directory } = options
  return createRuntime({ ...options, loaded: loadConfig(env, paths, directory) })
}
