import { CodexError } from '../kernel/errors.js'
import { assertResponsesRequest, isChatCompletions } from './endpoint.js'
import { headerEntries } from './headers/headers.js'

/** What the host asks for, in any of the forms that `fetch` takes. */
export interface HostRequest {
  readonly text: string
  readonly headers: HeadersInit | undefined
  readonly sessionId: string | undefined
}

/** A longer name of a session is none of the host's, in characters. */
const MAX_SESSION_ID = 256

/** The signal that the host aborts its request with. */
export function signalOf(
  input: RequestInfo | URL,
  init: RequestInit | undefined,
): AbortSignal | undefined {
  return init?.signal ?? requestIn(input)?.signal
}

/** By what it is not: the name of `Request` alone makes Node load its HTTP client, 12 ms, and another copy's is no instance of it. */
function requestIn(input: RequestInfo | URL): Request | undefined {
  return typeof input === 'string' || input instanceof URL ? undefined : input
}

/**
 * Reads the host's request.
 * @param options.chat true where chat completions are rebuilt (legacy mode)
 * @throws CodexError for what the Codex backend does not serve, and for a body that cannot be read
 */
export async function readHostRequest(
  input: RequestInfo | URL,
  init: RequestInit | undefined,
  options: { chat: boolean },
): Promise<HostRequest> {
  const url = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url
  const method = init?.method ?? requestIn(input)?.method ?? 'POST'
  assertResponsesRequest(url)
  if (isChatCompletions(url) && !options.chat) throw chatRefused()
  if (method.toUpperCase() !== 'POST')
    throw new CodexError(
      'bad_request',
      `The Codex backend is asked with POST, not with ${method.slice(0, 10).toUpperCase()}.`,
      { hint: '' },
    )
  const headers = init?.headers ?? requestIn(input)?.headers
  const named = headerEntries(headers).find(([name]) => name.toLowerCase() === 'session-id')?.[1]
  const isName = named !== undefined && named !== '' && named.length <= MAX_SESSION_ID
  return { text: await bodyText(input, init), headers, sessionId: isName ? named : undefined }
}

/** The error for a chat completion where nothing rebuilds it: the backend would not understand its body. */
export function chatRefused(): CodexError {
  return new CodexError(
    'bad_request',
    'The Codex backend serves the Responses API only, not chat completions.',
    {
      hint: 'Ask for responses instead (openai SDK: client.responses.create), or set requestTransformMode to legacy',
    },
  )
}

async function bodyText(input: RequestInfo | URL, init: RequestInit | undefined): Promise<string> {
  const body = init?.body
  if (typeof body === 'string') return whole(body)
  if (body instanceof FormData)
    throw new CodexError('request_not_json', 'The body of the request is a form, not JSON.')
  try {
    if (body != null) return whole(await new Response(body).text())
    return whole((await requestIn(input)?.text()) ?? '')
  } catch (error) {
    if (error instanceof CodexError) throw error
    throw new CodexError(
      'request_not_json',
      'The body of the request could not be read; it may have been used before.',
      { cause: error },
    )
  }
}

function whole(text: string): string {
  if (text === '') throw new CodexError('request_not_json', 'The request has no body.')
  // JSON knows no byte order mark.
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}
