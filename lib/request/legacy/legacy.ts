import { FALLBACK_INSTRUCTIONS } from '../../prompts/fallback-instructions.js'
import { createInstructionCache, type InstructionCache } from '../../prompts/instruction-cache.js'
import { DEFAULT_ENDPOINTS } from '../../oauth/endpoints.js'
import type { Paths } from '../../kernel/files/paths.js'
import type { PreparedRequest } from '../body/request.js'
import type { RequestRuntime } from '../run.js'
import { createLegacyPreparation } from './prepare.js'

/** What rebuilds the requests of old hosts, with the instructions it gives to those that have none. */
export function createLegacy(runtime: RequestRuntime & { readonly paths: Paths }) {
  const {
    codexMode,
    fastSession,
    fastSessionStrategy: strategy,
    fastSessionMaxInputItems: maxItems,
  } = runtime.config
  const cache = instructionCache(runtime)
  const prepare: (text: string) => PreparedRequest = createLegacyPreparation({
    codexMode,
    instructions: () => cache?.current() ?? FALLBACK_INSTRUCTIONS,
    fastSession: fastSession ? { strategy, maxItems } : undefined,
  })
  return {
    prepare,
    load: async (): Promise<void> => cache?.load(),
    close: async (): Promise<void> => cache?.close(),
  }
}

/** Beside the simulator nobody else is asked. */
function instructionCache({
  endpoints,
  paths,
  fetch,
  userAgent,
  clock,
  host,
}: RequestRuntime & { readonly paths: Paths }): InstructionCache | undefined {
  if (endpoints.backend !== DEFAULT_ENDPOINTS.backend) return undefined
  return createInstructionCache({
    file: paths.instructionsFile,
    fetch,
    userAgent,
    clock,
    log: host,
  })
}
