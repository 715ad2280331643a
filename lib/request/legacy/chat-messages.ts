import { dropUndefined } from '../../kernel/drop-undefined.js'
import { isRecord, type JsonRecord } from '../../kernel/text/json.js'

/**
 * The `messages` of a chat completion as `input` of the Responses API, in their order. What has an unknown shape passes
 * as it is. Pure.
 */
export function inputOfMessages(messages: readonly unknown[]): unknown[] {
  const customIds = new Set<string>()
  /** Calls of the oldest form have no id: name → ids given here that still wait for their result. */
  const unanswered = new Map<string, string[]>()
  return messages.flatMap((message: unknown, index): unknown[] => {
    if (!isRecord(message)) return [message]
    switch (message.role) {
      case 'system':
      case 'developer':
        return messageItem('developer', message, 'input_text')
      case 'user':
        return messageItem('user', message, 'input_text')
      case 'assistant':
        return assistantItems(message, index)
      case 'tool': {
        const id = message.tool_call_id
        if (typeof id !== 'string') return [message]
        return [
          {
            type: customIds.has(id) ? 'custom_tool_call_output' : 'function_call_output',
            call_id: id,
            output: outputOf(message.content),
          },
        ]
      }
      case 'function': {
        if (typeof message.name !== 'string') return [message]
        const id = unanswered.get(message.name)?.shift() ?? `call_${message.name}_${index}`
        return [{ type: 'function_call_output', call_id: id, output: outputOf(message.content) }]
      }
      default:
        return [message]
    }
  })

  function assistantItems(message: JsonRecord, index: number): unknown[] {
    const calls = Array.isArray(message.tool_calls) ? message.tool_calls.map(callItem) : []
    const single = isRecord(message.function_call) ? [singleCall(message.function_call, index)] : []
    const refusal =
      typeof message.refusal === 'string' && message.refusal !== ''
        ? [{ role: 'assistant', content: [{ type: 'refusal', refusal: message.refusal }] }]
        : []
    const isEmpty = message.content == null || message.content === ''
    const text = isEmpty ? [] : messageItem('assistant', message, 'output_text')
    const items = [...text, ...refusal, ...calls, ...single]
    return items.length === 0
      ? messageItem('assistant', { ...message, content: '' }, 'output_text')
      : items
  }

  function callItem(call: unknown): unknown {
    if (!isRecord(call)) return call
    if (isRecord(call.custom)) {
      if (typeof call.id === 'string') customIds.add(call.id)
      return {
        type: 'custom_tool_call',
        call_id: call.id,
        name: call.custom.name,
        input: call.custom.input,
      }
    }
    return isRecord(call.function)
      ? {
          type: 'function_call',
          call_id: call.id,
          name: call.function.name,
          arguments: call.function.arguments,
        }
      : call
  }

  function singleCall(call: JsonRecord, index: number): unknown {
    const name = typeof call.name === 'string' ? call.name : ''
    const id = `call_${name}_${index}`
    unanswered.set(name, [...(unanswered.get(name) ?? []), id])
    return { type: 'function_call', call_id: id, name: call.name, arguments: call.arguments }
  }
}

function messageItem(
  role: string,
  message: JsonRecord,
  text: 'input_text' | 'output_text',
): unknown[] {
  const { content } = message
  if (typeof content === 'string') return [{ role, content: [{ type: text, text: content }] }]
  return Array.isArray(content)
    ? [{ role, content: content.map((part: unknown) => partOf(part, text)) }]
    : [message]
}

function partOf(part: unknown, text: 'input_text' | 'output_text'): unknown {
  if (!isRecord(part)) return part
  switch (part.type) {
    case 'text':
      return { type: text, text: part.text }
    case 'image_url': {
      const image = isRecord(part.image_url) ? part.image_url : { url: part.image_url }
      return {
        type: 'input_image',
        image_url: image.url,
        ...dropUndefined({ detail: image.detail }),
      }
    }
    case 'file':
      return isRecord(part.file) ? { type: 'input_file', ...part.file } : part
    default:
      return part
  }
}

/** A result: text as a string, anything richer as a list of parts. */
function outputOf(content: unknown): unknown {
  if (!Array.isArray(content))
    return typeof content === 'string' ? content : content == null ? '' : JSON.stringify(content)
  const texts = content.flatMap((part: unknown) =>
    isRecord(part) && part.type === 'text' && typeof part.text === 'string' ? [part.text] : [],
  )
  return texts.length === content.length
    ? texts.join('\n')
    : content.map((part: unknown) => partOf(part, 'input_text'))
}
