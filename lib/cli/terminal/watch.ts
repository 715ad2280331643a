import type { Clock } from '../../kernel/clock.js'
import { isCodexError, messageOf, WrongUsage } from '../../kernel/errors.js'
import { formatDuration } from '../../kernel/text/moments.js'
import { plainLines } from '../../kernel/text/plain-text.js'
import { redactText } from '../../kernel/text/redact.js'
import { painted } from '../../kernel/text/tones.js'
import { wrapped } from '../../kernel/text/wrap.js'
import { hearWaits } from '../../kernel/waits.js'
import type { ToolContext, WatchPace } from '../../tools/definition.js'
import type { ToolResult } from '../../tools/run-tool.js'
import type { MoreOption } from '../../tools/tool-arguments.js'
import { jsonText } from '../command.js'
import type { CommandIo, Screen } from '../io.js'

/** The options of a command that can be watched. */
export function watchOptions({ everyS, leastS }: WatchPace): readonly MoreOption[] {
  return [
    { name: 'watch', type: 'boolean', help: 'show it again and again; q or Ctrl-C ends it' },
    {
      name: 'interval',
      type: 'string',
      help: `seconds between two readings with --watch: ${everyS} by default, at least ${leastS}`,
    },
  ]
}

const MOST_S = 86_400

/**
 * The time between two readings, ms.
 * @throws WrongUsage
 */
export function intervalOf(given: unknown, { everyS, leastS }: WatchPace): number {
  if (given === undefined) return everyS * 1000
  const seconds = Number(given)
  if (typeof given === 'string' && given.trim() !== '' && seconds >= leastS && seconds <= MOST_S)
    return seconds * 1000
  throw new WrongUsage(`--interval takes a number of seconds from ${leastS} to ${MOST_S}.`)
}

/** What is watched. */
export interface Watched {
  readonly everyMs: number
  readonly json: boolean
  readonly clock: Clock
  read(context: Pick<ToolContext, 'signal' | 'progress'>): Promise<ToolResult>
}

/**
 * Shows a reading after the other until the user ends it: on a terminal in place, elsewhere as blocks, as JSON one line each.
 * @returns the exit code: 0 after `q`, 130 after Ctrl-C or when the process is to end
 * @throws what the first reading throws; a later one is told and tried again
 */
export async function watch(io: CommandIo, watched: Watched): Promise<number> {
  const screen = watched.json ? undefined : io.openScreen()
  if (screen === undefined) return watchAsText(io, watched)
  try {
    return await watchOnScreen(io, watched, screen)
  } finally {
    screen.close()
  }
}

async function watchAsText(io: CommandIo, watched: Watched): Promise<number> {
  const { clock, everyMs, json } = watched
  for (let isFirst = true; !io.signal.aborted; isFirst = false) {
    const result = await watched
      .read({ signal: io.signal, progress: (line) => io.progress(line) })
      .catch((error: unknown) => {
        if (isFirst || io.signal.aborted) throw error
        return errorText(error)
      })
    const readAtMs = clock.now()
    if (json) {
      const line = typeof result === 'string' ? { error: result } : (result.data as object)
      io.stdout(jsonText({ readAtMs, ...line }))
    } else {
      const text =
        typeof result === 'string' ? result : result.toned(io.columns ?? Infinity, readAtMs)
      io.stdout(`${isFirst ? '' : '\n'}Read at ${timeText(readAtMs)}\n${text}\n`)
    }
    await clock.sleep(everyMs, io.signal).catch(() => undefined)
  }
  return 130
}

/** How often ages and the countdown go on. */
const TICK_MS = 1000

async function watchOnScreen(io: CommandIo, watched: Watched, screen: Screen): Promise<number> {
  const { clock, everyMs } = watched
  const left = new AbortController()
  const signal = AbortSignal.any([io.signal, left.signal])
  let code = 130
  let view: Omit<Parameters<typeof frame>[0], 'nowMs'> = { foot: 'Reading', top: 0, screen }
  const draw = (): void => {
    const { lines, top } = frame({ ...view, nowMs: clock.now() })
    view = { ...view, top }
    screen.draw(lines.map((line) => (io.hasColours ? painted(line) : plainLines(line))))
  }
  const change = (next: Partial<typeof view>): void => {
    view = { ...view, ...next }
    draw()
  }
  screen.listen({
    resized: draw,
    key(text) {
      const asked = KEYS[text]
      if (asked === 'leave' || asked === 'break') {
        code = asked === 'leave' ? 0 : 130
        left.abort()
      } else if (asked !== undefined)
        change({ top: view.top + asked(Math.max(1, screen.rows() - FOOT_ROWS)) })
    },
  })
  const ticking = setInterval(draw, TICK_MS)
  const deaf = hearWaits((what) => change({ foot: `Waiting for ${what}` }))
  try {
    while (!signal.aborted) {
      const before = view.foot
      change({ foot: view.result === undefined ? 'Reading' : before })
      const outcome = await watched
        .read({ signal, progress: (line) => change({ foot: line }) })
        .catch((error: unknown) => {
          if (signal.aborted) return undefined
          if (view.result === undefined) throw error
          return errorText(error)
        })
      if (outcome === undefined) break
      const atMs = clock.now()
      const times = { nextAtMs: atMs + everyMs, atMs }
      if (typeof outcome === 'string')
        change({
          foot: ({ nowMs }) =>
            `Not read at ${timeText(atMs)}: ${outcome} ${nextText(times, nowMs)}`,
        })
      else
        change({
          result: outcome,
          foot: ({ nowMs }) => `Read at ${timeText(atMs)}. ${nextText(times, nowMs)}`,
        })
      await clock.sleep(everyMs, signal).catch(() => undefined)
    }
    return code
  } finally {
    deaf()
    clearInterval(ticking)
  }
}

const KEYS: Readonly<Record<string, 'leave' | 'break' | ((page: number) => number)>> = {
  q: 'leave',
  Q: 'leave',
  '\u001b': 'leave',
  '\u0003': 'break',
  '\u001b[A': () => -1,
  '\u001bOA': () => -1,
  k: () => -1,
  '\u001b[B': () => 1,
  '\u001bOB': () => 1,
  j: () => 1,
  '\u001b[5~': (page) => -page,
  '\u001b[6~': (page) => page,
  ' ': (page) => page,
}

/** The line about the reading, and an empty one above it. */
const FOOT_ROWS = 2

/** The lines of a screen, and the line of the text it begins with. Pure. */
function frame(view: {
  readonly result?: ToolResult
  readonly foot: string | ((moment: { readonly nowMs: number }) => string)
  readonly top: number
  readonly screen: Pick<Screen, 'columns' | 'rows'>
  readonly nowMs: number
}): { readonly lines: readonly string[]; readonly top: number } {
  const { result, foot, screen, nowMs } = view
  const width = screen.columns()
  // A line of a table fits and carries tones; a sentence is broken.
  const text = (result?.toned(width, nowMs) ?? '').split('\n')
  const body = text.flatMap((line) =>
    plainLines(line) === line ? wrapped(line, width).split('\n') : [line],
  )
  const room = Math.max(1, screen.rows() - FOOT_ROWS)
  const top = Math.max(0, Math.min(view.top, body.length - room))
  const below = body.length - room - top
  const more =
    top + Math.max(0, below) === 0 ? '' : ` Up and Down scroll (${Math.max(0, below)} more below).`
  const told = typeof foot === 'string' ? foot : foot({ nowMs })
  return {
    lines: [
      ...body.slice(top, top + room),
      '',
      `${told}${told.endsWith('.') ? '' : '.'}${more} q ends.`,
    ],
    top,
  }
}

function nextText({ nextAtMs }: { readonly nextAtMs: number }, nowMs: number): string {
  return nextAtMs > nowMs ? `Next in ${formatDuration(nextAtMs - nowMs)}.` : 'Reading.'
}

function timeText(atMs: number): string {
  return new Date(atMs).toTimeString().slice(0, 8)
}

function errorText(error: unknown): string {
  const hint = isCodexError(error) && error.hint !== '' ? ` ${error.hint}` : ''
  return redactText(`${messageOf(error)}${hint}`).replaceAll('\n', ' ')
}
