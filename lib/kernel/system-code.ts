/** The `code` of a Node system error (`ENOENT`, `EACCES`, …), if it is one. A start needs this before our table of errors. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

/** What a system says of a file that somebody else has open, or that is about to vanish. */
const BUSY_CODES: readonly string[] = ['EPERM', 'EBUSY', 'EACCES']

/** Whether a system's error may mean that somebody else has the file just now. Elsewhere than on Windows it may mean permission. */
export function isBusy(error: unknown): boolean {
  return BUSY_CODES.includes(systemCode(error) ?? '')
}
