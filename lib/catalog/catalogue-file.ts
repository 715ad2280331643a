import { isRecord, parsedJson } from '../kernel/json.js'
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
  const entries = Object.entries(content.accounts).flatMap(
    ([uid, entry]): [string, CachedCatalogue][] => {
      if (!isRecord(entry) || !Array.isArray(entry.models) || typeof entry.fetchedAtMs !== 'number')
        return []
      const models = entry.models.filter(isModel)
      return models.length === 0
        ? []
        : [
            [
              uid,
              {
                models,
                etag: typeof entry.etag === 'string' ? entry.etag : undefined,
                fetchedAtMs: entry.fetchedAtMs,
              },
            ],
          ]
    },
  )
  return Object.fromEntries(entries)
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
