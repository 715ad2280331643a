import { isRecord, parsedJson } from '../../kernel/text/json.js'
import { type ObjectText, withMembers } from '../body/json-edit.js'

/** Name of the header, and of the member that stands for it. */
export const TURN_STATE = 'x-codex-turn-state'

/** Members of the HTTP form that a frame has not. */
const HTTP_ONLY = ['stream', 'background', 'stream_options'] as const

/** What a request adds to an earlier answer on the same connection. */
export interface Addition {
  readonly responseId: string
  /** Text of the array of new items. */
  readonly input: string
  /** The connection was opened for an earlier turn, so its header does not tell. */
  readonly turnState: string | undefined
}

/**
 * A request as a frame of the WebSocket (docs/development/facts/codex-backend.md#websocket).
 * @param addition the whole request without it. Pure
 */
export function requestFrame(body: ObjectText, addition?: Addition): string {
  const edits = new Map<string, string | undefined>(HTTP_ONLY.map((key) => [key, undefined]))
  if (addition !== undefined) {
    edits.set('previous_response_id', JSON.stringify(addition.responseId))
    edits.set('input', addition.input)
    if (addition.turnState !== undefined && !body.scan.members.has('client_metadata'))
      edits.set('client_metadata', JSON.stringify({ [TURN_STATE]: addition.turnState }))
  }
  const { text } = withMembers(body, edits)
  return `{"type":"response.create",${text.slice(text.indexOf('{') + 1)}`
}

/** The turn state that a frame brings, which by HTTP is a header of the answer. Pure. */
export function turnStateOf({ type, event }: Frame): string | undefined {
  const headers = type === 'response.metadata' ? event?.headers : undefined
  const value = isRecord(headers) ? headers[TURN_STATE] : undefined
  return typeof value === 'string' ? value : undefined
}

/** What a frame of the backend is. */
export interface Frame {
  readonly type: string
  /** The text of the frame. */
  readonly text: string
  /** Parsed where it matters to the transport: finished items, the end, errors. */
  readonly event?: Readonly<Record<string, unknown>> | undefined
}

/** The end of an answer. */
export const ENDS = new Set([
  'response.completed',
  'response.done',
  'response.incomplete',
  'response.failed',
  'error',
])
const READ = new Set([...ENDS, 'response.output_item.done', 'response.metadata'])

/** Most frames have their type in front, and are not parsed. */
const TYPE_IN_FRONT = /^\s*\{\s*"type"\s*:\s*"([\w.-]{1,100})"/

/** Undefined for a text that is no event: the CLI skips those too. Pure. */
export function readFrame(text: string): Frame | undefined {
  const inFront = TYPE_IN_FRONT.exec(text)?.[1]
  if (inFront !== undefined && !READ.has(inFront)) return { type: inFront, text }
  const event = parsedJson(text)
  return isRecord(event) && typeof event.type === 'string'
    ? { type: event.type, text, event }
    : undefined
}

/** The event as it stands in an answer by HTTP. Pure. */
export function sseText({ type, text }: Frame): string {
  if (!/[\r\n]/.test(text)) return `event: ${type}\ndata: ${text}\n\n`
  const lines = text.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`)
  return `event: ${type}\n${lines.join('')}\n`
}

/**
 * The answer by HTTP that an error in the very first frame stands for; undefined where it names no status, so that it is an
 * event like others. Pure.
 */
export function refusalOf({ type, text, event }: Frame): Response | undefined {
  const status = Number(event?.status ?? event?.status_code)
  if (type !== 'error' || !Number.isInteger(status) || status < 400 || status > 599)
    return undefined
  const headers = new Headers({ 'content-type': 'application/json' })
  for (const [name, value] of Object.entries(isRecord(event?.headers) ? event.headers : {}))
    if (/^[\w-]+$/.test(name) && /^[\x20-\x7e]{1,1024}$/.test(String(value)))
      headers.set(name, String(value))
  return new Response(text, { status, headers })
}
