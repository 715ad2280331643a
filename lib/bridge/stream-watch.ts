import { isAmbiguous, maybeAmbiguous } from './stream-heads.js'
import { createScratch } from './stream-held.js'

/** An event longer than this is not looked at again, bytes. */
const MAX_WATCHED = 64 * 1024

/** Looks after an event that goes out before it is whole: a second `type` in it would count in place of the first. */
export interface EventWatch {
  /** The event begins at this place and goes on in the next chunk. */
  begin(bytes: Uint8Array, at: number): void
  /** It goes on through the whole chunk. */
  goOn(bytes: Uint8Array): void
  /**
   * It ends at this place.
   * @returns all of it when its head does not tell what it is
   */
  end(bytes: Uint8Array, to: number): Uint8Array | undefined
}

/** Creates a watch for one stream. Most events lie in two chunks and are looked at where they are, without a copy. */
export function createEventWatch(): EventWatch {
  const copy = createScratch(MAX_WATCHED)
  let chunk: Uint8Array | undefined
  let start = 0

  function copyStart(): void {
    if (chunk === undefined) return
    copy.clear()
    copy.add(chunk.subarray(start))
    chunk = undefined
  }
  return {
    begin(bytes, at) {
      chunk = bytes
      start = at
    },
    goOn(bytes) {
      copyStart()
      copy.add(bytes)
    },
    end(bytes, to) {
      if (chunk !== undefined && !maybeAmbiguous(chunk, start, bytes, to)) {
        chunk = undefined
        return undefined
      }
      copyStart()
      copy.add(bytes.subarray(0, to))
      const event = copy.bytes
      return event !== undefined && isAmbiguous(event) ? event.slice() : undefined
    },
  }
}
