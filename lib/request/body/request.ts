import { CodexError } from '../../kernel/errors.js'
import { clampEffort, isEffort, resolveModel, wireEffort } from '../../models/resolve.js'
import { isRecord, parsedJson } from '../../kernel/text/json.js'
import { chatRefused } from '../host-request.js'
import {
  memberText,
  objectText,
  type ObjectText,
  recordMember,
  stringMember,
  withElements,
  withMember,
  withMembers,
  withValue,
} from './json-edit.js'
import { type Element, watchFor } from './json-scan.js'
import { repairToolPairs } from './tool-pairs.js'

/** A request made ready once and sent as often as needed. */
export interface PreparedRequest {
  /** What goes over the wire; the very string of the host when nothing had to change. */
  readonly body: ObjectText
  /** Model as sent. */
  readonly model: string
  /** Members that were changed, for the trace. */
  readonly changed: readonly string[]
  /** False when the caller wants one JSON answer instead of a stream. */
  readonly wantsStream: boolean
  /** True when the turn goes on after a tool call: the backend's turn state is sent along then. */
  readonly continuesTurn: boolean
  /** True when the history holds reasoning that only the account that produced it can read. */
  readonly hasEncryptedReasoning: boolean
  /** The encrypted contents of the reasoning in the history, in order. */
  reasoning(): readonly string[]
  /** The body without the reasoning of these numbers, as `reasoning` counts it, or without any. */
  withoutReasoning(numbers?: ReadonlySet<number>): ObjectText
  /** The request with every tool call and its output paired; undefined when they are already. */
  withPairedTools(): PreparedRequest | undefined
  /** The request for another model, with the effort nearest to the one asked for that it takes. */
  withModel(model: string): PreparedRequest
}

/** Members the backend refuses or that have no meaning where nothing is stored. */
const FORBIDDEN_MEMBERS = [
  'previous_response_id',
  'conversation',
  'background',
  'max_output_tokens',
  'max_completion_tokens',
] as const
const ENCRYPTED_REASONING = 'reasoning.encrypted_content'
/** What of the history has to be looked at closer when it is there. */
const ITEM_ID = 'id'
const ITEM_REFERENCE = 'item_reference'
const ENCRYPTED = 'encrypted_content'
const STORED = 'stored'
const SEALED = 'sealed'
const WATCH = watchFor(
  new Map([
    [ITEM_ID, STORED],
    [ITEM_REFERENCE, STORED],
    [ENCRYPTED, SEALED],
  ]),
)
const TOOL_OUTPUT_ITEM =
  /^\s*\{\s*"type"\s*:\s*"(?:function_call_output|custom_tool_call_output|local_shell_call_output|mcp_call_output)"/
/** Looked at for the type of the last item; the host writes it first. */
const ITEM_HEAD = 80

/**
 * Makes the host's body one the backend takes: `store:false`, `stream:true`, encrypted reasoning included, no server ids,
 * no references to stored state, a text as input in a list, the model's own name. Works on the text: a body that is right
 * already is returned as the same string. Pure.
 * @throws CodexError `request_not_json`, or `bad_request` for a chat completion
 */
export function prepareRequest(text: string): PreparedRequest {
  const object = objectText(text, WATCH)
  if (object === undefined) throw notAnObject(text)
  const { members } = object.scan
  const textOf = (key: string): string | undefined => memberText(object, key)
  if (!members.has('input') && members.has('messages')) throw chatRefused()
  assertWholeTurn(object)
  const edits = new Map<string, string | undefined>()
  const put = (key: string, value: string): void => {
    if (textOf(key) !== value) edits.set(key, value)
  }

  const asked = stringMember(object, 'model') ?? ''
  const resolved = resolveModel(asked)
  if (resolved.model !== asked && asked !== '') put('model', JSON.stringify(resolved.model))
  if (resolved.effort !== undefined)
    put(
      'reasoning',
      withMember(
        textOf('reasoning') ?? '',
        'effort',
        JSON.stringify(wireEffort(resolved.model, resolved.effort)),
      ),
    )
  if (resolved.serviceTier !== undefined && !members.has('service_tier'))
    put('service_tier', JSON.stringify(resolved.serviceTier))

  const wantsStream = textOf('stream') === 'true'
  put('stream', 'true')
  put('store', 'false')
  put('include', withReasoningIncluded(textOf('include') ?? ''))
  for (const key of FORBIDDEN_MEMBERS) if (members.has(key)) edits.set(key, undefined)
  const input = members.get('input')
  if (input !== undefined) {
    const items = text.slice(input.start, input.end)
    const stored = input.found?.get(STORED)
    if (items.startsWith('"'))
      put('input', `[{"role":"user","content":[{"type":"input_text","text":${items}}]}]`)
    else if (stored !== undefined) put('input', withElements(items, stored, withoutServerState))
  }

  const lastItem =
    input === undefined
      ? ''
      : text.slice(input.lastElementStart, Math.min(input.end, input.lastElementStart + ITEM_HEAD))
  return finished({
    body: withMembers(object, edits),
    model: resolved.model,
    changed: [...edits.keys()],
    wantsStream,
    continuesTurn: TOOL_OUTPUT_ITEM.test(lastItem),
    hasEncryptedReasoning: input?.found?.has(SEALED) === true,
  })
}

/**
 * Refuses what only makes sense where answers are stored: without the stored part the model would answer something else
 * than it was asked. A list as input is taken for the whole conversation, as the AI SDK sends it; a text never is.
 * @throws CodexError `bad_request`
 */
function assertWholeTurn(object: ObjectText): void {
  const isGiven = (name: string): boolean =>
    !['', 'null', 'false', '""'].includes(memberText(object, name) ?? '')
  if (isGiven('background'))
    throw notStored(
      'an answer in the background',
      'Ask without background and read the answer as it comes',
    )
  if (isGiven('conversation'))
    throw notStored('a stored conversation', 'Send the whole conversation as input')
  if (isGiven('previous_response_id') && memberText(object, 'input')?.startsWith('"') === true)
    throw notStored(
      'an answer after a stored one',
      'Send the whole conversation as input, in place of previous_response_id',
    )
}

function notStored(what: string, hint: string): CodexError {
  return new CodexError(
    'bad_request',
    `The Codex backend stores no answers, so it cannot serve ${what}.`,
    { hint },
  )
}

/** What the functions of a prepared request do not make. */
type RequestFacts = Omit<
  PreparedRequest,
  'reasoning' | 'withoutReasoning' | 'withPairedTools' | 'withModel'
>

/** @param asked the effort the host asked for, whatever the body says by now */
function finished(
  facts: RequestFacts,
  asked = (): unknown => recordMember(facts.body, 'reasoning').effort,
): PreparedRequest {
  const { body, changed } = facts
  let known: readonly Sealed[] | undefined
  const sealed = (): readonly Sealed[] => (known ??= sealedIn(body))
  return {
    ...facts,
    reasoning: () => sealed().map(({ content }) => content),
    withoutReasoning: (numbers) =>
      withoutItems(
        body,
        sealed().filter((_, number) => numbers === undefined || numbers.has(number)),
      ),
    withPairedTools: () => {
      const paired = bodyWithPairedTools(body)
      return paired === undefined
        ? undefined
        : finished({ ...facts, body: paired, changed: [...changed, 'input'] }, asked)
    },
    withModel: (model) => {
      const effort = asked()
      const edits = new Map([['model', JSON.stringify(model)]])
      if (isEffort(effort)) {
        const nearest = JSON.stringify(clampEffort(model, effort))
        edits.set('reasoning', withMember(memberText(body, 'reasoning') ?? '', 'effort', nearest))
      }
      const renamed = withMembers(body, edits)
      return finished(
        { ...facts, model, body: renamed, changed: [...changed, 'model'] },
        () => effort,
      )
    },
  }
}

/** The list of what the answer has to include, with encrypted reasoning; what is no list becomes one. */
function withReasoningIncluded(list: string): string {
  const wanted = JSON.stringify(ENCRYPTED_REASONING)
  const values = parsedJson(list)
  if (!Array.isArray(values)) return `[${wanted}]`
  if (values.includes(ENCRYPTED_REASONING)) return list
  return values.length === 0 ? `[${wanted}]` : `${list.slice(0, list.lastIndexOf(']'))},${wanted}]`
}

/** An item without the id it is stored under; nothing in place of a reference to a stored one. */
function withoutServerState(item: string): string | undefined {
  const object = objectText(item)
  if (object === undefined) return item
  if (stringMember(object, 'type') === ITEM_REFERENCE) return undefined
  return stringMember(object, ITEM_ID) === undefined
    ? item
    : withMembers(object, new Map([[ITEM_ID, undefined]])).text
}

/** An item of the history that is reasoning: where it stands, and its encrypted content. */
interface Sealed extends Element {
  readonly content: string
}

/** Not everything with encrypted content is meant: only what other accounts cannot read. */
function sealedIn(body: ObjectText): readonly Sealed[] {
  const input = body.scan.members.get('input')
  const found = input?.found ?? objectText(body.text, WATCH)?.scan.members.get('input')?.found
  const items = memberText(body, 'input') ?? ''
  return (found?.get(SEALED) ?? []).flatMap(({ start, end }) => {
    const object = objectText(items.slice(start, end))
    if (object === undefined || stringMember(object, 'type') !== 'reasoning') return []
    const content = memberText(object, ENCRYPTED)
    return content === undefined ? [] : [{ start, end, content }]
  })
}

function withoutItems(body: ObjectText, items: readonly Element[]): ObjectText {
  const text = memberText(body, 'input') ?? ''
  return items.length === 0
    ? body
    : withValue(
        body,
        'input',
        withElements(text, items, () => undefined),
      )
}

function bodyWithPairedTools(body: ObjectText): ObjectText | undefined {
  const items = parsedJson(memberText(body, 'input') ?? '')
  if (!Array.isArray(items)) return undefined
  const after = JSON.stringify(repairToolPairs(items))
  return after === JSON.stringify(items) ? undefined : withValue(body, 'input', after)
}

function notAnObject(text: string): CodexError {
  const value = parsedJson(text)
  return new CodexError(
    'request_not_json',
    value === undefined || isRecord(value)
      ? 'The body of the request is not JSON.'
      : 'The body of the request is not a JSON object.',
  )
}
