/**
 * What keeps a text from being a base URL that a key may go to, as the end of a sentence; undefined when nothing does. Apart
 * from the error it becomes, because the host's prompt needs it at every start. Pure.
 */
export function problemOfBaseUrl(text: string): string | undefined {
  const trimmed = text.trim()
  if (!URL.canParse(trimmed)) return 'is not a URL; write it like https://codex.example.com'
  const { username, password, protocol, hostname } = new URL(trimmed)
  if (username !== '' || password !== '') return 'must not contain a user name or password'
  if (protocol !== 'https:' && !(protocol === 'http:' && isThisMachine(hostname)))
    return 'must start with https:// (http:// is for this machine only)'
  return undefined
}

function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}
