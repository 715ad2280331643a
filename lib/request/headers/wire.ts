import { SUB_AGENT_HEADER, SUB_AGENT_KIND } from '../../collaboration/roles.js'
import { modelFact } from '../../models/facts.js'
import { type CodexIdentity, identityHeaders, threadIdOf } from './codex-identity.js'
import { headerEntries, outgoingHeaders, type Sender } from './headers.js'
import { objectText, type ObjectText, stringMember, withValue } from '../body/json-edit.js'
import { LITE_HEADERS, liteBody } from '../body/lite.js'

/** Which of the Codex CLI's ways the user has chosen; with neither, a request is sent as OpenCode makes it. */
export interface WireStyle {
  readonly responsesLite: 'off' | 'auto'
  /** As whom the next attempt goes out; undefined: requests say that they come from OpenCode. */
  readonly identity?: (() => CodexIdentity) | undefined
  /** Whether requests of sub-agents say so, where the host marked them. */
  readonly marksSubAgents?: boolean
}

/** A request that is ready but for what depends on who sends it. */
export interface WireInput {
  readonly hostHeaders: HeadersInit | undefined
  readonly sender: Sender
  readonly body: ObjectText
  readonly model: string
  readonly sessionId: string | undefined
}

/**
 * Headers and body of one attempt, which always agree: made anew for every attempt from the same body, so that another
 * account or another model never gets what was shaped for the one before. Pure.
 */
export function wireRequest(
  style: WireStyle,
  input: WireInput,
): { readonly headers: Record<string, string>; readonly body: ObjectText } {
  const { sender, model } = input
  // The shapes are the ChatGPT backend's; an API key belongs to whoever.
  const isKey = sender.account.kind === 'api-key'
  const isLite = !isKey && style.responsesLite === 'auto' && modelFact(model)?.lite === true
  const lite = isLite ? objectText(liteBody(input.body.text) ?? '') : undefined
  const shape = {
    ...(lite !== undefined && LITE_HEADERS),
    ...(!isKey && style.marksSubAgents === true && subAgentMark(input.hostHeaders)),
  }
  const body = lite ?? input.body
  if (style.identity === undefined || isKey)
    return { headers: { ...outgoingHeaders(input.hostHeaders, sender), ...shape }, body }

  const cacheKey = stringMember(body, 'prompt_cache_key')
  const session = input.sessionId ?? cacheKey
  const threadId = session === undefined ? undefined : threadIdOf(session, sender.account.uid)
  const serviceTier = stringMember(body, 'service_tier')
  return {
    headers: identityHeaders(style.identity(), sender, { model, serviceTier, threadId, shape }),
    // The CLI's key of the prompt cache is the name of the conversation.
    body:
      threadId === undefined || cacheKey !== session
        ? body
        : withValue(body, 'prompt_cache_key', `"${threadId}"`),
  }
}

/** The mark that our own hook has set, and no other value of that header. */
function subAgentMark(hostHeaders: HeadersInit | undefined): Record<string, string> {
  const isMarked = headerEntries(hostHeaders).some(
    ([name, value]) => name.toLowerCase() === SUB_AGENT_HEADER && value === SUB_AGENT_KIND,
  )
  return isMarked ? { [SUB_AGENT_HEADER]: SUB_AGENT_KIND } : {}
}
