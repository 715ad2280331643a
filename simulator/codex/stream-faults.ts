import type { EventWriter, Frame } from '../reply.js'
import type { Action, Position } from '../scenario.js'

/** What the sender does next. */
export type Step =
  | {
      readonly do: 'send'
      readonly text: string | Buffer
      readonly mark: Frame['mark']
      /** A message of bytes where one of text is due; only a WebSocket knows such a thing. */
      readonly binary?: true
    }
  | { readonly do: 'ping' }
  | { readonly do: 'freeze' }
  | { readonly do: 'close'; readonly code: number; readonly reason: string }
  | { readonly do: 'pause'; readonly ms: number | 'forever' }
  | { readonly do: 'cut' }

interface Fault {
  readonly at: Position
  readonly ends: boolean
  steps(): Step[]
}

const KEEPALIVE = 'event: codex.keepalive\ndata: {"type":"codex.keepalive"}\n\n'

/** Actions that only mean something inside a stream, as faults with a place. */
function faultsOf(actions: readonly Action[], writer: EventWriter): Fault[] {
  return actions.flatMap((action) => faultOf(action, writer) ?? [])
}

function faultOf(action: Action, writer: EventWriter): Fault | undefined {
  const send = (text: string): Step[] => [{ do: 'send', text, mark: 'tail' }]
  switch (action.type) {
    case 'stream_failed': {
      const error = {
        code: action.code,
        message: action.message ?? `The simulated backend failed with ${action.code}`,
      }
      return {
        at: action.at,
        ends: true,
        steps: () =>
          send(writer.event('response.failed', { response: writer.response('failed', { error }) })),
      }
    }
    case 'stream_error_event': {
      const error = {
        type: action.code,
        code: action.code,
        message: action.message ?? `The simulated backend failed with ${action.code}`,
        param: null,
      }
      const status = {
        ...(action.status === undefined ? {} : { [action.statusMember]: action.status }),
        ...(action.headers === undefined ? {} : { headers: action.headers }),
      }
      const fields =
        action.shape === 'flat'
          ? { code: error.code, message: error.message, param: null, ...status }
          : { error, ...status }
      return {
        at: action.at,
        ends: action.ends,
        steps: () => send(writer.event('error', fields)),
      }
    }
    case 'incomplete': {
      const change = { incomplete_details: { reason: action.reason } }
      return {
        at: action.at,
        ends: true,
        steps: () =>
          send(
            writer.event('response.incomplete', {
              response: writer.response('incomplete', change),
            }),
          ),
      }
    }
    case 'done':
      return {
        at: 'end',
        ends: true,
        steps: () =>
          send(writer.event('response.done', { response: writer.response('completed') })),
      }
    case 'eof':
      return { at: action.at, ends: true, steps: () => [] }
    case 'cut':
      return { at: action.at, ends: true, steps: () => [{ do: 'cut' }] }
    case 'stall':
      return { at: action.at, ends: false, steps: () => [{ do: 'pause', ms: action.ms }] }
    case 'keepalive':
      return {
        at: action.at,
        ends: false,
        steps: () =>
          Array.from({ length: action.times }).flatMap((): Step[] => [
            { do: 'pause', ms: action.everyMs },
            { do: 'send', text: KEEPALIVE, mark: 'head' },
          ]),
      }
    case 'ping':
      return { at: action.at, ends: false, steps: () => [{ do: 'ping' }] }
    case 'close':
      return {
        at: action.at,
        ends: true,
        steps: () => [{ do: 'close', code: action.code, reason: action.reason }],
      }
    case 'freeze':
      return {
        at: action.at,
        ends: false,
        steps: () => [{ do: 'freeze' }, { do: 'pause', ms: 'forever' }],
      }
    case 'binary':
      return {
        at: action.at,
        ends: false,
        steps: () => [{ do: 'send', text: Buffer.from([0, 1, 2]), mark: 'head', binary: true }],
      }
    case 'malformed':
      return {
        at: action.at,
        ends: false,
        steps: () => [{ do: 'send', text: malformed(action.kind, action.bytes), mark: 'head' }],
      }
    default:
      return undefined
  }
}

function malformed(
  kind: 'garbage' | 'invalid_json' | 'not_an_object' | 'unknown_event' | 'huge_line',
  bytes: number,
): string {
  switch (kind) {
    case 'garbage':
      return ': a comment\n<<<not an event>>>\nid\n\u0000\u0001\n\n'
    case 'invalid_json':
      return 'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":\n\n'
    case 'not_an_object':
      return 'data: [1, "two", null]\n\ndata: null\n\ndata: 42\n\n'
    case 'unknown_event':
      return 'event: codex.unheard_of\ndata: {"type":"codex.unheard_of","value":1}\n\n'
    case 'huge_line':
      return `event: codex.huge\ndata: {"type":"codex.huge","padding":"${'x'.repeat(bytes)}"}\n\n`
  }
}

/** Walks the frames of a stream and puts every fault in at its place. Pure but for the writer's numbering. */
export function* shapeStream(
  frames: Iterable<Frame>,
  actions: readonly Action[],
  writer: EventWriter,
): Generator<Step> {
  let waiting = faultsOf(actions, writer)
  let deltas = 0
  let pastHead = false
  const take = (isDue: (at: Position) => boolean): Fault[] => {
    const due = waiting.filter((fault) => isDue(fault.at))
    if (due.length > 0) waiting = waiting.filter((fault) => !due.includes(fault))
    return due
  }
  const run = function* (due: readonly Fault[]): Generator<Step, boolean> {
    for (const fault of due) {
      yield* fault.steps()
      if (fault.ends) return true
    }
    return false
  }
  if (yield* run(take((at) => at === 'start' || at === 'connect'))) return
  for (const frame of frames) {
    if (!pastHead && frame.mark !== 'head') {
      pastHead = true
      if (yield* run(take((at) => at === 'created'))) return
    }
    if (frame.mark === 'tail' && (yield* run(take((at) => at !== 'after')))) return
    yield { do: 'send', text: frame.text, mark: frame.mark }
    if (frame.mark !== 'delta' || waiting.length === 0) continue
    deltas += 1
    if (yield* run(take((at) => typeof at === 'number' && at <= deltas))) return
  }
  yield* run(take(() => true))
}

/** The same faults for an answer that is no stream: whatever is due inside the body happens in its middle. */
export function* shapeBody(body: Buffer, actions: readonly Action[]): Generator<Step> {
  const middle = Math.floor(body.length / 2)
  let sent = 0
  for (const action of actions) {
    if (
      action.type !== 'cut' &&
      action.type !== 'stall' &&
      action.type !== 'eof' &&
      action.type !== 'malformed'
    )
      continue
    if (sent === 0 && middle > 0)
      yield { do: 'send', text: body.subarray(0, middle), mark: 'output' }
    sent = middle
    if (action.type === 'cut') {
      yield { do: 'cut' }
      return
    }
    if (action.type === 'stall') yield { do: 'pause', ms: action.ms }
    if (action.type === 'malformed') yield { do: 'send', text: '<<<not json>>>', mark: 'output' }
    if (action.type === 'eof') return
  }
  yield { do: 'send', text: body.subarray(sent), mark: 'tail' }
}
