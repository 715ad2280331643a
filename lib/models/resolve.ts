import { type Effort, EFFORTS, modelFact } from './facts.js'

/** What to send for a model id as the user wrote it; the rest comes from suffixes (`gpt-5.5-fast-high`). */
interface ResolvedModel {
  readonly model: string
  readonly effort?: Effort
  readonly serviceTier?: 'priority'
}

/** Short names that never were models of the backend. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['gpt-5.6', 'gpt-5.6-sol'],
  ['gpt_5_codex', 'gpt-5-codex'],
])

const EFFORT_SUFFIX = /-(none|minimal|low|medium|high|xhigh|max|ultra)$/
const FAST_SUFFIX = /-fast$/

/**
 * Resolves provider prefix, aliases and suffixes, but only onto models that are known: anything else passes unchanged,
 * because a new model must work on its first day and must never be replaced behind the user's back. Pure.
 */
export function resolveModel(id: string): ResolvedModel {
  const bare = id.startsWith('openai/') ? id.slice('openai/'.length) : id
  const plain = ALIASES.get(bare) ?? bare
  if (modelFact(plain)) return { model: plain }
  const effort = EFFORT_SUFFIX.exec(plain)?.[1] as Effort | undefined
  const withoutEffort = effort === undefined ? plain : plain.slice(0, -effort.length - 1)
  const fast = FAST_SUFFIX.test(withoutEffort)
  const stem = fast ? withoutEffort.replace(FAST_SUFFIX, '') : withoutEffort
  const base = ALIASES.get(stem) ?? stem
  if (base === plain || !modelFact(base)) return { model: plain }
  return {
    model: base,
    ...(effort ? { effort } : {}),
    ...(fast ? { serviceTier: 'priority' as const } : {}),
  }
}

/**
 * What a table by model id holds for a model: under its own id, else under another name of it (alias, provider prefix). Names
 * with a suffix for effort or speed are other names. Pure.
 */
export function entryFor<Value>(
  table: Readonly<Record<string, Value>>,
  model: string,
): Value | undefined {
  if (Object.hasOwn(table, model)) return table[model]
  return Object.entries(table).find(([id]) => plainName(id) === model)?.[1]
}

/** The name under which the backend knows what a user calls a model in a table; a suffix stays. Pure. */
export function plainName(id: string): string {
  const { model, effort, serviceTier } = resolveModel(id)
  return effort === undefined && serviceTier === undefined ? model : id
}

/** The effort as it goes over the wire: `ultra` stands for another one, the rest is sent as chosen. */
export function wireEffort(model: string, effort: Effort): Effort {
  return effort === 'ultra' ? (modelFact(model)?.ultraAs ?? 'max') : effort
}

/**
 * The nearest effort the model takes, as it goes over the wire; unknown models get what was asked for. A selection
 * above the model's list becomes its highest (captured: `max` to gpt-5.5 goes out as `xhigh`), but `ultra` where it is
 * not offered becomes the default (captured on gpt-6-luna). `none` passes to models without the Lite shape, since the
 * backend takes it from them (docs/development/facts/opencode-host.md#requests). Pure.
 */
export function clampEffort(model: string, effort: Effort): Effort {
  const fact = modelFact(model)
  if (fact === undefined || (effort === 'none' && !fact.lite) || fact.efforts.includes(effort))
    return wireEffort(model, effort)
  if (effort === 'ultra' && fact.efforts.includes('max')) return fact.defaultEffort
  const sendable = fact.efforts.filter((one) => one !== 'ultra')
  const rank = EFFORTS.indexOf(effort)
  return (
    sendable.find((one) => EFFORTS.indexOf(one) >= rank) ?? sendable.at(-1) ?? fact.defaultEffort
  )
}

/** True for a text that names an effort. */
export function isEffort(value: unknown): value is Effort {
  return (EFFORTS as readonly unknown[]).includes(value)
}
