import { dataOfEvent, typeOf } from './stream-events.js'
import {
  beginsUsualOutput,
  claimedType,
  hasUnicodeEscape,
  isAmbiguous,
  roleOf,
  skipUsualOutput,
} from './stream-heads.js'
import { createHeldBytes } from './stream-held.js'
import { createStreamLines } from './stream-lines.js'
import { createEventWatch } from './stream-watch.js'

/** What the scan came upon next, in the order of the stream. */
export type Step =
  /** Bytes that may go out as they are. */
  | { readonly kind: 'pass'; readonly bytes: Uint8Array }
  /** The first output follows. */
  | { readonly kind: 'output' }
  /** A whole event of the role `read` or `taken`. */
  | { readonly kind: 'event'; readonly event: FoundEvent }
  /** An event is longer than anybody may hold. */
  | { readonly kind: 'too_long' }
  /** The chunk is used up. */
  | { readonly kind: 'more' }

/** An event somebody has to read. */
export interface FoundEvent {
  readonly type: string
  /** Its data; undefined when that is no JSON. */
  readonly data: unknown
  readonly bytes: Uint8Array
  /** Its bytes went out before its end told what it is. */
  readonly isOut: boolean
}

/**
 * Finds the few events of an SSE stream that matter, in every form the standard allows, and decodes none of the others
 * as long as they have the usual form. No byte is looked at again when more arrive.
 */
export interface StreamScan {
  /** Takes the next chunk; the one before it has to be used up. */
  push(chunk: Uint8Array): void
  next(): Step
  /** True between two events: what went out so far ends with a whole one. */
  readonly isBetweenEvents: boolean
}

/** More than this is held of no event, bytes. */
export const MAX_HELD_BYTES = 32 * 1024 * 1024
/** What the user reads then. */
export const TOO_LONG = 'The backend sent an event of more than 32 MB, so its answer was stopped.'
/** An event in an unusual form is waited for up to this size before its head has to do, bytes. */
const LOOK_BYTES = 64 * 1024

const COLON = 58

/** Creates a scan at the start of a stream. Up to the first output every event is waited for, later what is known goes out at once. */
export function createStreamScan(): StreamScan {
  const lines = createStreamLines()
  const watch = createEventWatch()
  const waiting: Step[] = []
  /** First byte of the chunk that was not given out. */
  let from = 0
  /** Where the look goes on. */
  let at = 0
  let within: 'nothing' | 'comment' | 'held' | 'passing' = 'nothing'
  let awaitsOutput = true
  let hasEscapes: boolean | undefined
  let held = createHeldBytes()
  let wasLookedAt = false
  /** The last event was taken out, and so is the rest of its line end. */
  let isTakenOut = false

  function betweenEvents(): void {
    const { bytes } = lines
    if (!awaitsOutput) {
      hasEscapes ??= hasUnicodeEscape(bytes)
      if (!hasEscapes) at = skipUsualOutput(bytes, at, lines.cr(at))
      if (at >= bytes.length) return
    }
    if (lines.isLineEnd(at)) at = lines.behindLineEnd(at)
    else if (bytes[at] === COLON) inComment()
    else {
      const end = lines.eventEnd(at)
      if (end < 0) cutOff()
      else {
        const start = at
        at = end
        found(lines.view(start, end), start)
      }
    }
  }

  /** A comment in front of an event keeps the line alive, so it does not wait for what follows. */
  function inComment(): void {
    const end = lines.lineEnd(at)
    within = end < lines.bytes.length ? 'nothing' : 'comment'
    at = end < lines.bytes.length ? lines.behindLineEnd(end) : end
  }

  /** The event that begins here goes on in the next chunk. */
  function cutOff(): void {
    const { bytes } = lines
    if (!awaitsOutput && (beginsUsualOutput(bytes, at) || mayPass(claimedType(bytes, at)))) {
      within = 'passing'
      watch.begin(bytes, at)
    } else {
      within = 'held'
      wasLookedAt = false
      passThrough(at)
      hold(lines.view(at, bytes.length))
    }
    at = bytes.length
  }

  function inHeld(): void {
    const end = lines.eventEnd(at)
    at = end < 0 ? lines.bytes.length : end
    const part = lines.view(from, at)
    if (end < 0) {
      hold(part)
      return
    }
    from = at
    held.add(part)
    const event = held.joined()
    held = createHeldBytes()
    within = 'nothing'
    found(event, undefined)
  }

  /** Holds the rest of the chunk. */
  function hold(part: Uint8Array): void {
    from = lines.bytes.length
    held.add(part)
    if (held.byteLength > MAX_HELD_BYTES) {
      waiting.push({ kind: 'too_long' })
      return
    }
    if (wasLookedAt || held.byteLength <= LOOK_BYTES) return
    wasLookedAt = true
    const begun = held.joined()
    const type = claimedType(begun, 0)
    if (!mayPass(type)) return
    if (roleOf(type) === 'output') reportOutput()
    waiting.push({ kind: 'pass', bytes: begun })
    held = createHeldBytes()
    within = 'passing'
    watch.begin(begun, 0)
  }

  function inPassing(): void {
    const { bytes } = lines
    const end = lines.eventEnd(at)
    at = end < 0 ? bytes.length : end
    if (end < 0) {
      watch.goOn(bytes)
      return
    }
    within = 'nothing'
    const event = watch.end(bytes, end)
    if (event === undefined) return
    const { type, data } = readEvent(event)
    if (mayPass(type)) return
    passThrough(end)
    waiting.push({ kind: 'event', event: { type, data, bytes: event, isOut: true } })
  }

  /**
   * Decides on a whole event.
   * @param start where it stands in the chunk; undefined for one from the hold
   */
  function found(event: Uint8Array, start: number | undefined): void {
    const { type, data } = readEvent(event)
    const isFirstOutput = awaitsOutput && roleOf(type) === 'output'
    if (start !== undefined && (isFirstOutput || !mayPass(type))) passThrough(start)
    if (isFirstOutput) reportOutput()
    if (!mayPass(type)) {
      waiting.push({ kind: 'event', event: { type, data, bytes: event, isOut: false } })
      from = at
      isTakenOut = true
    } else if (start === undefined) waiting.push({ kind: 'pass', bytes: event })
  }

  function reportOutput(): void {
    if (awaitsOutput) waiting.push({ kind: 'output' })
    awaitsOutput = false
  }

  function passThrough(end: number): void {
    if (end > from) waiting.push({ kind: 'pass', bytes: lines.view(from, end) })
    from = Math.max(from, end)
  }

  return {
    push(chunk) {
      const { endsWithCr } = lines
      at = lines.push(chunk)
      from = isTakenOut && endsWithCr ? at : 0
      hasEscapes = undefined
      if (within !== 'held') return
      held.add(lines.bytes.subarray(0, at))
      from = at
    },
    next() {
      for (;;) {
        const step = waiting.shift()
        if (step !== undefined) return step
        if (at >= lines.bytes.length) {
          passThrough(lines.bytes.length)
          if (waiting.length === 0) return { kind: 'more' }
          continue
        }
        isTakenOut = false
        switch (within) {
          case 'nothing':
            betweenEvents()
            break
          case 'comment':
            inComment()
            break
          case 'held':
            inHeld()
            break
          case 'passing':
            inPassing()
        }
      }
    },
    get isBetweenEvents() {
      return within === 'nothing' || within === 'held'
    },
  }
}

/** True for an event that goes out as it is; not for one that has to be read as a whole, nor as long as nothing is known. */
function mayPass(type: string | undefined): boolean {
  const role = roleOf(type)
  return type !== undefined && role !== 'read' && role !== 'taken'
}

/** The real type of a whole event, empty without one, and its data where that had to be read. */
function readEvent(event: Uint8Array): { type: string; data: unknown } {
  const claimed = claimedType(event, 0)
  if (claimed !== undefined && mayPass(claimed) && !isAmbiguous(event))
    return { type: claimed, data: undefined }
  const data = dataOfEvent(event)
  return { type: typeOf(data) ?? (data === undefined ? claimed : undefined) ?? '', data }
}
