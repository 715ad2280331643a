import * as s from '../kernel/shape.js'

import { dropUndefined } from '../kernel/drop-undefined.js'
import { maybe } from '../kernel/text/odd-values.js'
import { plainLines } from '../kernel/text/plain-text.js'

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
  model_messages: maybe(
    s.looseObject({
      instructions_variables: maybe(
        s.looseObject({
          personality_friendly: maybe(s.string()),
          personality_pragmatic: maybe(s.string()),
        }),
      ),
    }),
  ),
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
  /** Texts for a manner of speaking, where the backend has any for the model. */
  readonly personalities?: { readonly friendly?: string; readonly pragmatic?: string }
}

/** A longer text for a manner of speaking is not kept, characters. */
const MAX_PERSONALITY_CHARS = 8_000

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
      personalities: personalitiesOf(model.model_messages?.instructions_variables),
    }),
  )
}

function personalitiesOf(
  variables:
    | {
        readonly personality_friendly?: string | null | undefined
        readonly personality_pragmatic?: string | null | undefined
      }
    | null
    | undefined,
): CatalogueModel['personalities'] {
  const friendly = usableText(variables?.personality_friendly)
  const pragmatic = usableText(variables?.personality_pragmatic)
  return friendly === undefined && pragmatic === undefined
    ? undefined
    : dropUndefined({ friendly, pragmatic })
}

/** A text in which a place is still to be filled in is meant for another client. */
function usableText(text: string | null | undefined): string | undefined {
  const plain = plainLines(text ?? '').trim()
  const isUsable = plain !== '' && plain.length <= MAX_PERSONALITY_CHARS && !plain.includes('{{')
  return isUsable ? plain : undefined
}
