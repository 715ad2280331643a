import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

import { onTestFinished } from 'vitest'

type Operation = 'open' | 'rename' | 'mkdir' | 'readFile'

/**
 * Lets one operation of the file system fail as a system does, up to the end of the test; `open` also where a start does it
 * at once.
 * @param codeFor the system's code for this target, or undefined to let the call through; `call` counts the calls from 1
 * @returns ends it before
 */
export function failFiles(
  operation: Operation,
  codeFor: (target: string, call: number) => string | undefined,
): () => void {
  const functions = fs.promises as unknown as Record<
    Operation,
    (...args: unknown[]) => Promise<unknown>
  >
  const original = functions[operation]
  const { openSync } = fs
  let calls = 0
  const failing = (target: string): void => {
    const code = codeFor(target, (calls += 1))
    if (code !== undefined)
      throw Object.assign(new Error(`${code}: ${operation} '${target}'`), { code })
  }
  functions[operation] = async (...args) => {
    failing(String(args[0]))
    return original.apply(fs.promises, args)
  }
  if (operation === 'open')
    fs.openSync = (...args) => {
      failing(String(args[0]))
      return openSync(...args)
    }
  syncBuiltinESMExports()
  const restore = (): void => {
    functions[operation] = original
    fs.openSync = openSync
    syncBuiltinESMExports()
  }
  onTestFinished(restore)
  return restore
}
