import { CodexError, errorAt, isCodexError, messageOf } from '../../kernel/errors.js'
import type { Place } from '../../kernel/text/command-words.js'
import { redactText } from '../../kernel/text/redact.js'
import { makesHostCompact } from './failures.js'
import { cutText, hostSafeText } from './host-text.js'

/**
 * The one code for which OpenCode 1.18 shows the message of an in-stream error as it is and does not send the turn
 * again; `usage_not_included` and `insufficient_quota` replace the message, every other code is repeated
 * (docs/development/FAILOVER.md, "How a stream ends").
 */
const FINAL_STREAM_CODE = 'invalid_prompt'

/** The code that makes OpenCode compact the session, in a stream as well as in a body. */
const OVERFLOW_CODE = 'context_length_exceeded'

/** Anything that was thrown as an error of the table, with its commands as they work where it is read. */
export function shownError(error: unknown, place: Place): CodexError {
  if (isCodexError(error)) return errorAt(error, place)
  // Only what rebuilds a whole body goes into it as deep as it is nested.
  if (error instanceof RangeError && /call stack/i.test(error.message)) {
    return new CodexError(
      'request_not_json',
      'The body of the request is nested too deeply to be rebuilt.',
      { cause: error, hint: 'Start a new session' },
    )
  }
  return errorAt(
    new CodexError('internal', `The plugin failed: ${messageOf(error)}.`, { cause: error }),
    place,
  )
}

/** What the user reads: the fact, then what to do. Free of secrets and of words the host acts on. */
function userMessage(error: CodexError): string {
  const sentence = error.message.trim()
  const hint = error.hint.trim()
  const ended = /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`
  return safe(hint === '' || sentence.includes(hint) ? ended : `${ended} ${hint}`, error)
}

/**
 * The answer to the host for a request that failed before any output. OpenCode shows `error.message` and nothing else;
 * the rest is for other callers.
 */
export function errorResponse(error: CodexError): Response {
  const body = {
    error: {
      message: userMessage(error),
      type: 'codex_error',
      code: makesHostCompact(error.code) ? OVERFLOW_CODE : error.code,
      param: null,
      hint: safe(error.hint, error),
    },
  }
  return new Response(JSON.stringify(body), {
    status: error.status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
  })
}

/**
 * The last event of a stream that failed after it began; close the stream after it. Only at the end of a whole event:
 * behind half an event the host cannot read it and repeats the turn; end such a stream with `streamError` instead.
 */
export function errorEventBytes(error: CodexError): Uint8Array<ArrayBuffer> {
  const said = {
    code: makesHostCompact(error.code) ? OVERFLOW_CODE : FINAL_STREAM_CODE,
    message: userMessage(error),
    param: null,
  }
  const event = {
    type: 'error',
    // A running number could hold a status the host looks for.
    sequence_number: 0,
    // SDKs read the nested form, the documented form of the event is the flat one.
    ...said,
    error: { type: 'invalid_request_error', ...said, reason: error.code },
  }
  return new TextEncoder().encode(`event: error\ndata: ${JSON.stringify(event)}\n\n`)
}

/** The error to break a stream off with (`controller.error`), or to throw to the host: its message alone is shown. */
export function streamError(error: CodexError): CodexError {
  return new CodexError(error.code, userMessage(error), { cause: error, hint: error.hint })
}

function safe(text: string, { code }: CodexError): string {
  return hostSafeText(redactText(cutText(text)), { overflow: makesHostCompact(code) })
}
