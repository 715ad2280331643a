import type { ToolContext as HostContext } from '@opencode-ai/plugin'

import { plainText } from '../kernel/text/plain-text.js'
import { redact } from '../kernel/text/redact.js'
import type { Runtime } from '../runtime.js'
import type { AnyTool, Risk } from './definition.js'
import { checkedArguments } from './run-tool.js'
import { onlyByUser, ownPlace } from './user-acts.js'

/** Characters of a prompt's title, and of one argument. */
const LONGEST_SHOWN = 200

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
export async function admittedArguments(
  tool: AnyTool,
  runtime: Runtime,
  given: Record<string, unknown>,
  host: HostPrompt,
): Promise<Record<string, unknown>> {
  const own = tool.userOnly?.find((name) => given[name] !== undefined)
  if (own !== undefined)
    throw onlyByUser(`give ${own} to codex-${tool.name}`, `${tool.name} --help`)
  const args = checkedArguments(tool, given)
  const risk = riskOfCall(tool, args)
  const files = (tool.ownFiles ?? [])
    .map((name) => args[name])
    .filter((file) => typeof file === 'string')
  for (const file of files) await ownPlace(runtime.paths, file, tool.name)
  if (tool.refuseModel !== undefined) tool.refuseModel(runtime, await runtime.store.read(), args)
  if (risk === 'read') return given
  if (typeof host.ask !== 'function')
    throw onlyByUser(
      `run codex-${tool.name}: this OpenCode has no permission prompt`,
      `${tool.name} --help`,
    )
  // As the user may see them: without secrets and without what moves the cursor or turns writing round.
  const plain = mapTexts(redact(args), plainText)
  const named = Object.entries(plain).filter(([, value]) => value !== undefined)
  const words = named.map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  const title = cut([tool.name, ...words].join(' '))
  host.metadata?.({ title })
  await host.ask({
    permission: `codex-${tool.name}`,
    patterns: [risk],
    // "Always" is for what can be changed back; money, tokens and accounts are asked for each time.
    always: risk === 'edit' && tool.asksEachTime !== true ? [risk] : [],
    metadata: { risk, title, arguments: mapTexts(plain, cut) },
  })
  return tool.args !== undefined && 'confirm' in (tool.args as object)
    ? { ...given, confirm: true }
    : given
}

function mapTexts(
  args: Record<string, unknown>,
  change: (text: string) => string,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [
      name,
      typeof value === 'string' ? change(value) : value,
    ]),
  )
}

/** A text that is cut says so: what is not seen is not agreed to. */
function cut(text: string): string {
  const rest = text.length - LONGEST_SHOWN
  return rest <= 0 ? text : `${plainText(text.slice(0, LONGEST_SHOWN))}… (${rest} more characters)`
}
