/** What a system says of a file that somebody else has open, or that is about to vanish. */
export const BUSY_CODES: readonly string[] = ['EPERM', 'EBUSY', 'EACCES']

/** The system's code of an error; empty where it has none. A start needs this before it needs our table of errors. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : ''
}
