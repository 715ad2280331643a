import type { Action } from './scenario.js'

/**
 * A piece of an event stream. `head` comes before any output, `tail` is the terminal event, `delta` carries text or
 * tool arguments and is what the positions of the scenario language count.
 */
export interface Frame {
  readonly text: string | Buffer
  readonly mark: 'head' | 'output' | 'delta' | 'tail'
}

/** Writes the events of one stream; numbers them in the order in which they are written. */
export interface EventWriter {
  /** The SSE text of an event; `sequence_number` is added. */
  event(type: string, fields: Readonly<Record<string, unknown>>): string
  /** The `response` member of lifecycle events. */
  response(status: string, change?: Readonly<Record<string, unknown>>): Record<string, unknown>
}

/** What a handler answers; `actions` are carried out while it is sent. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body:
    string | Buffer | { readonly frames: Iterable<Frame>; readonly writer: EventWriter }
  readonly actions?: readonly Action[]
}

/** A JSON answer. */
export function json(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  }
}

/** An HTML page without scripts. */
export function html(status: number, body: string): Reply {
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy':
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
      'cache-control': 'no-store',
    },
    body,
  }
}

/** A redirect of the browser. */
export function redirect(location: string): Reply {
  return { status: 302, headers: { location, 'cache-control': 'no-store' }, body: '' }
}

/** An answer in the form of the backend's own framework (`{"detail": …}`). */
export function detail(status: number, message: unknown): Reply {
  return json(status, { detail: message })
}

/** An answer in the form of the API (`{"error": {…}}`). */
export function apiError(
  status: number,
  error: { message: string; type?: string | null; code?: string | null; param?: string | null },
  headers: Readonly<Record<string, string>> = {},
): Reply {
  const { message, type = 'invalid_request_error', code = null, param = null } = error
  return json(status, { error: { message, type, param, code } }, headers)
}
