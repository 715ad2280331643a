import { isRecord } from '../../kernel/json.js'

/** Names of the tools of a request; tools of the backend have no name but a type. Pure. */
export function toolNames(tools: unknown): string[] {
  if (!Array.isArray(tools)) return []
  return tools.flatMap((tool: unknown): string[] => {
    if (!isRecord(tool)) return []
    if (tool.type === 'namespace') return toolNames(tool.tools)
    const name = tool.name ?? tool.type
    return typeof name === 'string' && name !== '' ? [name] : []
  })
}
