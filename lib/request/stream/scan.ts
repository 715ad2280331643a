import { dataOfEvent, typeOf } from './events.js'
import {
  beginsUsualOutput,
  claimedType,
  isAmbiguous,
  isSuspect,
  lastEventStart,
  maybeSuspect,
  roleOf,
  suspectEscape,
  suspectType,
} from './heads.js'
import { HeldBytes, Scratch } from './held.js'
import { StreamLines } from './lines.js'

/** What the scan came upon next, in the order of the stream. */
export type Step =
  /** Bytes that may go out as they are. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
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

/** More than this is held of no event, bytes. */
export const MAX_HELD_BYTES = 32 * 1024 * 1024
/** What the user reads then. */
export const TOO_LONG = 'The backend sent an event of more than 32 MB, so its answer was stopped.'
/** An event in an unusual form is waited for up to this size before its head has to do, bytes. */
const LOOK_BYTES = 64 * 1024

const LF = 10
const COLON = 58
const MORE: Step = { kind: 'more' }

/**
 * Finds the few events of an SSE stream that matter, in every form the standard allows. No byte is looked at again when
 * more arrive.
 *
 * Before the first output every event is waited for and told by its head. Later the look is for the few words that make
 * an event one that matters: events without them go out at once, and nobody asks where they begin and end.
 */
export class StreamScan {
  private readonly lines = new StreamLines()
  private readonly watch = new EventWatch()
  private readonly waiting: Step[] = []
  /** First byte of the chunk that was not given out. */
  private from = 0
  /** Where the look goes on. */
  private at = 0
  private within: 'nothing' | 'comment' | 'held' | 'passing' = 'nothing'
  private awaitsOutput = true
  /** Places in the chunk of what may make an event matter; -1 for one that was not looked for yet. */
  private nextType = -1
  private nextEscape = -1
  /** In front of this place no later event begins that could be skipped to. */
  private skippedTo = 0
  private held = new HeldBytes()
  private wasLookedAt = false
  /** The last event was taken out, and so is the rest of its line end. */
  private isTakenOut = false

  /** True between two events: what went out so far ends with a whole one. */
  get isBetweenEvents(): boolean {
    return this.within === 'nothing' || this.within === 'held'
  }

  /** True when this chunk, the next one, may go out as it is, so that it need not be taken: whole events that do not matter. */
  passes(chunk: Uint8Array): boolean {
    return (
      this.within === 'nothing' &&
      !this.awaitsOutput &&
      !this.lines.endsWithCr &&
      chunk[chunk.length - 1] === LF &&
      chunk[chunk.length - 2] === LF &&
      !isSuspect(chunk)
    )
  }

  /** Takes the next chunk; the one before it has to be used up. */
  push(chunk: Uint8Array): void {
    const { endsWithCr } = this.lines
    this.at = this.lines.push(chunk)
    this.from = this.isTakenOut && endsWithCr ? this.at : 0
    this.nextType = this.nextEscape = -1
    this.skippedTo = 0
    if (this.within !== 'held') return
    this.held.add(this.lines.bytes.subarray(0, this.at))
    this.from = this.at
  }

  next(): Step {
    for (;;) {
      const step = this.waiting.shift()
      if (step !== undefined) return step
      const { length } = this.lines.bytes
      if (this.at >= length) {
        this.passThrough(length)
        if (this.waiting.length === 0) return MORE
        continue
      }
      this.isTakenOut = false
      switch (this.within) {
        case 'nothing':
          this.betweenEvents()
          break
        case 'comment':
          this.inComment()
          break
        case 'held':
          this.inHeld()
          break
        case 'passing':
          this.inPassing()
      }
    }
  }

  private betweenEvents(): void {
    const { lines } = this
    const { bytes } = lines
    const suspect = this.awaitsOutput ? 0 : this.nextSuspect()
    if (suspect > this.skippedTo) {
      this.skippedTo = suspect
      this.at = lastEventStart(bytes, this.at, suspect)
      if (this.at >= bytes.length) return
    }
    const start = this.at
    if (lines.isLineEnd(start)) this.at = lines.behindLineEnd(start)
    else if (bytes[start] === COLON) this.inComment()
    else {
      const end = lines.eventEnd(start)
      if (end < 0) {
        this.cutOff()
        return
      }
      this.at = end
      if (end > suspect) this.found(lines.view(start, end), start)
    }
  }

  /** First place from here on that may make its event one that matters. */
  private nextSuspect(): number {
    const { bytes } = this.lines
    if (this.nextType < this.at) this.nextType = suspectType(bytes, this.at, bytes.length)
    if (this.nextEscape < this.at) this.nextEscape = suspectEscape(bytes, this.at)
    return Math.min(this.nextType, this.nextEscape)
  }

  /** A comment in front of an event keeps the line alive, so it does not wait for what follows. */
  private inComment(): void {
    const end = this.lines.lineEnd(this.at)
    const isWhole = end < this.lines.bytes.length
    this.within = isWhole ? 'nothing' : 'comment'
    this.at = isWhole ? this.lines.behindLineEnd(end) : end
  }

  /** The event that begins here goes on in the next chunk. */
  private cutOff(): void {
    const { bytes } = this.lines
    const { at } = this
    if (!this.awaitsOutput && (beginsUsualOutput(bytes, at) || mayPass(claimedType(bytes, at)))) {
      this.within = 'passing'
      this.watch.begin(bytes, at)
    } else {
      this.within = 'held'
      this.wasLookedAt = false
      this.passThrough(at)
      this.hold(this.lines.view(at, bytes.length))
    }
    this.at = bytes.length
  }

  private inHeld(): void {
    const end = this.lines.eventEnd(this.at)
    this.at = end < 0 ? this.lines.bytes.length : end
    const part = this.lines.view(this.from, this.at)
    if (end < 0) {
      this.hold(part)
      return
    }
    this.from = this.at
    this.held.add(part)
    const event = this.held.joined()
    this.held = new HeldBytes()
    this.within = 'nothing'
    this.found(event, undefined)
  }

  /** Holds the rest of the chunk. */
  private hold(part: Uint8Array): void {
    this.from = this.lines.bytes.length
    this.held.add(part)
    if (this.held.byteLength > MAX_HELD_BYTES) {
      this.waiting.push({ kind: 'too_long' })
      return
    }
    if (this.wasLookedAt || this.held.byteLength <= LOOK_BYTES) return
    this.wasLookedAt = true
    const begun = this.held.joined()
    const type = claimedType(begun, 0)
    if (!mayPass(type)) return
    if (roleOf(type) === 'output') this.reportOutput()
    this.waiting.push({ kind: 'bytes', bytes: begun })
    this.held = new HeldBytes()
    this.within = 'passing'
    this.watch.begin(begun, 0)
  }

  private inPassing(): void {
    const { bytes } = this.lines
    const end = this.lines.eventEnd(this.at)
    this.at = end < 0 ? bytes.length : end
    if (end < 0) {
      this.watch.goOn(bytes)
      return
    }
    this.within = 'nothing'
    const event = this.watch.end(bytes, end)
    if (event === undefined) return
    const { type, data } = readEvent(event)
    if (mayPass(type)) return
    this.passThrough(end)
    this.waiting.push({ kind: 'event', event: { type, data, bytes: event, isOut: true } })
  }

  /**
   * Decides on a whole event.
   * @param start where it stands in the chunk; undefined for one from the hold
   */
  private found(event: Uint8Array, start: number | undefined): void {
    if (!this.awaitsOutput && !isSuspect(event)) {
      if (start === undefined) this.waiting.push({ kind: 'bytes', bytes: event })
      return
    }
    const { type, data } = readEvent(event)
    const isFirstOutput = this.awaitsOutput && roleOf(type) === 'output'
    if (start !== undefined && (isFirstOutput || !mayPass(type))) this.passThrough(start)
    if (isFirstOutput) this.reportOutput()
    if (!mayPass(type)) {
      this.waiting.push({ kind: 'event', event: { type, data, bytes: event, isOut: false } })
      this.from = this.at
      this.isTakenOut = true
    } else if (start === undefined) this.waiting.push({ kind: 'bytes', bytes: event })
  }

  private reportOutput(): void {
    if (this.awaitsOutput) this.waiting.push({ kind: 'output' })
    this.awaitsOutput = false
  }

  private passThrough(end: number): void {
    if (end > this.from)
      this.waiting.push({ kind: 'bytes', bytes: this.lines.view(this.from, end) })
    this.from = Math.max(this.from, end)
  }
}

/**
 * Looks after an event that goes out before it is whole, up to the length that may be held: a second `type` in it may count
 * in place of the first. Most events lie in two chunks and are looked at where they are, without a copy.
 */
class EventWatch {
  private readonly copy = new Scratch(MAX_HELD_BYTES)
  private chunk: Uint8Array | undefined
  private start = 0

  /** The event begins at this place and goes on in the next chunk. */
  begin(bytes: Uint8Array, at: number): void {
    this.chunk = bytes
    this.start = at
  }

  /** It goes on through the whole chunk. */
  goOn(bytes: Uint8Array): void {
    this.copyStart()
    this.copy.add(bytes)
  }

  /** It ends at this place. @returns all of it when its head does not tell what it is */
  end(bytes: Uint8Array, to: number): Uint8Array | undefined {
    if (this.chunk !== undefined && !maybeSuspect(this.chunk, this.start, bytes, to)) {
      this.chunk = undefined
      return undefined
    }
    this.copyStart()
    this.copy.add(bytes.subarray(0, to))
    const event = this.copy.bytes
    const found = event !== undefined && isSuspect(event) ? event.slice() : undefined
    this.copy.clear()
    return found
  }

  private copyStart(): void {
    if (this.chunk === undefined) return
    this.copy.add(this.chunk.subarray(this.start))
    this.chunk = undefined
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
