import type { ClockJump } from './shifted-clock.js'

/** What a process of the drill does once it is told to go. It stops when it is told to, or when whoever started it is gone. */
export type Job =
  /** Takes a lock again and again and counts in a file beside it. */
  | { readonly kind: 'count'; readonly file: string }
  /** Takes a lock and keeps it. */
  | { readonly kind: 'hold'; readonly file: string }
  /** Changes the note of an account again and again, one higher each time. */
  | { readonly kind: 'write'; readonly home: string; readonly uid: string }
  /** Asks for the token of an account, several times at once. */
  | (Asking & { readonly kind: 'ask' })
  /** Spends the refresh token of an account, whatever its access token is. */
  | (Asking & { readonly kind: 'renew' })
  /** Asks again and again. */
  | (Asking & { readonly kind: 'use'; readonly clock: readonly ClockJump[] })

interface Asking {
  readonly home: string
  readonly uid: string
  readonly issuer: string
}

/** What it tells, one line each. */
export type Told =
  | { readonly told: 'ready' }
  /** It holds the lock. */
  | { readonly told: 'holding' }
  /** A change is surely stored. */
  | { readonly told: 'stored'; readonly note: number }
  /** Turns with the lock, and how many of them ended with the lock lost. */
  | { readonly told: 'counted'; readonly turns: number; readonly lost: number }
  /** What the requests for a token came to; a token is told by its fingerprint. */
  | { readonly told: 'asked'; readonly answers: readonly Answer[] }
  /** It cannot go on. */
  | { readonly told: 'failed'; readonly why: string }

export type Answer =
  | { readonly kind: 'token'; readonly fingerprint: string }
  | { readonly kind: 'refused'; readonly code: string; readonly why: string }

/** Requests at once of one process. */
export const REQUESTS = 3
/** A holder that is silent for this long loses the lock, ms. */
export const LOCK_STALE_MS = 2_000
