import { createRequire } from 'node:module'

import type { Config } from './config/settings.js'
import { mergeSettings } from './config/resolve.js'
import { loadPart } from './kernel/load-part.js'
import type { Paths } from './kernel/files/paths.js'
import type { Runtime } from './runtime.js'
import { configFiles, isThere } from './runtime-config.js'
import type { resolveConfig as ResolveConfig } from './settings-entry.js'
import { hostTools } from './tools/host-tools.js'
import { MODEL_TOOLS, PERSONALITY_TOOL } from './tools/model-tools.js'
import { ofProfile } from './tools/offered.js'

interface Asked {
  readonly env: NodeJS.ProcessEnv
  readonly paths: Paths
  readonly directory: string
  readonly runtime: () => Promise<Runtime>
}

/**
 * The tools for the host, at once: it asks for them without waiting, when the first prompt is sent. They are what the model
 * is told of them; what runs them is loaded with the first call. Reads the configuration, two small files.
 */
export function toolsNow(asked: Asked): ReturnType<typeof hostTools> {
  const config = configOf(asked)
  const optional = config.personalityCommand && config.tools !== 'off' ? [PERSONALITY_TOOL] : []
  const tools = [...ofProfile(MODEL_TOOLS, config.tools, config), ...optional]
  return hostTools(tools, async (...call) => {
    const [{ callByName }, runtime] = await Promise.all([
      loadPart(import('./calls-entry.js')),
      asked.runtime(),
    ])
    return callByName(runtime, ...call)
  })
}

/** What interprets the files is loaded where there are any. */
function configOf({ env, paths, directory }: Asked): Config {
  const files = configFiles(paths, directory)
  if (!Object.values(files).some(isThere)) return mergeSettings({ env }).config
  const { resolveConfig } = createRequire(import.meta.url)('./settings.js') as {
    readonly resolveConfig: typeof ResolveConfig
  }
  return resolveConfig({ env, ...files }).config
}
