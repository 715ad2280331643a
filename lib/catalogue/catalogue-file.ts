import { isRecord, parsedJson } from '../kernel/text/json.js'
import type { CatalogueModel } from './catalogue.js'

/** The catalogue of one account as cached. */
export interface CachedCatalogue {
  readonly models: readonly CatalogueModel[]
  readonly etag: string | undefined
  /** Epoch ms. */
  readonly fetchedAtMs: number
}

/** Cached catalogues by account uid. */
export type Catalogues = Readonly<Record<string, CachedCatalogue>>

const VERSION = 1

/**
 * Reads the cache. It is read at every start, before any schema library is loaded, so it is checked by hand; what does not
 * fit is left out. Pure, never throws.
 */
export function parseCatalogues(text: string): Catalogues {
  const content = parsedJson(text)
  if (!isRecord(content) || content.version !== VERSION || !isRecord(content.accounts)) return {}
  const catalogues: Record<string, CachedCatalogue> = {}
  for (const [uid, entry] of Object.entries(content.accounts)) {
    if (!isRecord(entry) || !Array.isArray(entry.models)) continue
    const { etag, fetchedAtMs } = entry
    const models = entry.models.filter(isModel)
    if (models.length > 0 && typeof fetchedAtMs === 'number')
      catalogues[uid] = { models, etag: typeof etag === 'string' ? etag : undefined, fetchedAtMs }
  }
  return catalogues
}

/** The text of the cache. */
export function formatCatalogues(accounts: Catalogues): string {
  return JSON.stringify({ version: VERSION, accounts })
}

function isModel(value: unknown): value is CatalogueModel {
  if (!isRecord(value)) return false
  const { id, name, input, efforts, listed, fast, images } = value
  return (
    typeof id === 'string' &&
    id !== '' &&
    typeof name === 'string' &&
    (input === undefined || (typeof input === 'number' && input > 0)) &&
    (efforts === undefined ||
      (Array.isArray(efforts) && efforts.every((effort) => typeof effort === 'string'))) &&
    [listed, fast, images].every((flag) => typeof flag === 'boolean')
  )
}
