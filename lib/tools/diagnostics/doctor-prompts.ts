import { formatMoment } from '../../kernel/text/moments.js'
import { PROMPT_RELEASE, type PromptName } from '../../prompts/codex-prompts.js'
import { readPrompts } from '../../prompts/prompt-cache.js'
import type { Runtime } from '../../runtime.js'
import { type Finding, ok, warning } from './finding.js'

/** Which words the model gets where a setting adds some. Says nothing while none does. */
export async function prompts({ config, paths, clock }: Runtime): Promise<readonly Finding[]> {
  const wanted: readonly (readonly [what: string, name: PromptName])[] = [
    ...(config.collaboration === 'codex' ? [['planning', 'plan'] as const] : []),
    ...(config.compactionPrompt === 'codex'
      ? [
          ['compaction', 'compaction'] as const,
          ['the words before a summary', 'summaryPrefix'] as const,
        ]
      : []),
  ]
  if (wanted.length === 0) return []
  const read = await readPrompts(paths.promptsFile, clock.now())
  if (read.state === 'unusable')
    return [
      warning(
        'prompts',
        `${paths.promptsFile} ${read.why}. Until it is replaced, our own texts are in force.`,
        'Nothing: the next turn that needs it looks for it again.',
      ),
    ]
  const kept = read.state === 'kept' ? read.prompts : {}
  return wanted.map(([what, name]) =>
    ok(
      'prompts',
      kept[name] === undefined
        ? `Our own text is in force for ${what}; that of Codex CLI ${PROMPT_RELEASE} is not here yet.`
        : `The text of Codex CLI ${PROMPT_RELEASE} is in force for ${what}${read.state === 'kept' ? `, looked at ${formatMoment(read.checkedAtMs, clock.now())}` : ''}.`,
    ),
  )
}
