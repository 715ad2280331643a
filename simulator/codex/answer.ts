import type { Prng } from '../prng.js'
import type { EventWriter, Frame } from '../reply.js'
import type { RequestKind } from '../scenario.js'

/** A tool the model may call; a `custom` one takes text in place of arguments. */
export interface OfferedTool {
  readonly name: string
  readonly kind: 'function' | 'custom'
}

/** What a request asks of the simulated model. */
export interface Question {
  readonly kind: RequestKind
  readonly model: string
  readonly effort: string
  /** The newest text of the user. */
  readonly text: string
  readonly tools: readonly OfferedTool[]
  /** Words set for this kind of request. */
  readonly says: string | null
  /** Outputs of tools since the user spoke. */
  readonly toolOutputs: number
  /** Encrypted reasoning was asked for. */
  readonly wantsReasoning: boolean
  /** Rough size of the request, in tokens. */
  readonly inputTokens: number
}

/** Makes the unreadable part of a reasoning item, bound to whoever may read it. */
export type Seal = () => string

/**
 * `SIM:tool name {"argument":1}` in a prompt makes the model call that tool, a custom one with the text of `input`;
 * `SIM:tool*20 name {…}` so often, one call after the other's output; `SIM:say text` makes it answer that.
 */
const TOOL_DIRECTIVE = /SIM:tool(?:\*(\d+))?\s+([\w-]+)\s*(\{[^\n]*\})/
const SAY_DIRECTIVE = /SIM:say\s+([^\n"]+)/
/** `SIM:long 5000` makes an answer of so many words. */
const LONG_DIRECTIVE = /SIM:long\s+(\d+)/
const MAX_WORDS = 2_000_000
const EFFORTS_WITHOUT_REASONING = new Set(['none', 'minimal'])

/** Numbers the events of one stream. */
export function createEventWriter(id: string, model: string, createdAtSec: number): EventWriter {
  let sequence = 0
  return {
    event(type, fields) {
      const text = `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence, ...fields })}\n\n`
      sequence += 1
      return text
    },
    response: (status, change = {}) => ({
      id,
      object: 'response',
      created_at: createdAtSec,
      status,
      error: null,
      incomplete_details: null,
      model,
      output: [],
      usage: null,
      ...change,
    }),
  }
}

/**
 * The events of an answer (docs/development/facts/codex-backend.md#stream-events), produced one by
 * one while they are sent.
 */
export function* answerFrames(
  question: Question,
  deps: { writer: EventWriter; random: Prng; seal: Seal; limits: string },
): Generator<Frame> {
  const { writer, random } = deps
  const frame = (
    mark: Frame['mark'],
    type: string,
    fields: Readonly<Record<string, unknown>>,
  ): Frame => ({ mark, text: writer.event(type, fields) })
  yield frame('head', 'response.created', { response: writer.response('in_progress') })
  yield frame('head', 'response.in_progress', { response: writer.response('in_progress') })
  yield { mark: 'head', text: deps.limits }

  let index = 0
  let outputTokens = 0
  let reasoningTokens = 0
  if (question.wantsReasoning && !EFFORTS_WITHOUT_REASONING.has(question.effort)) {
    yield* reasoningFrames(question, deps.seal(), { frame, random, index })
    reasoningTokens = 32
    outputTokens += reasoningTokens
    index += 1
  }

  const call = TOOL_DIRECTIVE.exec(question.text)
  const tool = question.tools.find(({ name }) => name === call?.[2])
  if (call !== null && question.toolOutputs < Number(call[1] ?? 1) && tool !== undefined) {
    yield* callFrames(tool, unescaped(call[3] ?? '{}'), { frame, random, index })
    outputTokens += 16
  } else {
    outputTokens += yield* messageFrames(question, { frame, random, index })
  }

  const usage = {
    input_tokens: question.inputTokens,
    input_tokens_details: { cached_tokens: Math.floor(question.inputTokens / 2) },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: question.inputTokens + outputTokens,
  }
  yield frame('tail', 'response.completed', { response: writer.response('completed', { usage }) })
}

/** An answer without output, as to a request that only warms up. */
export function* silentFrames(writer: EventWriter): Generator<Frame> {
  const usage = { input_tokens: 0, output_tokens: 0, total_tokens: 0 }
  yield {
    mark: 'head',
    text: writer.event('response.created', { response: writer.response('in_progress') }),
  }
  yield {
    mark: 'tail',
    text: writer.event('response.completed', { response: writer.response('completed', { usage }) }),
  }
}

interface FrameDeps {
  readonly frame: (
    mark: Frame['mark'],
    type: string,
    fields: Readonly<Record<string, unknown>>,
  ) => Frame
  readonly random: Prng
  readonly index: number
}

/** The reasoning item: a summary in the clear, the rest sealed. */
function* reasoningFrames(
  question: Question,
  sealed: string,
  { frame, random, index }: FrameDeps,
): Generator<Frame> {
  const item = {
    type: 'reasoning',
    id: `rs_${random.hex(40)}`,
    summary: [] as unknown[],
    encrypted_content: sealed,
  }
  const summary = `**Thinking** about: ${question.text.slice(0, 60)}`
  yield frame('output', 'response.output_item.added', {
    output_index: index,
    item: { ...item, encrypted_content: '' },
  })
  yield frame('output', 'response.reasoning_summary_part.added', {
    item_id: item.id,
    output_index: index,
    summary_index: 0,
    part: { type: 'summary_text', text: '' },
  })
  yield frame('delta', 'response.reasoning_summary_text.delta', {
    item_id: item.id,
    output_index: index,
    summary_index: 0,
    delta: summary,
  })
  yield frame('output', 'response.reasoning_summary_text.done', {
    item_id: item.id,
    output_index: index,
    summary_index: 0,
    text: summary,
  })
  yield frame('output', 'response.reasoning_summary_part.done', {
    item_id: item.id,
    output_index: index,
    summary_index: 0,
    part: { type: 'summary_text', text: summary },
  })
  yield frame('output', 'response.output_item.done', {
    output_index: index,
    item: { ...item, summary: [{ type: 'summary_text', text: summary }] },
  })
}

/** The message; returns how many tokens it had. */
function* messageFrames(
  question: Question,
  { frame, random, index }: FrameDeps,
): Generator<Frame, number> {
  const id = `msg_${random.hex(40)}`
  yield frame('output', 'response.output_item.added', {
    output_index: index,
    item: { type: 'message', id, role: 'assistant', status: 'in_progress', content: [] },
  })
  yield frame('output', 'response.content_part.added', {
    item_id: id,
    output_index: index,
    content_index: 0,
    part: { type: 'output_text', text: '', annotations: [] },
  })
  let text = ''
  let words = 0
  for (const delta of wordsOf(question)) {
    // A long answer would be held in memory for its last event alone.
    if (text.length < 200_000) text += delta
    words += 1
    yield frame('delta', 'response.output_text.delta', {
      item_id: id,
      output_index: index,
      content_index: 0,
      delta,
    })
  }
  yield frame('output', 'response.output_text.done', {
    item_id: id,
    output_index: index,
    content_index: 0,
    text,
  })
  yield frame('output', 'response.content_part.done', {
    item_id: id,
    output_index: index,
    content_index: 0,
    part: { type: 'output_text', text, annotations: [] },
  })
  yield frame('output', 'response.output_item.done', {
    output_index: index,
    item: {
      type: 'message',
      id,
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text, annotations: [] }],
    },
  })
  return words
}

/** A call of a tool. What of it comes bit by bit comes in one. */
function* callFrames(
  { kind, name }: OfferedTool,
  given: string,
  { frame, random, index }: FrameDeps,
): Generator<Frame> {
  const isCustom = kind === 'custom'
  const id = `${isCustom ? 'ctc' : 'fc'}_${random.hex(40)}`
  const field = isCustom ? 'input' : 'arguments'
  const value = isCustom ? inputOf(given) : given
  const events = isCustom ? 'response.custom_tool_call_input' : 'response.function_call_arguments'
  const item = {
    type: isCustom ? 'custom_tool_call' : 'function_call',
    id,
    call_id: `call_${random.hex(24)}`,
    name,
  }
  yield frame('output', 'response.output_item.added', {
    output_index: index,
    item: { ...item, [field]: '', status: 'in_progress' },
  })
  yield frame('delta', `${events}.delta`, { item_id: id, output_index: index, delta: value })
  yield frame('output', `${events}.done`, { item_id: id, output_index: index, [field]: value })
  yield frame('output', 'response.output_item.done', {
    output_index: index,
    item: { ...item, [field]: value, status: 'completed' },
  })
}

function inputOf(given: string): string {
  const { input } = JSON.parse(given) as { input?: unknown }
  return typeof input === 'string' ? input : given
}

function* wordsOf(question: Question): Generator<string> {
  const long = LONG_DIRECTIVE.exec(question.text)
  if (long !== null) {
    const count = Math.min(Number(long[1]), MAX_WORDS)
    for (let word = 0; word < count; word += 1) yield `${word === 0 ? '' : ' '}word${word}`
    return
  }
  const words = sentenceOf(question).split(/(?= )/)
  for (const word of words) yield word
}

function sentenceOf({ kind, text, toolOutputs, says }: Question): string {
  if (kind === 'title') return says ?? 'A simulated title'
  if (kind === 'compaction')
    return 'Summary: the user and the simulator talked; everything important is in this sentence.'
  const said = SAY_DIRECTIVE.exec(text)?.[1]
  if (said !== undefined) return said.trim()
  if (says !== null) return says
  if (toolOutputs > 0) return 'The tool has answered, and this is the simulated conclusion.'
  return `This is the simulated answer to: ${text.replace(/\s+/g, ' ').slice(0, 80)}`
}

/** The host may quote a prompt again on its way. */
function unescaped(text: string): string {
  for (const candidate of [text, text.replaceAll('\\"', '"')]) {
    try {
      return JSON.stringify(JSON.parse(candidate))
    } catch {
      continue
    }
  }
  return '{}'
}
