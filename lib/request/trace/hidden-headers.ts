import { isRecord } from '../../kernel/text/json.js'
import { redactForeign } from '../../kernel/text/redact.js'
import { type Hidden, hiddenIn, type Hiding, hiddenText } from './hide.js'

/** Headers by name: values that say nothing of anybody as they are, all others by length and digest. */
export type ShownHeaders = Readonly<Record<string, string | Hidden>>

const NAME = /^[a-z][a-z0-9-]{0,63}$/

/** What kind of message, of which program, and how it went: the same for everybody. */
const SHOWN = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'openai-beta',
  'openai-model',
  'openai-processing-ms',
  'openai-version',
  'originator',
  'retry-after',
  'retry-after-ms',
  'server',
  'transfer-encoding',
  'user-agent',
  'vary',
  'version',
  'x-codex-beta-features',
  'x-codex-routing-hint',
  'x-openai-internal-codex-responses-lite',
  'x-openai-subagent',
])

/** Names of a request that the support of the backend asks for. */
const REQUEST_ID = /^(?:req_)?[\da-f]{8,}(?:-[\da-f]{4,12}){0,4}$/i
const REQUEST_IDS = new Set(['x-request-id', 'x-oai-request-id'])

/** Numbers, flags and single words: readings of a quota. */
const READING = /^(?:-?\d{1,12}(?:\.\d{1,6})?|true|false|[a-z][a-z_]{0,23})$/i
const READINGS = /^(?:x-codex-(?!turn-state$)|x-ratelimit-)/

const MAX_VALUE = 300

/** The headers of a request or an answer without what is secret, or could be. Pure. */
export function shownHeaders(
  entries: Iterable<readonly [name: string, value: unknown]>,
  hiding: Hiding,
): ShownHeaders {
  const closed = { ...hiding, withTexts: false }
  return Object.fromEntries(
    [...entries].map(([given, value]) => {
      const name = given.toLowerCase()
      const isPlain = NAME.test(name) && redactForeign(name) === name
      return [
        isPlain || /^~\d{1,9}:[\da-f]{8}$/.test(name)
          ? name
          : `~${given.length}:${hiding.digest(given)}`,
        typeof value === 'string'
          ? shownValue(name, value, closed)
          : isRecord(value)
            ? (hiddenIn(value) ?? ({ '~': 'cut' } as const))
            : ({ '~': 'cut' } as const),
      ]
    }),
  )
}

function shownValue(name: string, value: string, hiding: Hiding): string | Hidden {
  return isShown(name, value) ? value : (hiddenText(value, hiding) as string | Hidden)
}

function isShown(name: string, value: string): boolean {
  if (value.length > MAX_VALUE || !/^[\x20-\x7e]*$/.test(value)) return false
  if (REQUEST_IDS.has(name)) return REQUEST_ID.test(value)
  if (SHOWN.has(name)) return redactForeign(value) === value
  return READINGS.test(name) && READING.test(value)
}
