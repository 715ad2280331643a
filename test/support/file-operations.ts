import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

import { onTestFinished } from 'vitest'

/** One call of `node:fs`, by any of its three interfaces. */
export interface FileOperation {
  readonly name: string
  readonly target: string
}

/** Helpers that touch no file themselves. */
const HARMLESS = new Set(['watch', 'unwatchFile', 'openAsBlob'])

/**
 * Writes down every call of `node:fs` from here to the end of the test and lets it through. What is done on an open
 * file follows from its `open`.
 */
export function recordFileOperations(): FileOperation[] {
  const operations: FileOperation[] = []
  const undo = [record(fs, operations), record(fs.promises, operations)]
  syncBuiltinESMExports()
  onTestFinished(() => {
    for (const restore of undo) restore()
    // The named exports follow only now that the functions are their own again.
    syncBuiltinESMExports()
  })
  return operations
}

function record(target: Record<string, unknown>, operations: FileOperation[]): () => void {
  const originals = Object.entries(target).filter(
    ([name, value]) => typeof value === 'function' && /^[a-z]/.test(name) && !HARMLESS.has(name),
  )
  for (const [name, original] of originals) {
    const recorded = (...args: unknown[]): unknown => {
      operations.push({ name, target: typeof args[0] === 'string' ? args[0] : '' })
      return (original as (...all: unknown[]) => unknown).apply(target, args)
    }
    target[name] = Object.assign(recorded, original)
  }
  return () => {
    Object.assign(target, Object.fromEntries(originals))
  }
}
