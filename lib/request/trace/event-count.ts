/** Events of one type that came one after another. */
export interface EventRun {
  readonly type: string
  count: number
  bytes: number
  /** From the start of the attempt to the end of the first one and of the last one, ms. */
  readonly atMs: number
  lastMs: number
}

/** More changes of type than an answer has that anybody can read. */
const MAX_RUNS = 2_000
/** The type of an event stands at its beginning, bytes. */
const HEAD_BYTES = 256
const LF = 10
const CR = 13

/** Types of the backend; what has another form is text, and not kept. */
const TYPE = /^(?:response|codex|error|keepalive|ping)(?:\.[a-z_]{1,48}){0,4}$/

/** Counts the events of an SSE stream by their type. Of the bytes it holds no more than the head of one event. */
export class EventCount {
  readonly runs: EventRun[] = []
  /** Events after the last run that is kept. */
  others = 0
  #head = ''
  #bytes = 0
  #lineBytes = 0

  /** @param atMs since the start of the attempt */
  take(chunk: Uint8Array, atMs: number): void {
    for (let from = 0; from < chunk.length;) {
      const at = chunk.indexOf(LF, from)
      const end = at < 0 ? chunk.length : at + 1
      this.#take(chunk.subarray(from, end), at >= 0, atMs)
      from = end
    }
  }

  /** Nothing more comes: half an event counts as `unfinished`. */
  end(atMs: number): void {
    if (this.#bytes > 0 && this.#head.trim() !== '') this.#add('unfinished', atMs)
    this.#reset()
  }

  #take(part: Uint8Array, endsLine: boolean, atMs: number): void {
    const room = HEAD_BYTES - this.#head.length
    if (room > 0) this.#head += String.fromCharCode(...part.subarray(0, room))
    this.#bytes += part.length
    const text = part.length - (endsLine ? 1 : 0)
    this.#lineBytes += text > 0 && part[text - 1] === CR ? text - 1 : text
    if (!endsLine) return
    if (this.#lineBytes === 0) {
      if (this.#head.trim() !== '') this.#add(typeIn(this.#head), atMs)
      this.#reset()
    }
    this.#lineBytes = 0
  }

  #add(type: string, atMs: number): void {
    const last = this.runs.at(-1)
    if (this.others === 0 && last?.type === type) {
      last.count += 1
      last.bytes += this.#bytes
      last.lastMs = atMs
    } else if (this.runs.length < MAX_RUNS)
      this.runs.push({ type, count: 1, bytes: this.#bytes, atMs, lastMs: atMs })
    else this.others += 1
  }

  #reset(): void {
    this.#head = ''
    this.#bytes = 0
    this.#lineBytes = 0
  }
}

function typeIn(head: string): string {
  if (/^data: ?\[DONE\]/m.test(head)) return 'done'
  const named =
    /^event: ?([\w.-]+)/m.exec(head)?.[1] ?? /"type"\s{0,4}:\s{0,4}"([\w.-]+)"/.exec(head)?.[1]
  if (named === undefined) return head.startsWith(':') ? 'comment' : 'other'
  return TYPE.test(named) ? named : 'other'
}
