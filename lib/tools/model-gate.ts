import type { ToolContext as HostContext } from '@opencode-ai/plugin'

import { redact } from '../kernel/redact.js'
import type { Runtime } from '../runtime.js'
import type { AnyTool, Risk } from './definition.js'
import { checkedArguments } from './run-tool.js'
import { onlyByUser } from './user-acts.js'

/** Characters of a prompt's title. */
const LONGEST_TITLE = 200

/** What the gate needs of the host: its permission prompt. A host too old to have one lets nothing through. */
export type HostPrompt = Partial<Pick<HostContext, 'ask' | 'metadata'>>

/** What a call can do, from the definition alone. */
export function riskOfCall(tool: AnyTool, args: Record<string, unknown>): Risk {
  return tool.riskOf?.(args) ?? tool.risk
}

/**
 * Lets a call of the model through, or not. What is above `read` waits for the user's own answer to the host's permission
 * prompt; what is the user's alone is refused before anybody is asked.
 * @returns the arguments to run with; `confirm` is what the user has just said
 * @throws CodexError for what the model may not ask for, and whatever the host throws when the user says no
 */
export async function admittedArguments(tool: AnyTool, runtime: Runtime, given: Record<string, unknown>, host: HostPrompt): Promise<Record<string, unknown>> {
  const own = tool.userOnly?.find((name) => given[name] !== undefined)
  if (own !== undefined) throw onlyByUser(`give ${own} to codex-${tool.name}`, `${tool.name} --help`)
  const args = checkedArguments(tool, given)
  const risk = riskOfCall(tool, args)
  if (tool.refuseModel !== undefined) tool.refuseModel(runtime, await runtime.store.read(), args)
  if (risk === 'read') return given
  if (typeof host.ask !== 'function') throw onlyByUser(`run codex-${tool.name}: this OpenCode has no permission prompt`, `${tool.name} --help`)
  const title = promptTitle(tool, args)
  host.metadata?.({ title })
  await host.ask({
    permission: `codex-${tool.name}`,
    patterns: [risk],
    // "Always" is for what can be changed back; money, tokens and accounts are asked for each time.
    always: risk === 'edit' ? [risk] : [],
    metadata: { risk, title, arguments: redact(args) },
  })
  return tool.args !== undefined && 'confirm' in (tool.args as object) ? { ...given, confirm: true } : given
}

/** What the user is asked about, in one line. */
function promptTitle(tool: AnyTool, args: Record<string, unknown>): string {
  const given = Object.entries(redact(args)).filter(([, value]) => value !== undefined)
  // What turns writing round or moves the cursor would show the user another question.
  return [tool.name, ...given.map(([name, value]) => `${name}=${JSON.stringify(value)}`)].join(' ').replace(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, LONGEST_TITLE)
}
