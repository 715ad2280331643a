/** What a prompt is sent with. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** The plugin as the host holds it, after its loader. */
export interface Plugin {
  readonly fetch: Fetch
  dispose(): Promise<void>
}

interface Hooks {
  readonly auth: {
    loader(get: () => Promise<unknown>, provider: unknown): Promise<{ fetch: Fetch }>
  }
  dispose(): Promise<void>
}

/** Starts the built plugin as the host does. Imports nothing: what a fresh process loads is measured. */
export async function startPlugin(
  entry: string,
  { home, auth }: { home: string | undefined; auth: unknown },
): Promise<Plugin> {
  const { default: plugin } = (await import(entry)) as {
    default: { server(input: unknown): Promise<Hooks> }
  }
  const client = {
    app: { log: async () => undefined },
    tui: { showToast: async () => undefined },
    auth: { set: async () => undefined },
  }
  const hooks = await plugin.server({ client, directory: home })
  const { fetch } = await hooks.auth.loader(async () => auth, {})
  return { fetch, dispose: () => hooks.dispose() }
}

/** A prompt as the host sends it. */
export const send = (
  target: Fetch,
  body: string,
  headers: Record<string, string> = {},
): Promise<Response> =>
  target('https://api.openai.com/v1/responses', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'session-id': 'ses_bench', ...headers },
    body,
  })
