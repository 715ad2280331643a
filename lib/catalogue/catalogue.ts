import * as s from '../kernel/shape.js'

import { dropUndefined } from '../kernel/drop-undefined.js'
import { maybe } from '../kernel/text/odd-values.js'

/** Longer texts for a manner of speaking are not kept, characters. */
const MAX_MANNER_CHARS = 8_000
const manner = maybe(s.string({ max: MAX_MANNER_CHARS }))
const mannersSchema = s.object({ personality_friendly: manner, personality_pragmatic: manner })
/** A model's name goes into the host's tables and into headers, an effort into the list of variants. */
const SLUG = /^[A-Za-z0-9][\w.:/-]{0,127}$/
const EFFORT = /^[a-z][a-z0-9-]{0,31}$/
/** OpenCode's instructions and tools alone take nearly as much: it would compact without end. Tokens. */
const LEAST_WINDOW = 16_000
const CONTROLS = /[\p{Cc}\p{Cf}]+/gu
const MAX_NAME_CHARS = 80

/** The part of the backend's ModelInfo that matters here; see docs/development/facts/codex-backend.md#models. */
const modelSchema = s.looseObject({
  slug: s.string({ pattern: SLUG }),
  display_name: s.string().optional(),
  context_window: maybe(s.int({ min: LEAST_WINDOW })),
  supported_reasoning_levels: maybe(s.array(s.looseObject({ effort: s.string() }))),
  default_reasoning_level: maybe(s.string()),
  support_verbosity: maybe(s.boolean()),
  default_verbosity: maybe(s.string()),
  supports_reasoning_summaries: maybe(s.boolean()),
  supports_reasoning_summary_parameter: maybe(s.boolean()),
  visibility: maybe(s.string()),
  service_tiers: maybe(s.array(s.looseObject({ id: s.string() }))),
  input_modalities: maybe(s.array(s.string())),
  priority: maybe(s.number()),
  model_messages: maybe(s.looseObject({ instructions_variables: maybe(mannersSchema) })),
})
const answerSchema = s.looseObject({ models: s.array(s.unknown()) })

/** What the host's SDK takes for `reasoning.summary` and `text.verbosity`. */
const SUMMARY = 'reasoningSummary'
const VERBOSITY = 'textVerbosity'

/** One model of an account's catalogue. */
export interface CatalogueModel {
  readonly id: string
  readonly name: string
  /** Longest input, tokens. */
  readonly input?: number
  readonly efforts?: readonly string[]
  readonly defaultEffort?: string
  /** Options of the host that the backend does not take for it, each as `null`: so its SDK leaves the member out. */
  readonly refused?: Readonly<Record<string, null>> | undefined
  /** Options of the host for a model that it does not know, as the Codex CLI would send them. */
  readonly options?: Readonly<Record<string, string>>
  /** The backend shows it in its own picker. */
  readonly listed: boolean
  readonly fast: boolean
  readonly images: boolean
  /** Texts for a manner of speaking as the backend has them, where it has any for the model. */
  readonly manners?: s.Infer<typeof mannersSchema>
}

/**
 * Reads the answer of `/codex/models`. A model that cannot be read is left out; an answer that is none is undefined.
 * Pure.
 */
export function parseCatalogue(body: unknown): CatalogueModel[] | undefined {
  const answer = answerSchema.safeParse(body)
  if (!answer.success) return undefined
  const models = answer.data.models.flatMap((entry) => modelSchema.safeParse(entry).data ?? [])
  if (models.length === 0) return undefined
  models.sort((left, right) => (left.priority ?? Infinity) - (right.priority ?? Infinity))
  return models.map((model) =>
    dropUndefined({
      id: model.slug,
      name:
        model.display_name?.replace(CONTROLS, ' ').trim().slice(0, MAX_NAME_CHARS) || model.slug,
      input: model.context_window,
      efforts: effortsIn(model.supported_reasoning_levels),
      defaultEffort: model.default_reasoning_level,
      ...optionsOf(model),
      listed: (model.visibility ?? 'list') === 'list',
      fast: (model.service_tiers ?? []).some(({ id }) => id === 'priority'),
      images: model.input_modalities?.includes('image') ?? true,
      manners: model.model_messages?.instructions_variables,
    }),
  )
}

/** None of a list in which none can be read: only an empty one says that there are none. */
function effortsIn(
  levels: readonly { readonly effort: string }[] | null | undefined,
): string[] | undefined {
  const efforts = levels?.map(({ effort }) => effort).filter((effort) => EFFORT.test(effort))
  return efforts?.length === 0 && levels?.length !== 0 ? undefined : efforts
}

function optionsOf(
  model: s.Infer<typeof modelSchema>,
): Pick<CatalogueModel, 'refused' | 'options'> {
  const { support_verbosity: takesVerbosity, default_verbosity: verbosity = '' } = model
  const takesSummaries =
    model.supports_reasoning_summaries !== false &&
    model.supports_reasoning_summary_parameter !== false
  const refused = {
    ...(takesSummaries ? {} : { [SUMMARY]: null }),
    ...(takesVerbosity === false ? { [VERBOSITY]: null } : {}),
  }
  const isNamed = takesVerbosity !== false && ['low', 'medium', 'high'].includes(verbosity)
  return {
    ...(Object.keys(refused).length === 0 ? {} : { refused }),
    ...(isNamed ? { options: { [VERBOSITY]: verbosity } } : {}),
  }
}
