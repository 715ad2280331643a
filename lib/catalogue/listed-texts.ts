import { dropUndefined } from '../kernel/drop-undefined.js'
import { MAX_FOREIGN_BYTES, readBoundedFile } from '../kernel/files/bounded-file.js'
import { type FileStamp, sameStamp, stampOf } from '../kernel/files/json-file.js'
import { plainLines } from '../kernel/text/plain-text.js'
import { resolveModel } from '../models/resolve.js'
import type { CatalogueModel } from './catalogue.js'
import { parseCatalogues } from './catalogue-file.js'

type Name = 'friendly' | 'pragmatic'

interface Listed {
  readonly id: string
  readonly texts: Readonly<Partial<Record<Name, string>>>
}

/** The texts for manners of speaking that the lists of the accounts carry, as last heard of. The backend is not asked here. */
export function createListedTexts(catalogueFile: string) {
  let stamp: FileStamp | undefined
  let models: readonly Listed[] = []

  async function load(): Promise<readonly Listed[]> {
    const now = await stampOf(catalogueFile)
    if (sameStamp(now, stamp)) return models
    const text = await readBoundedFile(catalogueFile, MAX_FOREIGN_BYTES)
    const lists = new Set(Object.values(parseCatalogues(text ?? '')).map((one) => one.models))
    models = [...lists].flat().map(listedOf)
    stamp = now
    return models
  }

  return {
    /** The text for a model as the host calls it, or for the first that has one. Never throws. */
    find: async (name: Name, model: string | undefined): Promise<string | undefined> => {
      const id = model === undefined ? undefined : resolveModel(model).model
      const known = await load().catch(() => [])
      return known.find((one) => (id ?? one.id) === one.id && one.texts[name] !== undefined)?.texts[
        name
      ]
    },
    /** The models that have a text of this name. Never throws. */
    modelsWith: async (name: Name): Promise<readonly string[]> => {
      const known = await load().catch(() => [])
      return [
        ...new Set(known.filter(({ texts }) => texts[name] !== undefined).map(({ id }) => id)),
      ]
    },
  }
}

export type ListedTexts = ReturnType<typeof createListedTexts>

function listedOf({ id, manners }: CatalogueModel): Listed {
  const friendly = usableText(manners?.personality_friendly)
  const pragmatic = usableText(manners?.personality_pragmatic)
  return { id, texts: dropUndefined({ friendly, pragmatic }) }
}

/** A text in which a place is still to be filled in is meant for another client. */
function usableText(text: unknown): string | undefined {
  const plain = typeof text === 'string' ? plainLines(text).trim() : ''
  return plain === '' || plain.includes('{{') ? undefined : plain
}
