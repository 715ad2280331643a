/** Records that do not have the form of an account wait under this key until somebody repairs them. */
export const UNREADABLE_KEY = 'unreadableAccounts'

/** Records of the file that hold no login that can be read; they wait in it for a repair. Pure. */
export function unreadableRecords(pool: Readonly<Record<string, unknown>>): readonly unknown[] {
  const records = pool[UNREADABLE_KEY] ?? []
  return Array.isArray(records) ? records : [records]
}

/** What to do about records that cannot be read, in one sentence; empty when there are none. Pure. */
export function unreadableText(count: number): string {
  if (count === 0) return ''
  return `${count === 1 ? '1 record' : `${count} records`} of the account file cannot be read and ${count === 1 ? 'is' : 'are'} not listed. Repair: {doctor --fix}`
}
