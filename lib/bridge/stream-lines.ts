import { createHeldBytes, indexOfByte, NO_BYTES } from './stream-held.js'

const LF = 10
const CR = 13
const BOM = [0xef, 0xbb, 0xbf] as const

/** The lines of a stream that comes in chunks; they end with LF, CR or CR LF, in any mixture. */
export interface StreamLines {
  /** The current chunk; without the BOM of the stream. */
  readonly bytes: Uint8Array
  /**
   * Takes the next chunk.
   * @returns where its first line begins: behind the LF of a CR that ended the chunk before
   */
  push(chunk: Uint8Array): number
  /** True when the chunk ends with a CR whose LF may follow. */
  readonly endsWithCr: boolean
  isLineEnd(at: number): boolean
  /** Place of the next line end; the length of the chunk without one. */
  lineEnd(from: number): number
  /** Place of the next CR; the length of the chunk without one. */
  cr(from: number): number
  behindLineEnd(at: number): number
  /**
   * One past the blank line that ends the event; -1 when it is not in this chunk. The next call then goes on in the line
   * where this one stopped.
   */
  eventEnd(from: number): number
  /** The very chunk, not a view on it, when that is all of it. */
  view(start: number, end: number): Uint8Array
}

/** Creates the lines of a stream. */
export function createStreamLines(): StreamLines {
  const start = createHeldBytes()
  let bytes: Uint8Array = NO_BYTES
  let isStart = true
  let nextLf = -1
  let nextCr = -1
  let endsWithCr = false
  let isLineStart = true

  function withoutBom(chunk: Uint8Array): Uint8Array {
    start.add(chunk)
    const whole = start.joined()
    if (whole.length < BOM.length && whole.every((byte, index) => byte === BOM[index]))
      return NO_BYTES
    isStart = false
    return BOM.every((byte, index) => whole[index] === byte) ? whole.subarray(BOM.length) : whole
  }

  function cr(from: number): number {
    if (nextCr < from) {
      const found = indexOfByte(bytes, CR, from)
      nextCr = found < 0 ? bytes.length : found
    }
    return nextCr
  }

  function lineEnd(from: number): number {
    if (nextLf < from) {
      const found = indexOfByte(bytes, LF, from)
      nextLf = found < 0 ? bytes.length : found
    }
    return Math.min(nextLf, cr(from))
  }

  function behindLineEnd(at: number): number {
    if (bytes[at] === LF) return at + 1
    endsWithCr = at + 1 === bytes.length
    return bytes[at + 1] === LF ? at + 2 : at + 1
  }

  const isLineEnd = (at: number): boolean => bytes[at] === LF || bytes[at] === CR

  return {
    get bytes() {
      return bytes
    },
    get endsWithCr() {
      return endsWithCr
    },
    push(chunk) {
      bytes = isStart ? withoutBom(chunk) : chunk
      nextLf = -1
      nextCr = -1
      if (!endsWithCr || bytes.length === 0) return 0
      endsWithCr = false
      return bytes[0] === LF ? 1 : 0
    },
    isLineEnd,
    lineEnd,
    cr,
    behindLineEnd,
    eventEnd(from) {
      for (let at = from; ;) {
        if (!isLineStart) {
          const end = lineEnd(at)
          if (end >= bytes.length) return -1
          at = behindLineEnd(end)
          isLineStart = true
        }
        if (at >= bytes.length) return -1
        if (isLineEnd(at)) return behindLineEnd(at)
        isLineStart = false
      }
    },
    view: (from, to) => (from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to)),
  }
}
