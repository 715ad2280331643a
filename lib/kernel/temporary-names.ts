import { randomBytes } from 'node:crypto'
import path from 'node:path'

import { pidScope } from './process-identity.js'

/** `.<target>.<pid>-<scope>-<random>.tmp`; the scope is missing where the system does not tell it, and in earlier versions. */
const PATTERN = /^\.(.+)\.(\d{1,10})-(?:([0-9a-f]{8})-)?[0-9a-f]{12}\.tmp$/s

/** The name of a new temporary file beside `target`: hidden, unique, and telling which process makes it. */
export function temporaryNameFor(target: string): string {
  const scope = pidScope()
  const maker = scope === undefined ? String(process.pid) : `${process.pid}-${scope}`
  return `.${path.basename(target)}.${maker}-${randomBytes(6).toString('hex')}.tmp`
}

/** What the name of a temporary file of ours tells; undefined for everybody else's files. */
export function parseTemporaryName(
  name: string,
): { readonly target: string; readonly pid: number; readonly scope?: string } | undefined {
  const [, target, pid, scope] = PATTERN.exec(name) ?? []
  if (target === undefined || pid === undefined) return undefined
  return { target, pid: Number(pid), ...(scope === undefined ? {} : { scope }) }
}
