import { type Effort, type ModelFact, MODEL_FACTS } from './facts.js'

/** The ways a model can be offered in OpenCode's configuration. */
export type TemplateName = 'modern' | 'legacy' | 'full' | 'minimal'

/** Models as OpenCode's `provider.openai.models` takes them. */
type ModelEntries = Record<string, object>

/** Models that the templates offer: what the Codex CLI lists, and what the host still offers beside it. */
const OFFERED = MODEL_FACTS.filter(
  (fact) => fact.listed || ['gpt-5.4', 'gpt-5.4-mini', 'gpt-5.3-codex-spark'].includes(fact.id),
)

/** Efforts that OpenCode can send; `ultra` is a mode of the Codex CLI. */
const sendable = (fact: ModelFact): Effort[] => fact.efforts.filter((effort) => effort !== 'ultra')

/**
 * The `models` of a template. `modern`: one entry a model, efforts as variants. `legacy`: one entry a model and effort
 * (`gpt-5.5-high`), for hosts without variants and for scripts. `full`: both. `minimal`: the two usual models.
 */
export function templateModels(name: TemplateName): ModelEntries {
  switch (name) {
    case 'modern':
      return modern(OFFERED)
    case 'minimal':
      return modern(OFFERED.slice(0, 2))
    case 'legacy':
      return legacy(OFFERED)
    case 'full':
      return { ...modern(OFFERED), ...legacy(OFFERED) }
  }
}

/** Every model id that any template of this version writes; the installer removes only these when it changes templates. */
export function templateModelIds(): ReadonlySet<string> {
  return new Set(Object.keys(templateModels('full')))
}

/** A template as a whole OpenCode configuration. */
export function templateConfig(name: TemplateName): Record<string, unknown> {
  return {
    $schema: 'https://opencode.ai/config.json',
    plugin: ['oc-codex-multi-auth'],
    provider: { openai: { models: templateModels(name) } },
  }
}

function modern(facts: readonly ModelFact[]): ModelEntries {
  return Object.fromEntries(
    facts.map((fact) => [
      fact.id,
      {
        ...base(fact, displayName(fact.id)),
        variants: Object.fromEntries(sendable(fact).map((effort) => [effort, optionsFor(effort)])),
      },
    ]),
  )
}

function legacy(facts: readonly ModelFact[]): ModelEntries {
  return Object.fromEntries(
    facts.flatMap((fact) =>
      sendable(fact).map((effort) => [
        `${fact.id}-${effort}`,
        { ...base(fact, `${displayName(fact.id)} (${effort})`), options: optionsFor(effort) },
      ]),
    ),
  )
}

function base(fact: ModelFact, name: string) {
  return {
    name,
    reasoning: true,
    attachment: true,
    tool_call: true,
    // The catalogue's window is what goes in; OpenCode counts input and output together.
    limit: { context: fact.input + fact.output, input: fact.input, output: fact.output },
    modalities: { input: ['text', 'image'], output: ['text'] },
  }
}

function optionsFor(effort: Effort): Record<string, unknown> {
  return {
    reasoningEffort: effort,
    reasoningSummary: 'auto',
    include: ['reasoning.encrypted_content'],
    store: false,
  }
}

/** `gpt-6.1-sol` → `GPT-6.1 Sol`. */
function displayName(id: string): string {
  const [family, version, ...rest] = id.split('-')
  const words = rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1))
  return [`${(family ?? '').toUpperCase()}-${version ?? ''}`, ...words].join(' ')
}
