/**
 * The proxy for an address, by the environment: `HTTPS_PROXY` or `HTTP_PROXY`, else `ALL_PROXY`, unless `NO_PROXY` names
 * the host. Bun's WebSocket reads none of them by itself (docs/development/facts/opencode-host.md#websocket). Pure.
 */
export function proxyFor(
  url: string,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const { protocol, hostname, port } = new URL(url)
  const isSecure = protocol === 'https:' || protocol === 'wss:'
  const read = (name: string): string | undefined =>
    [env[name.toLowerCase()], env[name]].find((value) => (value ?? '').trim() !== '')?.trim()
  const proxy = read(isSecure ? 'HTTPS_PROXY' : 'HTTP_PROXY') ?? read('ALL_PROXY')
  if (proxy === undefined || !URL.canParse(proxy)) return undefined
  const here = port === '' ? (isSecure ? '443' : '80') : port
  const isExcepted = (read('NO_PROXY') ?? '')
    .split(/[\s,]+/)
    .some((entry) => matches(entry.toLowerCase(), hostname.toLowerCase(), here))
  return isExcepted ? undefined : proxy
}

function matches(entry: string, hostname: string, port: string): boolean {
  if (entry === '*') return true
  const [, name = '', only] = /^\*?\.?([^:]*|\[[^\]]*\])(?::(\d+))?$/.exec(entry) ?? []
  if (name === '' || (only !== undefined && only !== port)) return false
  return hostname === name || hostname.endsWith(`.${name}`)
}
