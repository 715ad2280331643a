import type { Runtime } from '../../runtime.js'

/** How bad a finding is. */
export type Severity = 'ok' | 'warning' | 'error'

/** What one check found. */
export interface Finding {
  /** Stable name, the heading in docs/troubleshooting.md. */
  readonly id: string
  readonly severity: Severity
  readonly summary: string
  /** What to do; empty when nothing. */
  readonly action: string
  /** Repairs it; only where that is safe. */
  readonly fix?: Fix
}

/** @returns what was repaired, as the end of a sentence */
type Fix = () => Promise<string>

/** Looks for one kind of trouble. */
export type Check = (runtime: Runtime, signal: AbortSignal) => Promise<readonly Finding[]>

export function ok(id: string, summary: string): Finding {
  return { id, severity: 'ok', summary, action: '' }
}

export function warning(id: string, summary: string, action = '', fix?: Fix): Finding {
  return { id, severity: 'warning', summary, action, ...(fix && { fix }) }
}

export function failed(id: string, summary: string, action = '', fix?: Fix): Finding {
  return { id, severity: 'error', summary, action, ...(fix && { fix }) }
}
