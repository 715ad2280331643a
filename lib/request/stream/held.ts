/** The first pieces are kept as they came, so that the host gets the very chunks of the backend. */
const FEW_PIECES = 256
/** A piece of at least this size is worth an entry of its own, bytes. */
const LARGE_PIECE = 4096
/** Smaller ones are gathered in blocks of this size: a list of single bytes would need a hundred times their memory. */
const BLOCK_BYTES = 64 * 1024

export const NO_BYTES = new Uint8Array()

type Search = (this: Uint8Array, byte: number, from: number) => number
const search = Reflect.get(Buffer.prototype, 'indexOf') as Search
const searchBack = Reflect.get(Buffer.prototype, 'lastIndexOf') as Search

/** Place of a byte; -1 without it. The search of `Buffer` is up to thirty times as fast as that of a typed array in Node. */
export function indexOfByte(bytes: Uint8Array, byte: number, from: number): number {
  return search.call(bytes, byte, from)
}

/** Last place of a byte up to `to`, which is not negative; -1 without it. */
export function lastIndexOfByte(bytes: Uint8Array, byte: number, to: number): number {
  return searchBack.call(bytes, byte, to)
}

/** Bytes that wait to be handed on. Adding costs the same however many there are. */
export class HeldBytes {
  byteLength = 0
  private pieces: Uint8Array[] = []
  private block: Uint8Array = NO_BYTES
  private used = 0

  add(bytes: Uint8Array): void {
    this.byteLength += bytes.byteLength
    if (this.pieces.length < FEW_PIECES || bytes.byteLength >= LARGE_PIECE) {
      this.closeBlock()
      this.pieces.push(bytes)
      return
    }
    if (this.block.byteLength - this.used < bytes.byteLength) {
      this.closeBlock()
      this.block = new Uint8Array(BLOCK_BYTES)
    }
    this.block.set(bytes, this.used)
    this.used += bytes.byteLength
  }

  /** In order; the held bytes are gone afterwards. */
  takePieces(): Uint8Array[] {
    this.closeBlock()
    const taken = this.pieces
    this.pieces = []
    this.byteLength = 0
    return taken
  }

  /** As one array, which is held on in place of the pieces. */
  joined(): Uint8Array {
    this.closeBlock()
    const only = this.pieces.length === 1 ? this.pieces[0] : undefined
    const whole = only ?? Buffer.concat(this.pieces, this.byteLength)
    this.pieces = [whole]
    return whole
  }

  private closeBlock(): void {
    if (this.used > 0) this.pieces.push(this.block.subarray(0, this.used))
    this.block = NO_BYTES
    this.used = 0
  }
}

/** Memory for a copy is not kept for the next one beyond this, bytes. */
const KEPT_BYTES = 64 * 1024

/** Keeps a copy of one thing after the other, up to a length; short ones in the same memory. */
export class Scratch {
  private memory: Uint8Array = NO_BYTES
  private length = 0
  private readonly maxBytes: number

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  clear(): void {
    this.length = 0
    if (this.memory.byteLength > KEPT_BYTES) this.memory = NO_BYTES
  }

  add(bytes: Uint8Array): void {
    const needed = this.length + bytes.byteLength
    if (needed <= this.maxBytes) {
      if (needed > this.memory.byteLength) {
        const larger = new Uint8Array(Math.min(this.maxBytes, Math.max(2 * needed, 1024)))
        larger.set(this.memory.subarray(0, this.length))
        this.memory = larger
      }
      this.memory.set(bytes, this.length)
    }
    this.length = needed
  }

  /** What was added since it was cleared, until then; undefined when that was too long to be kept. */
  get bytes(): Uint8Array | undefined {
    return this.length <= this.maxBytes ? this.memory.subarray(0, this.length) : undefined
  }
}
