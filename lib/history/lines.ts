import { parsedJson } from '../kernel/text/json.js'
import { type HistoryEntry, historyEntrySchema } from './entries.js'

/** What the file may hold. */
export interface HistoryBounds {
  /** Older entries go, ms. */
  readonly maxAgeMs: number
  /** Size of the whole file, bytes. */
  readonly maxBytes: number
}

/** A file that had grown too large is cut down to this part of its bound, so that it is not rewritten at every append. */
const KEEP_SHARE = 0.75

/** The entry of a line; undefined when it is none. Pure. */
export function parseLine(line: string): HistoryEntry | undefined {
  return historyEntrySchema.safeParse(parsedJson(line)).data
}

/** The wanted entries of a file, oldest first; lines that are none are left out. Pure. */
export function parseLines(
  text: string,
  isWanted: (line: string) => boolean = () => true,
): HistoryEntry[] {
  const entries = text
    .split('\n')
    .flatMap((line) => (isWanted(line) ? (parseLine(line) ?? []) : []))
  return entries.sort((left, right) => left.atMs - right.atMs)
}

/** The line of an entry, with its end. Pure. */
export function formatLine(entry: HistoryEntry): string {
  return `${JSON.stringify(entry)}\n`
}

/** The text without bad lines and old entries; if that is still too large, without the oldest ones too. Pure. */
export function compacted(text: string, bounds: HistoryBounds, nowMs: number): string {
  const since = nowMs - bounds.maxAgeMs
  const kept = text.split('\n').filter((line) => (parseLine(line)?.atMs ?? -Infinity) >= since)
  const room = bounds.maxBytes * KEEP_SHARE
  let bytes = kept.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0)
  let from = 0
  if (bytes > bounds.maxBytes) {
    for (; from < kept.length && bytes > room; from += 1)
      bytes -= Buffer.byteLength(kept[from] ?? '') + 1
  }
  return kept
    .slice(from)
    .map((line) => `${line}\n`)
    .join('')
}
