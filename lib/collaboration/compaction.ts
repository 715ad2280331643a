/** What the model is asked for at a compaction where the Codex CLI's own prompt is not at hand. */
export const OWN_COMPACTION = `Write the notes with which another model takes over this work. It sees nothing of the conversation but what you write now.

- What the user wants, in their own terms, and what they have ruled out or insisted on.
- What is done, what was decided and why, what was tried and failed.
- What is left, in order, beginning with the next step.
- What cannot be found again: paths, names, commands, error messages, numbers, links.

Be short and exact. Leave out what the project itself tells.`

/** What stands before a summary where the Codex CLI's own words are not at hand. */
export const OWN_SUMMARY_PREFIX = `Another model worked on this before you and left the notes below. The files are as it left them. Go on from its notes, and do not repeat what they say is done. The notes:`

/** What the prompt of a compaction is made of. */
interface CompactionInput {
  readonly prompt: string
  /** Of the compaction before, which the host leaves out where a prompt replaces its own; without the words before it. */
  readonly previousSummary: string | undefined
  /** What other plugins want to have said, which the host leaves out as well. */
  readonly context: readonly string[]
}

/** The prompt as the host gets it: it adds the conversation since the last compaction behind it. Pure. */
export function compactionPrompt({ prompt, previousSummary, context }: CompactionInput): string {
  const before =
    previousSummary === undefined
      ? []
      : [
          `What came before the conversation below was compacted already. Carry over what still counts of these notes:\n<previous-notes>\n${previousSummary}\n</previous-notes>`,
        ]
  return [prompt.trim(), ...before, ...context].join('\n\n')
}

/** The summary with the words before it, once. Pure. */
export function withPrefix(summary: string, prefix: string): string {
  return summary.startsWith(prefix) ? summary : `${prefix}\n${summary}`
}

/** The summary without the words before it, whichever of them stand there. Pure. */
export function withoutPrefix(text: string, prefixes: readonly string[]): string {
  const found = prefixes.find((prefix) => text.startsWith(`${prefix}\n`))
  return found === undefined ? text : text.slice(found.length + 1)
}
