import { ORCHESTRATOR } from './roles.js'

/** The members of the host's configuration of an agent that are used here. */
interface AgentConfig {
  readonly mode?: 'subagent' | 'primary' | 'all'
  readonly description?: string
}

/**
 * The agent for the host's list. It has no prompt of its own, which would take the place of the host's: what it is told is
 * added to its turns.
 */
const AGENT: AgentConfig = {
  mode: 'primary',
  description:
    'Splits work into tasks for sub-agents, runs them side by side and checks the result.',
}

/**
 * Adds the orchestrator to the agents, unless there is one of that name: an agent of the user's own wins, wherever it is
 * defined.
 * @returns whether the agent is ours
 */
export function addOrchestrator(config: { agent?: object | undefined }): boolean {
  if (config.agent !== undefined && Object.hasOwn(config.agent, ORCHESTRATOR)) return false
  config.agent = { ...config.agent, [ORCHESTRATOR]: AGENT }
  return true
}
