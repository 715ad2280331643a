import { isBusy } from '../system-code.js'

/** What somebody waits for: a text, or that a name changes. */
export type FileAct = 'read' | 'change'

/**
 * How long a file may be in use by somebody else, ms. On Windows virus scanners, indexers and other windows of ours hold
 * files that they look at, for a moment or for seconds. Elsewhere only network drives refuse a change for a moment, and a
 * file that cannot be read will not be readable later.
 */
const PATIENCE_MS: Readonly<Record<'win32' | 'elsewhere', Readonly<Record<FileAct, number>>>> = {
  win32: { read: 2_000, change: 3_000 },
  elsewhere: { read: 0, change: 300 },
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
  if (waitedMs >= patience || !isBusy(error)) return undefined
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

/** @throws the error when it is time to give up */
function pauseHere(error: unknown, act: FileAct, waitedMs: number): number {
  const here = { platform: process.platform, chance: Math.random() }
  const pause = pauseAfter(error, act, waitedMs, here)
  if (pause === undefined) throw error
  return pause
}
