import type { Hooks, PluginInput } from '@opencode-ai/plugin'

import {
  compactionPrompt,
  OWN_COMPACTION,
  OWN_SUMMARY_PREFIX,
  withoutPrefix,
  withPrefix,
} from '../collaboration/compaction.js'
import { isRecord } from '../kernel/text/json.js'
import type { PromptCache } from '../prompts/prompt-cache.js'
import { PROVIDER } from './turns.js'

/** The hooks of a compaction. */
export type CompactionHooks = Pick<
  Hooks,
  'experimental.session.compacting' | 'experimental.text.complete'
>

/** Compaction with our prompt. */
interface Compaction {
  readonly hooks: Required<CompactionHooks>
  /** The session is deleted. */
  forget(session: string): void
}

interface CompactionDeps {
  readonly client: Pick<PluginInput['client'], 'session'>
  readonly prompts: Pick<PromptCache, 'current'>
  /** `<provider>/<model>` of the agent that compacts, where the user named one; else that of the conversation. */
  readonly model: string | undefined
}

/** How far back the last summary is looked for at first; a conversation may hold far more. */
const LATEST = 200
/** The host answers from its own store. */
const ANSWER_TIMEOUT_MS = 5_000

/** The Codex CLI's prompt and words in place of the host's, for sessions whose models are of our provider. */
export function createCompaction({ client, prompts, model }: CompactionDeps): Compaction {
  /** Sessions whose summary is being written. */
  const waiting = new Set<string>()
  const prefix = (): string => prompts.current('summaryPrefix') ?? OWN_SUMMARY_PREFIX

  async function messagesOf(session: string, limit?: number): Promise<readonly unknown[]> {
    const { data } = await client.session.messages({
      path: { id: session },
      ...(limit !== undefined && { query: { limit } }),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    })
    return Array.isArray(data) ? data : []
  }

  const hooks: Compaction['hooks'] = {
    async 'experimental.session.compacting'({ sessionID }, output) {
      // Another plugin has spoken.
      if (output.prompt !== undefined) return
      const latest = await messagesOf(sessionID, LATEST)
      if ((model?.split('/')[0] ?? providerOf(latest)) !== PROVIDER) return
      const isAll = latest.length < LATEST
      const summary =
        summaryIn(latest) ?? (isAll ? undefined : summaryIn(await messagesOf(sessionID)))
      output.prompt = compactionPrompt({
        prompt: prompts.current('compaction') ?? OWN_COMPACTION,
        previousSummary:
          summary === undefined
            ? undefined
            : withoutPrefix(summary, [prefix(), OWN_SUMMARY_PREFIX]),
        context: output.context,
      })
      waiting.add(sessionID)
    },
    async 'experimental.text.complete'({ sessionID, messageID }, output) {
      if (!waiting.delete(sessionID)) return
      const { data } = await client.session.message({
        path: { id: sessionID, messageID },
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      })
      if (isSummary(data)) output.text = withPrefix(output.text, prefix())
    },
  }
  return { hooks, forget: (session) => void waiting.delete(session) }
}

/** The provider of the newest message that is the user's: a compaction is asked for in the user's name. */
function providerOf(messages: readonly unknown[]): unknown {
  const infos = messages.map(infoOf)
  const { model } = infos.findLast(({ role }) => role === 'user') ?? {}
  return isRecord(model) ? model.providerID : undefined
}

/** The text of the newest summary. */
function summaryIn(messages: readonly unknown[]): string | undefined {
  const found = messages.findLast(isSummary)
  if (!isRecord(found) || !Array.isArray(found.parts)) return undefined
  const texts = found.parts.flatMap((part: unknown) =>
    isRecord(part) && part.type === 'text' && typeof part.text === 'string' ? [part.text] : [],
  )
  return texts.join('\n').trim() || undefined
}

function isSummary(message: unknown): boolean {
  const { role, summary } = infoOf(message)
  return role === 'assistant' && summary === true
}

function infoOf(message: unknown): Readonly<Record<string, unknown>> {
  return isRecord(message) && isRecord(message.info) ? message.info : {}
}
