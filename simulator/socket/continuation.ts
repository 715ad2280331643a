import * as z from 'zod'

import type { Settings } from '../settings.js'

/** The answer a connection can be continued from: the newest one, and what it was made from. */
export interface Held {
  readonly responseId: string
  /** The whole input with the items of the answer behind it. */
  readonly items: readonly unknown[]
  /** The requests so far had base instructions of their own, beside the input. */
  readonly instructed: boolean
}

/** What a frame asks for, next to what its connection holds. */
export type Continued =
  | { readonly kind: 'answer'; readonly input: unknown; readonly incremental: boolean }
  /** The backend answers with nothing. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'refused'; readonly error: FrameError }

/** The `error` member of an error frame. */
interface FrameError {
  readonly type: 'invalid_request_error'
  readonly code: string | null
  readonly message: string
  readonly param: string | null
}

const idSchema = z.looseObject({ id: z.string() })

/**
 * Holds a frame against its connection. A response is known on the connection it was made on only, and there until the
 * next one; a continuation that leaves out the instructions or the cache key gets an empty answer.
 */
export function continued(
  frame: Readonly<Record<string, unknown>>,
  held: Held | undefined,
  duplicates: Settings['duplicateItems'],
): Continued {
  const { previous_response_id: previous, input } = frame
  const given = Array.isArray(input) ? (input as readonly unknown[]) : []
  if (previous === undefined || previous === null) {
    const known = duplicates === 'connection' ? (held?.items ?? []) : []
    const twice = duplicate(known, given)
    return twice === undefined
      ? { kind: 'answer', input, incremental: false }
      : { kind: 'refused', error: duplicateItem(twice) }
  }
  if (held === undefined || previous !== held.responseId)
    return {
      kind: 'refused',
      error: {
        type: 'invalid_request_error',
        code: 'previous_response_not_found',
        message: `Previous response with id '${typeof previous === 'string' ? previous : ''}' not found.`,
        param: 'previous_response_id',
      },
    }
  const twice = duplicate(held.items, given)
  if (twice !== undefined) return { kind: 'refused', error: duplicateItem(twice) }
  const isWhole =
    typeof frame.prompt_cache_key === 'string' &&
    (!held.instructed || typeof frame.instructions === 'string')
  return isWhole
    ? { kind: 'answer', input: [...held.items, ...given], incremental: true }
    : { kind: 'empty' }
}

/** The first id that comes twice, within what is given or there and in what is known. */
function duplicate(known: readonly unknown[], given: readonly unknown[]): string | undefined {
  const seen = new Set(known.map(idOf))
  for (const item of given) {
    const id = idOf(item)
    if (id === undefined) continue
    if (seen.has(id)) return id
    seen.add(id)
  }
  return undefined
}

function idOf(item: unknown): string | undefined {
  return idSchema.safeParse(item).data?.id
}

function duplicateItem(id: string): FrameError {
  return {
    type: 'invalid_request_error',
    code: null,
    message: `Duplicate item found with id ${id}. Remove duplicate items from your input and try again.`,
    param: 'input',
  }
}
