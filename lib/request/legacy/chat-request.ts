import { dropUndefined } from '../../kernel/drop-undefined.js'
import { isRecord, type JsonRecord } from '../../kernel/text/json.js'
import { inputOfMessages } from './chat-messages.js'

/**
 * Members of chat completions and of the public Responses API that the Codex CLI never sends and the Codex backend has
 * no use for (docs/development/facts/codex-backend.md#request-body).
 */
const FOREIGN_MEMBERS = new Set([
  'audio',
  'frequency_penalty',
  'function_call',
  'functions',
  'logit_bias',
  'logprobs',
  'max_completion_tokens',
  'max_output_tokens',
  'max_tokens',
  'messages',
  'metadata',
  'modalities',
  'n',
  'prediction',
  'presence_penalty',
  'previous_response_id',
  'reasoning_effort',
  'response_format',
  'seed',
  'stop',
  'stream_options',
  'temperature',
  'top_logprobs',
  'top_p',
  'truncation',
  'user',
  'verbosity',
])

/**
 * A request of either API as one of the Responses API: messages, tools, format and effort move to their places there, and
 * members that only the other knows go. Pure.
 */
export function responsesRequest(body: JsonRecord): JsonRecord {
  const kept = Object.fromEntries(Object.entries(body).filter(([key]) => !FOREIGN_MEMBERS.has(key)))
  const tools = toolsOf(body)
  const choice = choiceOf(body)
  const format = formatOf(body.response_format)
  const text = dropUndefined({
    format,
    verbosity: typeof body.verbosity === 'string' ? body.verbosity : undefined,
  })
  return {
    ...kept,
    ...inputOf(body),
    ...dropUndefined({ tools, tool_choice: choice }),
    ...(Object.keys(text).length > 0 && isRecordOrNothing(body.text)
      ? { text: { ...text, ...body.text } }
      : {}),
    ...(typeof body.reasoning_effort === 'string' && isRecordOrNothing(body.reasoning)
      ? { reasoning: { effort: body.reasoning_effort, ...body.reasoning } }
      : {}),
  }
}

function inputOf(body: JsonRecord): JsonRecord {
  if (typeof body.input === 'string')
    return { input: [{ role: 'user', content: [{ type: 'input_text', text: body.input }] }] }
  return !Array.isArray(body.input) && Array.isArray(body.messages)
    ? { input: inputOfMessages(body.messages) }
    : {}
}

function toolsOf(body: JsonRecord): unknown[] | undefined {
  if (Array.isArray(body.tools)) return body.tools.map(flatTool)
  return Array.isArray(body.functions)
    ? body.functions.map((one: unknown) => flatTool({ type: 'function', function: one }))
    : undefined
}

function flatTool(tool: unknown): unknown {
  if (!isRecord(tool)) return tool
  // The Responses API takes a function for strict unless told otherwise; chat completions do not.
  if (tool.type === 'function' && isRecord(tool.function))
    return { type: 'function', strict: false, ...tool.function }
  if (tool.type !== 'custom' || !isRecord(tool.custom)) return tool
  const { format, ...rest } = tool.custom
  const grammar =
    isRecord(format) && isRecord(format.grammar) ? { type: 'grammar', ...format.grammar } : format
  return { type: 'custom', ...rest, ...dropUndefined({ format: grammar }) }
}

function choiceOf(body: JsonRecord): unknown {
  const choice = body.tool_choice ?? body.function_call
  if (!isRecord(choice)) return choice ?? undefined
  if (isRecord(choice.function)) return { type: 'function', name: choice.function.name }
  if (isRecord(choice.custom)) return { type: 'custom', name: choice.custom.name }
  return choice.type === undefined && typeof choice.name === 'string'
    ? { type: 'function', name: choice.name }
    : choice
}

function formatOf(format: unknown): unknown {
  if (!isRecord(format) || format.type === 'text') return undefined
  return isRecord(format.json_schema) ? { type: 'json_schema', ...format.json_schema } : format
}

function isRecordOrNothing(value: unknown): value is Record<string, unknown> | null | undefined {
  return value == null || isRecord(value)
}
