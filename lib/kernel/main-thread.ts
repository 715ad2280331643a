import { createRequire } from 'node:module'
import type * as Threads from 'node:worker_threads'

/**
 * Whether this is the first thread of the process: `opencode run`, `serve` and `acp` run their server there, a TUI in a Worker.
 * Bun knows it without the module of threads, which brings the streams with it: 3 ms and up to 4 MB at a start.
 */
export function isMainThread(): boolean {
  const { Bun } = globalThis as { readonly Bun?: { readonly isMainThread?: boolean } }
  return (
    Bun?.isMainThread ??
    (createRequire(import.meta.url)('node:worker_threads') as typeof Threads).isMainThread
  )
}
