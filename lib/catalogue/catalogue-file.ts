import { isRecord, parsedJson } from '../kernel/text/json.js'
import { CODEX_CLI_VERSION } from '../models/facts.js'
import type { CatalogueModel } from './catalogue.js'

/** The catalogue of one account as cached. */
export interface CachedCatalogue {
  readonly models: readonly CatalogueModel[]
  readonly etag: string | undefined
  /** Epoch ms. */
  readonly fetchedAtMs: number
  /** Version of the client that asked. */
  readonly client: string
}

/** Cached catalogues by account uid. */
export type Catalogues = Readonly<Record<string, CachedCatalogue>>

/** In version 1 every account had its own `models` and `etag`. Who knows that one only takes a file of this one for none. */
export const VERSION = 2
/** Raised when more of the backend's list is kept: one that was kept with less is asked for anew, by dropping its tag. */
export const HOLDS = 2

/**
 * Reads the cache, also one of the former version. It is read at every start, before anything else is loaded, so it is
 * checked by hand; what does not fit is left out. Accounts with equal lists share one. Pure, never throws.
 */
export function parseCatalogues(text: string): Catalogues {
  const content = parsedJson(text)
  if (!isRecord(content) || !isRecord(content.accounts)) return {}
  const isFormer = content.version === 1
  if (!isFormer && content.version !== VERSION) return {}
  const lists = Array.isArray(content.lists) ? content.lists.map(listIn) : []
  const catalogues: Record<string, CachedCatalogue> = {}
  for (const [uid, entry] of Object.entries(content.accounts)) {
    if (!isRecord(entry) || typeof entry.fetchedAtMs !== 'number') continue
    const place = typeof entry.list === 'number' ? entry.list : -1
    const list = isFormer ? listIn(entry) : lists[place]
    if (list !== undefined) catalogues[uid] = { ...list, fetchedAtMs: entry.fetchedAtMs }
  }
  return catalogues
}

function listIn(entry: unknown): Omit<CachedCatalogue, 'fetchedAtMs'> | undefined {
  if (!isRecord(entry) || !Array.isArray(entry.models)) return undefined
  // Earlier versions of this package asked as the one client they knew.
  const { etag, holds, client = CODEX_CLI_VERSION } = entry
  const models = entry.models.filter(isModel)
  return models.length === 0
    ? undefined
    : {
        models,
        etag: typeof etag === 'string' && holds === HOLDS ? etag : undefined,
        client: typeof client === 'string' ? client : CODEX_CLI_VERSION,
      }
}

function isModel(value: unknown): value is CatalogueModel {
  if (!isRecord(value)) return false
  const { id, name, input, efforts, refused, options, listed, fast, images } = value
  return (
    typeof id === 'string' &&
    id !== '' &&
    typeof name === 'string' &&
    (input === undefined || (typeof input === 'number' && input > 0)) &&
    (efforts === undefined ||
      (Array.isArray(efforts) && efforts.every((effort) => typeof effort === 'string'))) &&
    [refused, options].every((table) => table === undefined || isRecord(table)) &&
    [listed, fast, images].every((flag) => typeof flag === 'boolean')
  )
}
