/** What somebody waits for: a text, a text while a start stands still for it, or that a name changes. */
export type FileAct = 'read' | 'read now' | 'change'

/** What a system says of a file that somebody else has open, or that is about to vanish. */
const BUSY_CODES: readonly string[] = ['EPERM', 'EBUSY', 'EACCES']

/**
 * How long a file may be in use by somebody else, ms. On Windows virus scanners, indexers and other windows of ours hold
 * files that they look at, for a moment or for seconds; a start waits no longer than nobody notices. Elsewhere only network
 * drives refuse a change for a moment, and a file that cannot be read will not be readable later.
 */
const PATIENCE_MS: Readonly<Record<'win32' | 'elsewhere', Readonly<Record<FileAct, number>>>> = {
  win32: { read: 2_000, 'read now': 100, change: 3_000 },
  elsewhere: { read: 0, 'read now': 0, change: 300 },
}
/** Short and uneven, so that of many who wait each gets its turn between the others, ms. */
const [SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS] = [5, 30]

/**
 * The pause before the next try; undefined when it is time to give up. Pure.
 * @param waitedMs all the pauses so far
 * @param chance from 0 to 1
 */
export function pauseAfter(
  error: unknown,
  act: FileAct,
  waitedMs: number,
  { platform, chance }: { readonly platform: string; readonly chance: number },
): number | undefined {
  const patience = PATIENCE_MS[platform === 'win32' ? 'win32' : 'elsewhere'][act]
  if (waitedMs >= patience || !BUSY_CODES.includes(codeOf(error))) return undefined
  return SHORTEST_PAUSE_MS + chance * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS)
}

/** Does something to a file, again and again while somebody else has it. @throws the last error */
export async function patiently<T>(act: FileAct, work: () => Promise<T>): Promise<T> {
  for (let waited = 0; ;) {
    try {
      return await work()
    } catch (error) {
      const pause = pauseHere(error, act, waited)
      await new Promise((resolve) => setTimeout(resolve, pause))
      waited += pause
    }
  }
}

/** The same at once, for a start, which has nothing else to do meanwhile. @throws the last error */
export function patientlyNow<T>(work: () => T): T {
  for (let waited = 0; ;) {
    try {
      return work()
    } catch (error) {
      const pause = pauseHere(error, 'read now', waited)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause)
      waited += pause
    }
  }
}

/** @throws the error when it is time to give up */
function pauseHere(error: unknown, act: FileAct, waitedMs: number): number {
  const here = { platform: process.platform, chance: Math.random() }
  const pause = pauseAfter(error, act, waitedMs, here)
  if (pause === undefined) throw error
  return pause
}

/** The system's code of an error; empty where it has none. A start needs this before it needs our table of errors. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : ''
}
