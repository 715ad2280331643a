import type { PersonalityFiles } from './files.js'
import { isListed, type ListedName } from './names.js'
import { listedPart, ownPart } from './text.js'

/** What a name comes to in a request. */
export type Spoken =
  | {
      readonly kind: 'part'
      readonly name: string
      /** What is added to the instructions. */
      readonly part: string
      readonly scope: 'project' | 'user' | 'list'
      /** Path of the file; null for a text of the model list. */
      readonly file: string | null
    }
  | {
      readonly kind: 'problem'
      readonly name: string
      readonly problem: string
      /** There is none of that name. */
      readonly isMissing?: true
    }

/** Where texts come from. */
export interface Sources {
  readonly files: Pick<PersonalityFiles, 'find'>
  /** The text of the accounts' model list for a model, or for any. */
  listed(name: ListedName, model: string | undefined): Promise<string | undefined>
}

/** What speaks under a name; a reason in one sentence where nothing does. Never throws. */
export async function spokenBy(
  name: string,
  model: string | undefined,
  sources: Sources,
): Promise<Spoken> {
  if (isListed(name)) {
    const text = await sources.listed(name, model)
    if (text !== undefined)
      return { kind: 'part', name, part: listedPart(text), scope: 'list', file: null }
    const whose = model === undefined ? 'any model' : model
    return {
      kind: 'problem',
      name,
      problem: `The model list of your accounts has no text "${name}" for ${whose}.`,
    }
  }
  const found = await sources.files.find(name)
  switch (found.kind) {
    case 'text': {
      const { scope, file, text } = found
      return { kind: 'part', name, part: ownPart(text), scope, file }
    }
    case 'problem':
      return { kind: 'problem', name, problem: found.problem }
    case 'missing':
      return {
        kind: 'problem',
        name,
        isMissing: true,
        problem: `There is no text "${name}", neither in this project nor in your own folder.`,
      }
  }
}
