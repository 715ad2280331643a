import type { Place } from '../kernel/text/command-words.js'

/** What the host's configuration says that is needed later. Filled by the config hook, which the host calls first. */
export interface HostSettings {
  /** `provider.openai.options.baseURL`. */
  baseUrl?: string
  /** `provider.openai.options.headerTimeout`, ms. */
  headerTimeoutMs?: number
  /** Models the user has configured: left as they are. */
  readonly models: Set<string>
  /** Slash commands that are ours and not somebody else's of the same name. */
  readonly commands: Set<string>
  /** Where our sentences are read. */
  place?: Place
  /** Whether a setting is spoken of that adds to turns: without one, no hook of a turn loads or reads anything. */
  shapesTurns?: boolean
  /** Whether the agent named orchestrator is ours. */
  hasOrchestrator?: boolean
  /** `<provider>/<model>` of the agent that compacts, where the user named one. */
  compactionModel?: string
  /** Sessions whose latest request is a compaction with our prompt. */
  readonly compacting: Set<string>
}
