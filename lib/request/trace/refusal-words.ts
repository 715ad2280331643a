import { isRecord, parsedJson } from '../../kernel/text/json.js'
import { isMember } from './hide.js'

/** What a refusal names: words of the API, never a sentence. */
interface RefusalWords {
  readonly code?: string
  readonly type?: string
  /** The part of the request it is about. */
  readonly param?: string
}

export const REFUSAL_WORD = /^[a-z]+(?:_[a-z]+){0,9}$/
export const REFUSAL_PARAM = /^[a-z]+(?:_[a-z]+){0,5}(?:\[\d{1,5}\]|\.[a-z_]{1,40}){0,8}$/
const MAX_LENGTH = 80

/** The words in the body of a refusal; undefined where it has none. Pure. */
export function refusalWords(body: string): RefusalWords | undefined {
  const value = parsedJson(body)
  const error = isRecord(value) && isRecord(value.error) ? value.error : undefined
  if (error === undefined) return undefined
  const { code, type, param } = error
  const words = {
    ...(isWord(code, REFUSAL_WORD) && { code }),
    ...(isWord(type, REFUSAL_WORD) && { type }),
    ...(isWord(param, REFUSAL_PARAM) && shownParam(param)),
  }
  return Object.keys(words).length === 0 ? undefined : words
}

/** A part of a request as far as the API names it: below that, names are those of the user's own tools. Pure. */
export function shownParam(param: string): Pick<RefusalWords, 'param'> {
  const steps = param.split('.')
  const first = steps.findIndex((step) => !isMember(step.replace(/\[.*/, '')))
  const shown = steps.slice(0, first < 0 ? steps.length : first).join('.')
  return shown === '' ? {} : { param: shown }
}

function isWord(value: unknown, form: RegExp): value is string {
  return typeof value === 'string' && value.length <= MAX_LENGTH && form.test(value)
}
