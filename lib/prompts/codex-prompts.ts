/** The texts of the Codex CLI that we use: how to plan, how to compact, and what stands before a summary. */
export type PromptName = 'plan' | 'compaction' | 'summaryPrefix'

/** One text of one release. What is not exactly this is not used, wherever it comes from. */
export interface PinnedPrompt {
  /** Below the address of the release. */
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

/** The release whose texts are used; a newer one is a change of the plugin, because the texts reach the model. */
export const PROMPT_RELEASE = 'rust-v0.171.0'

/** The only address that is asked; nothing of the request goes there. */
export const PROMPT_BASE = `https://raw.githubusercontent.com/openai/codex/${PROMPT_RELEASE}/codex-rs`

export const CODEX_PROMPTS: Readonly<Record<PromptName, PinnedPrompt>> = {
  plan: {
    path: 'collaboration-mode-templates/templates/plan.md',
    bytes: 9184,
    sha256: 'd6d46c2d460a9d91ada2167605a8dfc56efde6b2ab61e101444c736c6fd6960a',
  },
  compaction: {
    path: 'prompts/templates/compact/prompt.md',
    bytes: 426,
    sha256: 'ab0c334d4faca17e3afbb9b16967c1b2fdcc7242a9a0880af57949fa236d6d07',
  },
  summaryPrefix: {
    path: 'prompts/templates/compact/summary_prefix.md',
    bytes: 399,
    sha256: 'e9b088e794a6bb9082ac053fcc760bd818d7e720ee4bcdc72c6e480de7b7cb0e',
  },
}
