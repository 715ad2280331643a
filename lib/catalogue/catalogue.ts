import * as s from '../kernel/shape.js'

import { dropUndefined } from '../kernel/drop-undefined.js'
import { maybe } from '../kernel/text/odd-values.js'

/** Longer texts for a manner of speaking are not kept, characters. */
const MAX_MANNER_CHARS = 8_000
const manner = maybe(s.string({ max: MAX_MANNER_CHARS }))
const mannersSchema = s.object({ personality_friendly: manner, personality_pragmatic: manner })

/** The part of the backend's ModelInfo that matters here; see docs/development/facts/codex-backend.md#models. */
const modelSchema = s.looseObject({
  slug: s.string({ min: 1 }),
  display_name: s.string().optional(),
  context_window: maybe(s.int({ min: 1 })),
  supported_reasoning_levels: maybe(s.array(s.looseObject({ effort: s.string() }))),
  default_reasoning_level: maybe(s.string()),
  visibility: maybe(s.string()),
  service_tiers: maybe(s.array(s.looseObject({ id: s.string() }))),
  input_modalities: maybe(s.array(s.string())),
  priority: maybe(s.number()),
  model_messages: maybe(s.looseObject({ instructions_variables: maybe(mannersSchema) })),
})
const answerSchema = s.looseObject({ models: s.array(s.unknown()) })

/** One model of an account's catalogue. */
export interface CatalogueModel {
  readonly id: string
  readonly name: string
  /** Longest input, tokens. */
  readonly input?: number
  readonly efforts?: readonly string[]
  readonly defaultEffort?: string
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
      name: model.display_name ?? model.slug,
      input: model.context_window,
      efforts: model.supported_reasoning_levels?.map(({ effort }) => effort),
      defaultEffort: model.default_reasoning_level,
      listed: (model.visibility ?? 'list') === 'list',
      fast: (model.service_tiers ?? []).some(({ id }) => id === 'priority'),
      images: model.input_modalities?.includes('image') ?? true,
      manners: model.model_messages?.instructions_variables,
    }),
  )
}
