/** A write that follows the changes it stores, so that nobody who makes a change waits for the disk. */
export interface WriteBehind {
  /**
   * Something is unwritten: `write` runs within this time, once for all that comes until then. The time is counted by a
   * timer: a clock that is set makes it neither longer nor shorter.
   */
  schedule(withinMs?: number): void
  /** Writes what is unwritten, behind a write that is under way. */
  flush(): Promise<void>
  /**
   * Writes what is unwritten; later changes wait for a `flush`.
   * @returns false when that takes longer than `waitMs`; it goes on all the same
   */
  close(waitMs?: number): Promise<boolean>
}

/**
 * @param write never throws; what it could not write it schedules again
 * @param delayMs longest time between a change and its write where nothing shorter is asked for; the timer never keeps
 * the process alive
 */
export function createWriteBehind(write: () => Promise<void>, delayMs: number): WriteBehind {
  let dirty = false
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let dueAtMs = Infinity
  let writing: Promise<void> = Promise.resolve()

  function flush(): Promise<void> {
    clearTimeout(timer)
    dueAtMs = Infinity
    writing = writing.then(async () => {
      if (!dirty) return
      dirty = false
      await write()
    })
    return writing
  }

  return {
    schedule(withinMs = delayMs) {
      dirty = true
      const atMs = performance.now() + withinMs
      if (closed || atMs >= dueAtMs) return
      clearTimeout(timer)
      dueAtMs = atMs
      timer = setTimeout(() => void flush(), withinMs).unref()
    },
    flush,
    close(waitMs) {
      closed = true
      return isDoneWithin(flush(), waitMs)
    },
  }
}

async function isDoneWithin(work: Promise<void>, waitMs: number | undefined): Promise<boolean> {
  const done = work.then(() => true)
  if (waitMs === undefined) return done
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), waitMs)
  })
  return Promise.race([done, late]).finally(() => clearTimeout(timer))
}
