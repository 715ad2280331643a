import { type CachedCatalogue, type Catalogues, HOLDS, VERSION } from './catalogue-file.js'

/** The text of the cache: each list once, and per account which one it is. */
export function formatCatalogues(catalogues: Catalogues): string {
  const lists: object[] = []
  const places = new Map<string, number>()
  const texts = new Map<CachedCatalogue['models'], string>()
  const accounts = Object.entries(catalogues).map(
    ([uid, { models, etag, fetchedAtMs, client }]) => {
      // Lists that came from the file are the same array already.
      const text = texts.get(models) ?? JSON.stringify(models)
      texts.set(models, text)
      const key = `${client} ${etag ?? ''} ${text}`
      const list = places.get(key) ?? lists.push({ etag, client, models, holds: HOLDS }) - 1
      places.set(key, list)
      return [uid, { list, fetchedAtMs }] as const
    },
  )
  return JSON.stringify({ version: VERSION, lists, accounts: Object.fromEntries(accounts) })
}
