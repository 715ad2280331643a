import { HeldBytes, indexOfByte, NO_BYTES } from './held.js'

const LF = 10
const CR = 13
const BOM = [0xef, 0xbb, 0xbf] as const

/** The lines of a stream that comes in chunks; they end with LF, CR or CR LF, in any mixture. */
export class StreamLines {
  /** The current chunk; without the BOM of the stream. */
  bytes: Uint8Array = NO_BYTES
  /** True when the chunk ends with a CR whose LF may follow. */
  endsWithCr = false
  /** Bytes that may be a BOM. */
  private readonly start = new HeldBytes()
  private isStart = true
  private nextLf = -1
  private nextCr = -1
  private isLineStart = true

  /** Takes the next chunk. @returns where its first line begins: behind the LF of a CR that ended the chunk before */
  push(chunk: Uint8Array): number {
    this.bytes = this.isStart ? this.withoutBom(chunk) : chunk
    this.nextLf = -1
    this.nextCr = -1
    if (!this.endsWithCr || this.bytes.length === 0) return 0
    this.endsWithCr = false
    return this.bytes[0] === LF ? 1 : 0
  }

  private withoutBom(chunk: Uint8Array): Uint8Array {
    this.start.add(chunk)
    const whole = this.start.joined()
    if (whole.length < BOM.length && whole.every((byte, index) => byte === BOM[index]))
      return NO_BYTES
    this.isStart = false
    return BOM.every((byte, index) => whole[index] === byte) ? whole.subarray(BOM.length) : whole
  }

  isLineEnd(at: number): boolean {
    return this.bytes[at] === LF || this.bytes[at] === CR
  }

  /** Place of the next CR; the length of the chunk without one. */
  cr(from: number): number {
    if (this.nextCr < from) this.nextCr = placeOf(this.bytes, CR, from)
    return this.nextCr
  }

  /** Place of the next line end; the length of the chunk without one. */
  lineEnd(from: number): number {
    if (this.nextLf < from) this.nextLf = placeOf(this.bytes, LF, from)
    return Math.min(this.nextLf, this.cr(from))
  }

  behindLineEnd(at: number): number {
    if (this.bytes[at] === LF) return at + 1
    this.endsWithCr = at + 1 === this.bytes.length
    return this.bytes[at + 1] === LF ? at + 2 : at + 1
  }

  /**
   * One past the blank line that ends the event; -1 when it is not in this chunk. The next call then goes on in the line
   * where this one stopped.
   */
  eventEnd(from: number): number {
    for (let at = from; ;) {
      if (!this.isLineStart) {
        const end = this.lineEnd(at)
        if (end >= this.bytes.length) return -1
        at = this.behindLineEnd(end)
        this.isLineStart = true
      }
      if (at >= this.bytes.length) return -1
      if (this.isLineEnd(at)) return this.behindLineEnd(at)
      this.isLineStart = false
    }
  }

  /** The very chunk, not a view on it, when that is all of it. */
  view(from: number, to: number): Uint8Array {
    return from === 0 && to === this.bytes.length ? this.bytes : this.bytes.subarray(from, to)
  }
}

function placeOf(bytes: Uint8Array, byte: number, from: number): number {
  const found = indexOfByte(bytes, byte, from)
  return found < 0 ? bytes.length : found
}
