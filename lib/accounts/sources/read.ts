import { parsePool } from '../pool-format.js'
import { isAccountList, readAccountList } from './account-list.js'
import { isCodexAuth, readCodexAuth } from './codex.js'
import { type Found, objectIn, refused } from './found.js'
import { isOpencodeAuth, readOpencodeAuth } from './opencode.js'
import type { ForeignSource } from './places.js'

/**
 * The logins in a file of another program. Pure.
 * @param where path of the file, for the message
 * @param source the program that wrote it; without it the format is told by the content
 * @throws CodexError `invalid_input`, never with anything that stands in the file
 */
export function readForeign(
  source: ForeignSource | undefined,
  text: string,
  where: string,
): Found[] {
  const content = objectIn(text, where)
  switch (source) {
    case 'codex':
      return readCodexAuth(content, where)
    case 'opencode':
      return readOpencodeAuth(content, where)
    case 'codex-auth':
      return isCodexAuth(content) ? readCodexAuth(content, where) : readAccountList(content, where)
    case 'codex-multi-auth':
    case 'oc-chatgpt-multi-auth':
    case 'opencode-codex-auth':
      return 'version' in content ? readPool(text, where) : readAccountList(content, where)
    case undefined:
      if ('version' in content && 'accounts' in content) return readPool(text, where)
      if (isAccountList(content)) return readAccountList(content, where)
      if (isCodexAuth(content)) return readCodexAuth(content, where)
      if (isOpencodeAuth(content)) return readOpencodeAuth(content, where)
      throw refused(where, 'it has no format that is known')
  }
}

function readPool(text: string, where: string): Found[] {
  const parsed = parsePool(text)
  if (parsed.kind === 'newer')
    throw refused(where, `it was written by a newer version (format ${parsed.version})`)
  if (parsed.kind === 'foreign') throw refused(where, parsed.why)
  if (parsed.pool.accounts.length === 0) throw refused(where, 'no account in it has a login')
  return parsed.pool.accounts.map((account) => ({ kind: 'record', account }))
}
