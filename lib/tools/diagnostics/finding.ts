/** How bad a finding is. */
export type Severity = 'ok' | 'warning' | 'error'

/** What one check of codex-doctor found. */
export interface Finding {
  /** Stable name, the heading in docs/troubleshooting.md. */
  readonly id: string
  readonly severity: Severity
  readonly summary: string
  /** What to do; empty when nothing. */
  readonly action: string
  /** Repairs it; only where that is safe. */
  readonly fix?: () => Promise<string>
}

/** The finding of a check that has nothing to complain of. */
export function ok(id: string, summary: string): Finding {
  return { id, severity: 'ok', summary, action: '' }
}
