import { CodexError } from '../../kernel/errors.js'

/** A file that could not be used was moved aside; the next look finds none in its place. */
export class MovedAside extends CodexError {
  constructor(file: string, aside: string, why: string) {
    super(
      'store_unreadable',
      `${file} could not be used because ${why}. It was moved to ${aside}.`,
      {
        hint: 'Restore a backup with {import}, or sign in again: {login}',
      },
    )
  }
}

/** A file in our place that is not ours to read. */
export class NotAnAccountFile extends Error {
  override readonly name = 'NotAnAccountFile'
  readonly why: string

  constructor(why: string) {
    super(why)
    this.why = why
  }
}

/** What was moved aside and how to get it back, in whole sentences. */
export function noticeOf({ message }: MovedAside): string {
  return `${message} The accounts in it come back from a backup: {import}`
}

/** A file that is damaged, mended and damaged again is looked at this often before the caller hears of it. */
export const MAX_LOOKS = 3

/** A file that does not hold still. */
export function changing(file: string): CodexError {
  return new CodexError('store_busy', `${file} changed while it was being read.`)
}
