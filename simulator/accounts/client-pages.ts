import { detail, json, type Reply } from '../reply.js'
import { recordOf, type SimRequest } from '../world.js'

/**
 * What Codex CLI asks besides: plugins, tools by MCP, settings, statistics. It works without them and says so in its log;
 * with them a run has no warning that a real one has not. No rule and no quota touches them.
 */
const PAGES: Readonly<Record<string, (request: SimRequest) => Reply>> = {
  'GET /backend-api/ps/plugins/installed': () =>
    json(200, {
      plugins: [],
      next_cursor: null,
      pagination: { next_page_token: null, limit: 200 },
    }),
  'GET /backend-api/ps/plugins/list': () =>
    json(200, {
      plugins: [],
      next_cursor: null,
      pagination: { next_page_token: null, limit: 200 },
    }),
  'GET /backend-api/ps/plugins/suggested/codex': () => json(200, { plugins: [], enabled: false }),
  'GET /backend-api/ps/plugins/tooling-state/turtle': () => json(200, {}),
  'POST /backend-api/ps/mcp': mcp,
  'GET /backend-api/ps/mcp': () => detail(405, 'Method Not Allowed'),
  'GET /backend-api/wham/settings/user': () => json(200, {}),
  'GET /backend-api/wham/profiles/me': () => json(200, {}),
  'GET /backend-api/wham/security-setup': () => json(200, {}),
  'POST /backend-api/codex/analytics-events/events': () => json(200, {}),
}

/** Answers one of those, whoever asks; undefined for any other address. */
export function answerClientPage(request: SimRequest): Reply | undefined {
  return PAGES[`${request.method} ${request.path}`]?.(request)
}

/** A server of the Model Context Protocol that offers nothing. */
function mcp(request: SimRequest): Reply {
  const { id, method, params } = (recordOf(request.body) ?? {}) as {
    id?: unknown
    method?: unknown
    params?: { protocolVersion?: unknown }
  }
  // A notification gets no answer.
  if (id === undefined) return { status: 202, headers: {}, body: '' }
  const result = (value: Record<string, unknown>): Reply =>
    json(200, { jsonrpc: '2.0', id, result: value })
  switch (method) {
    case 'initialize':
      return result({
        protocolVersion: params?.protocolVersion ?? '2025-06-18',
        capabilities: { tools: {} },
        serverInfo: { name: 'simulator', version: '1' },
      })
    case 'tools/list':
      return result({ tools: [] })
    case 'resources/list':
      return result({ resources: [] })
    case 'resources/templates/list':
      return result({ resourceTemplates: [] })
    case 'ping':
      return result({})
    default:
      return json(200, {
        jsonrpc: '2.0',
        id,
        error: { code: -32_601, message: 'Method not found' },
      })
  }
}
