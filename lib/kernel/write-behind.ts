/** A write that follows the changes it stores, so that nobody who makes a change waits for the disk. */
export interface WriteBehind {
  /** Something is unwritten: `write` runs within the delay, once for all that comes until then. */
  schedule(): void
  /** Writes what is unwritten, behind a write that is under way. */
  flush(): Promise<void>
  /** Writes what is unwritten; later changes wait for a `flush`. */
  close(): Promise<void>
}

/**
 * @param write never throws; what it could not write it schedules again
 * @param delayMs longest time between a change and its write; the timer never keeps the process alive
 */
export function createWriteBehind(write: () => Promise<void>, delayMs: number): WriteBehind {
  let dirty = false
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    writing = writing.then(async () => {
      if (!dirty) return
      dirty = false
      await write()
    })
    return writing
  }

  return {
    schedule() {
      dirty = true
      if (closed) return
      timer ??= setTimeout(() => void flush(), delayMs).unref()
    },
    flush,
    close() {
      closed = true
      return flush()
    },
  }
}
