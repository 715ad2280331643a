import { sha256 } from '../kernel/hash.js'

/**
 * Who produced which encrypted reasoning of a session. Only the account that produced a piece can read it, and a request
 * with a piece of another one is refused. Pieces are counted in the order of the history; what is not certain belongs to
 * nobody, and is left out.
 */
export interface ReasoningOwners {
  /** Mark of the first piece; with the marks of the spans it tells whether this is still the same history. */
  readonly first?: string | undefined
  /** In order of `from`, beginning at 0; each reaches to the next one. */
  readonly spans: readonly OwnedSpan[]
}

interface OwnedSpan {
  /** Number of the first piece. */
  readonly from: number
  /** `null`: produced by somebody else, or by nobody knows whom. */
  readonly uid: string | null
  /** Mark of the piece before, where there is one. */
  readonly before?: string | undefined
}

/** More moves of one session than this are not told apart; the oldest pieces belong to nobody then. */
const MAX_SPANS = 16

/** True when all of a session's reasoning was produced by this account. */
export function isAllOf(owners: ReasoningOwners | undefined, uid: string): boolean {
  return owners !== undefined && owners.spans.every((span) => span.uid === uid)
}

/**
 * Numbers of the pieces that an account cannot read for certain.
 * @param pieces the encrypted contents in the history of the request, in order
 */
export function unreadableBy(
  uid: string,
  owners: ReasoningOwners | undefined,
  pieces: readonly string[],
): ReadonlySet<number> {
  if (isAllOf(owners, uid)) return new Set()
  const numbers = pieces.map((_, number) => number)
  if (owners === undefined || !isSameHistory(owners, pieces)) return new Set(numbers)
  return new Set(
    numbers.filter((number) => owners.spans.findLast(({ from }) => from <= number)?.uid !== uid),
  )
}

/**
 * The owners after an account has begun to answer a request with this history: what it produces now comes behind.
 * The same object comes back when nothing changed.
 * @param pieces as for `unreadableBy`
 */
export function ownersAfter(
  owners: ReasoningOwners | undefined,
  uid: string,
  pieces: readonly string[],
): ReasoningOwners {
  if (owners !== undefined && isAllOf(owners, uid)) return owners
  const own = spanAt(pieces, uid)
  if (owners === undefined || !isSameHistory(owners, pieces)) {
    return pieces.length === 0
      ? { spans: [own] }
      : { first: markOf(pieces[0]), spans: [{ from: 0, uid: null }, own] }
  }
  const kept = owners.spans.filter(({ from }) => from < pieces.length)
  const later = owners.spans.filter(({ from }) => from >= pieces.length)
  const current = kept.at(-1)
  if (later.length === 0)
    return current?.uid === uid
      ? owners
      : capped({ first: markOf(pieces[0]), spans: [...kept, own] })
  // A shorter history than before: a request beside the conversation, or one that takes something back. Whose pieces stand
  // here from now on is known only where it was the same account all along.
  const there = [
    ...later,
    ...(later[0]?.from === pieces.length || current === undefined ? [] : [current]),
  ]
  if (there.every((span) => span.uid === uid)) return owners
  return {
    first: kept.length === 0 ? undefined : owners.first,
    spans: [...kept, { ...own, uid: null }],
  }
}

/** Of two accounts of one session that do not agree: nothing is certain. */
export const UNCERTAIN: ReasoningOwners = { spans: [{ from: 0, uid: null }] }

function spanAt(pieces: readonly string[], uid: string | null): OwnedSpan {
  const last = pieces.at(-1)
  return { from: pieces.length, uid, ...(last === undefined ? {} : { before: markOf(last) }) }
}

/** True unless pieces that were there stand no longer where they stood: compacted, taken back, another session's copy. */
function isSameHistory(owners: ReasoningOwners, pieces: readonly string[]): boolean {
  if (pieces.length === 0) return true
  if (owners.first !== undefined && owners.first !== markOf(pieces[0])) return false
  return owners.spans.every(
    ({ from, before }) => from === 0 || from > pieces.length || before === markOf(pieces[from - 1]),
  )
}

function markOf(piece: string | undefined): string {
  return sha256(piece ?? '', 'base64url').slice(0, 12)
}

function capped(owners: ReasoningOwners): ReasoningOwners {
  if (owners.spans.length <= MAX_SPANS) return owners
  return { ...owners, spans: [{ from: 0, uid: null }, ...owners.spans.slice(1 - MAX_SPANS)] }
}
