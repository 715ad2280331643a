import { MAX_FOREIGN_BYTES, readBoundedFile } from '../kernel/files/bounded-file.js'
import { type FileStamp, sameStamp, stampOf } from '../kernel/files/json-file.js'
import { resolveModel } from '../models/resolve.js'
import type { CatalogueModel } from './catalogue.js'
import { parseCatalogues } from './catalogue-file.js'

type Name = keyof NonNullable<CatalogueModel['personalities']>

/** The texts for manners of speaking that the lists of the accounts carry, as last heard of. The backend is not asked here. */
export function createListedTexts(catalogueFile: string) {
  let stamp: FileStamp | undefined
  let models: readonly CatalogueModel[] = []

  async function load(): Promise<readonly CatalogueModel[]> {
    const now = await stampOf(catalogueFile)
    if (sameStamp(now, stamp)) return models
    const text = await readBoundedFile(catalogueFile, MAX_FOREIGN_BYTES)
    const lists = new Set(Object.values(parseCatalogues(text ?? '')).map((one) => one.models))
    models = [...lists].flat().filter(({ personalities }) => personalities !== undefined)
    stamp = now
    return models
  }

  return {
    /** The text for a model as the host calls it, or for the first that has one. Never throws. */
    find: async (name: Name, model: string | undefined): Promise<string | undefined> => {
      const id = model === undefined ? undefined : resolveModel(model).model
      const known = await load().catch(() => [])
      return known.find((one) => (id ?? one.id) === one.id && one.personalities?.[name])
        ?.personalities?.[name]
    },
    /** The models that have a text of this name. Never throws. */
    modelsWith: async (name: Name): Promise<readonly string[]> => {
      const known = await load().catch(() => [])
      return [
        ...new Set(known.filter(({ personalities }) => personalities?.[name]).map(({ id }) => id)),
      ]
    },
  }
}

export type ListedTexts = ReturnType<typeof createListedTexts>
