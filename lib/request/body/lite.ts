import { dropUndefined } from '../../kernel/drop-undefined.js'
import { isRecord, type JsonRecord, parsedJson } from '../../kernel/text/json.js'

/** Says that the body has the Lite shape. Goes out with a body of `liteBody` and never without. */
export const LITE_HEADERS = { 'x-openai-internal-codex-responses-lite': 'true' } as const

/** Tools of the host go where the Codex CLI keeps its own. */
const NAMESPACE = 'functions'

/**
 * The body in the Responses Lite shape (docs/development/facts/codex-backend.md#responses-lite): tools and instructions
 * stand at the head of the input, calls come one at a time, reasoning of all turns counts. Pure.
 * @returns undefined when the request cannot have that shape: it has tools of the backend's own, or leaves the model no
 * free choice of its tools, neither of which the Codex CLI does there
 */
export function liteBody(text: string): string | undefined {
  const body = parsedJson(text)
  if (!isRecord(body) || !Array.isArray(body.input)) return undefined
  const { tools, instructions, input, reasoning, ...rest } = body
  const groups = toolGroups(tools)
  if (
    groups === undefined ||
    (rest.tool_choice != null && rest.tool_choice !== 'auto') ||
    (reasoning != null && !isRecord(reasoning))
  )
    return undefined
  return JSON.stringify({
    ...rest,
    input: [
      ...(groups.length === 0
        ? []
        : [{ type: 'additional_tools', role: 'developer', tools: groups }]),
      ...(typeof instructions === 'string' && instructions !== ''
        ? [
            {
              type: 'message',
              role: 'developer',
              content: [{ type: 'input_text', text: instructions }],
            },
          ]
        : []),
      ...input.map(withoutDetail),
    ],
    parallel_tool_calls: false,
    reasoning: { ...reasoning, context: 'all_turns' },
  })
}

function toolGroups(tools: unknown): JsonRecord[] | undefined {
  if (tools == null) return []
  if (!Array.isArray(tools)) return undefined
  const plain = tools.filter(
    (tool) => isRecord(tool) && (tool.type === 'function' || tool.type === 'custom'),
  )
  const groups = tools.filter((tool) => isRecord(tool) && tool.type === 'namespace')
  if (plain.length + groups.length < tools.length) return undefined
  const own =
    plain.length === 0
      ? []
      : [{ type: 'namespace', name: NAMESPACE, description: '', tools: plain }]
  return [...own, ...(groups as JsonRecord[])]
}

/** Pictures carry no `detail` in this shape (docs/development/facts/other-plugins.md#responses-lite). */
function withoutDetail(item: unknown): unknown {
  if (!isRecord(item)) return item
  const content = partsWithoutDetail(item.content)
  const output = partsWithoutDetail(item.output)
  return content === item.content && output === item.output
    ? item
    : { ...item, ...dropUndefined({ content, output }) }
}

function partsWithoutDetail(parts: unknown): unknown {
  if (
    !Array.isArray(parts) ||
    !parts.some((part) => isRecord(part) && part.type === 'input_image' && 'detail' in part)
  )
    return parts
  return parts.map((part: unknown) => {
    if (!isRecord(part) || part.type !== 'input_image') return part
    const { detail: _detail, ...rest } = part
    return rest
  })
}
