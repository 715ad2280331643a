/** What an agent does for others, as far as instructions of ours speak of it. */
export type Role = 'plan' | 'sub-agent' | 'orchestrator'

/** Who asks, from what the host says of the agent and of its session. */
export interface Asker {
  /** Name of the agent. */
  readonly agent: string
  /** Whose session it is; `unknown` where the host does not say. */
  readonly place: 'root' | 'child' | 'unknown'
}

/** Name of the agent that is there only while the collaboration is on. */
export const ORCHESTRATOR = 'orchestrator'
/** Name of the host's own agent that changes nothing. */
const PLAN = 'plan'

/**
 * The role of whoever asks; undefined for all others. What a sub-agent does is said by who started it, whatever its name. Pure.
 * @param hasOrchestrator whether the agent of that name is ours; that of a user has instructions of its own
 */
export function roleOf({ agent, place }: Asker, hasOrchestrator: boolean): Role | undefined {
  if (place === 'child') return 'sub-agent'
  if (agent === PLAN) return 'plan'
  return agent === ORCHESTRATOR && hasOrchestrator ? 'orchestrator' : undefined
}

/** The header by which the Codex CLI marks the requests of its sub-agents (docs/development/facts/codex-backend.md#sub-agents). */
export const SUB_AGENT_HEADER = 'x-openai-subagent'
/** Its value for an agent that another one started for a task. */
export const SUB_AGENT_KIND = 'collab_spawn'
