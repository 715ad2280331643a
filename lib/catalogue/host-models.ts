import { isRecord } from '../kernel/text/json.js'
import { modelFact } from '../models/facts.js'

import type { CatalogueModel } from './catalogue.js'

/** A model as OpenCode keeps it; only what is looked at or changed here. */
export interface HostModel {
  readonly id: string
  readonly name: string
  readonly limit: { readonly context: number; readonly input?: number; readonly output: number }
  readonly options?: Readonly<Record<string, unknown>>
  readonly variants?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly [other: string]: unknown
}

/** Longest answer of a model of which no other length is known, tokens. */
const DEFAULT_OUTPUT = 128_000

/** Efforts the host cannot send as such. */
const NOT_SENDABLE = new Set(['ultra'])

/**
 * The host's models with what the backend says of them: inputs no longer than the backend takes, efforts it knows, no
 * summaries and verbosity where it takes none, and the models and fast forms that the host has not heard of. What the user
 * wrote into the configuration is left alone, and nothing the host offers is taken away: the backend's list depends on the
 * client that asks. Pure.
 * @param host the host's own list, already filtered
 * @param catalogues one per account, the best first
 * @param userDefined ids the user configured
 */
export function mergeModels(
  host: Readonly<Record<string, HostModel>>,
  catalogues: readonly (readonly CatalogueModel[])[],
  userDefined: ReadonlySet<string>,
): Record<string, HostModel> {
  const known = new Map<string, CatalogueModel>()
  for (const catalogue of catalogues) {
    for (const model of catalogue) known.set(model.id, wider(known.get(model.id), model))
  }
  const merged: Record<string, HostModel> = { ...host }
  for (const [id, model] of Object.entries(host)) {
    const facts = known.get(apiIdOf(model))
    if (facts && !userDefined.has(id)) merged[id] = corrected(model, facts)
  }
  const pattern = Object.values(host).find(
    (model) => !userDefined.has(model.id) && model.variants !== undefined,
  )
  for (const facts of known.values()) {
    const { id, listed, fast } = facts
    if (pattern && listed && !Object.hasOwn(merged, id)) merged[id] = added(facts, pattern)
    const fastId = `${id}-fast`
    const isThere = known.has(fastId) || Object.hasOwn(merged, fastId)
    if (!fast || isThere || userDefined.has(id) || !Object.hasOwn(merged, id)) continue
    // As the host makes them (docs/development/facts/opencode-host.md#requests).
    const model = merged[id] as HostModel
    const options = { ...model.options, serviceTier: 'priority' }
    merged[fastId] = { ...model, id: fastId, name: `${model.name} Fast`, options }
  }
  return merged
}

/** What any account may do: the longer input, the longer list of efforts, what one of them takes. */
function wider(left: CatalogueModel | undefined, right: CatalogueModel): CatalogueModel {
  if (!left) return right
  const input = Math.max(left.input ?? 0, right.input ?? 0)
  const efforts = [...new Set([...(left.efforts ?? []), ...(right.efforts ?? [])])]
  return {
    ...left,
    refused: left.refused && right.refused,
    ...(input > 0 ? { input } : {}),
    ...(efforts.length > 0 ? { efforts } : {}),
    listed: left.listed || right.listed,
    fast: left.fast || right.fast,
  }
}

function apiIdOf(model: HostModel): string {
  const { api } = model
  return isRecord(api) && typeof api.id === 'string' ? api.id : model.id
}

const NO_EFFORT = 'none'

function corrected(model: HostModel, facts: CatalogueModel): HostModel {
  const { limit } = model
  const input = Math.min(limit.input ?? Infinity, facts.input ?? Infinity)
  const withLimit = Number.isFinite(input)
    ? {
        ...model,
        limit: { ...limit, input, context: Math.min(limit.context, input + limit.output) },
      }
    : model
  if (!facts.efforts) return withoutRefused(withLimit, facts)
  const existing = model.variants ?? {}
  // Never in the list of the backend, but taken by it from these models; OpenCode asks for titles with it.
  const keepsNone = NO_EFFORT in existing && modelFact(facts.id)?.lite === false
  const variants = variantsOf(keepsNone ? [NO_EFFORT, ...facts.efforts] : facts.efforts, existing)
  return withoutRefused({ ...withLimit, variants }, facts)
}

/** The host sends what it knows of a family, by default and with its variants. */
function withoutRefused(model: HostModel, { refused }: CatalogueModel): HostModel {
  if (refused === undefined) return model
  const variants = Object.entries(model.variants ?? {}).map(([name, options]) => [
    name,
    { ...options, ...refused },
  ])
  return {
    ...model,
    options: { ...model.options, ...refused },
    variants: Object.fromEntries(variants) as NonNullable<HostModel['variants']>,
  }
}

function added(facts: CatalogueModel, pattern: HostModel): HostModel {
  const output = modelFact(facts.id)?.output ?? DEFAULT_OUTPUT
  const input =
    facts.input ?? modelFact(facts.id)?.input ?? pattern.limit.input ?? pattern.limit.context
  const api = { ...(isRecord(pattern.api) ? pattern.api : {}), id: facts.id }
  const model: HostModel = {
    ...pattern,
    id: facts.id,
    name: facts.name,
    family: facts.id,
    api,
    status: 'active',
    release_date: '',
    options: { ...facts.options },
    headers: {},
    limit: { context: input + output, input, output },
    variants: variantsOf(facts.efforts ?? ['low', 'medium', 'high'], {}),
  }
  return withoutRefused(model, facts)
}

/** One variant per effort, as the host makes them (docs/development/facts/opencode-host.md#models); variants that are no efforts stay. */
function variantsOf(
  efforts: readonly string[],
  existing: NonNullable<HostModel['variants']>,
): NonNullable<HostModel['variants']> {
  const sendable = efforts.filter((effort) => !NOT_SENDABLE.has(effort))
  const others = Object.entries(existing).filter(([, options]) => !('reasoningEffort' in options))
  return Object.fromEntries([
    ...sendable.map((effort) => [
      effort,
      (Object.hasOwn(existing, effort) ? existing[effort] : undefined) ?? {
        reasoningEffort: effort,
        reasoningSummary: 'auto',
        include: ['reasoning.encrypted_content'],
      },
    ]),
    ...others,
  ]) as NonNullable<HostModel['variants']>
}
