import type { Account } from '../accounts/account.js'
import { CodexError, isCodexError } from '../kernel/errors.js'
import type { RefreshReason } from '../oauth/oauth-client.js'
import { currentRecord, type RefreshContext } from './context.js'
import {
  type EarlierLoss,
  intentOf,
  isStillRunning,
  type JournalEntry,
  lossIn,
  type ReceivedEntry,
} from './journal/entry.js'
import type { OpenEntry } from './journal/journal.js'
import type { Lease } from './lease.js'
import { factsOf } from './login-facts.js'
import { reasonOf } from './texts.js'
import { isUsableInstead, pauseMs } from './token-rules.js'

/** A record with a token other than the unwanted one. */
export interface Refreshed {
  readonly account: Account
  /** True when this process spent the refresh token; false when it adopted what another one stored. */
  readonly rotated: boolean
}

/** What spending a refresh token came to. */
export type SpendResult =
  | { readonly kind: 'refreshed'; readonly refreshed: Refreshed }
  /** The account changed meanwhile and must be looked at again. */
  | { readonly kind: 'again' }
  /** The login server says that this token is dead. */
  | {
      readonly kind: 'refused'
      readonly code: string
      readonly loss: EarlierLoss | undefined
      readonly file: OpenEntry
      readonly startedAt: number
    }

/** One refresh token to spend, under its lease. */
export interface SpendRequest {
  readonly account: Account
  readonly fingerprint: string
  readonly reason: RefreshReason
  /** The access token that is due, expired or refused. */
  readonly unwanted: string | undefined
  readonly lease: Lease
}

/**
 * Spends one refresh token; the only place that does. The order makes every crash explainable: the journal file made,
 * open and on the disk with the intent; lease still held; request; new tokens into the open file; new tokens into the
 * account file and its copies; journal cleared.
 * @throws CodexError `refresh_failed`, `store_not_written` (nothing was spent)
 */
export async function spendRefreshToken(
  context: RefreshContext,
  request: SpendRequest,
): Promise<SpendResult> {
  const { clock, committer } = context
  const { account, fingerprint, reason, lease } = request
  const earlier = await readJournal(context, request)
  if (earlier?.state === 'received') return finishEarlier(context, request, earlier)
  throwIfPending(context, request, earlier)

  const base = { pool: context.store.path, uid: account.uid, startedAt: clock.now() }
  const loss = lossIn(earlier)
  // Also proves that the disk takes writes: a token whose successor cannot be stored is not spent.
  const file = await context.journal
    .begin(fingerprint, intentOf(base, loss))
    .catch((error: unknown) => {
      throw notRefreshed(context, account, 'its successor could not be written to the disk', error)
    })
  const conclude = (entry: JournalEntry | undefined): Promise<void> =>
    committer.conclude(fingerprint, { startedAt: base.startedAt, file, entry })

  // The last moment to turn back: from here on the token is spent.
  try {
    lease.assertHeld()
  } catch (error) {
    // Nothing was spent: an intent that stayed would keep the others waiting for its result.
    await conclude(undefined)
    throw error
  }
  const outcome = await context.refreshGrant(account.refreshToken ?? '', reason)
  switch (outcome.kind) {
    case 'rotated': {
      const { tokens } = outcome
      const entry = { state: 'received', ...base, login: factsOf(account), tokens } as const
      const place = await committer.commit(fingerprint, entry, file)
      context.memory.endPause(account.uid)
      // What is held is known without the file, which may not be there any more.
      const fresh =
        place === 'file' || place === 'gone'
          ? await currentRecord(context, account)
          : committer.overlay(account)
      if (tokens.accessToken === undefined) {
        const failedAt = clock.now()
        throw pauseFor(context, fresh, failedAt, failedAt + pauseMs(1, undefined, context.random()))
      }
      return { kind: 'refreshed', refreshed: { account: fresh, rotated: true } }
    }
    case 'refused':
      return { kind: 'refused', code: outcome.code, loss, file, startedAt: base.startedAt }
    case 'failed': {
      const { answered, detail, retryAfterMs } = outcome
      const attempts = (earlier?.state === 'failed' ? earlier.attempts : 0) + 1
      const failedAt = clock.now()
      const retryAt = failedAt + pauseMs(attempts, retryAfterMs, context.random())
      const note = { detail, attempts }
      context.log.log('warn', `Refresh for ${context.label(account)} did not work.`, note)
      await conclude({ state: 'failed', ...base, failedAt, retryAt, attempts, answered, loss })
      throw pauseFor(context, account, failedAt, retryAt)
    }
  }
}

/** A process was killed between the answer of the server and the account file; the journal has what it received. */
async function finishEarlier(
  { committer, clock, log, label, store }: RefreshContext,
  { account, fingerprint, unwanted }: SpendRequest,
  entry: ReceivedEntry,
): Promise<SpendResult> {
  log.log('info', `Finishing a refresh for ${label(account)} that was cut off.`)
  const login = entry.login ?? factsOf(account)
  const place = await committer.commit(fingerprint, { ...entry, login })
  if (place === 'file' || place === 'gone') return { kind: 'again' }
  const held = committer.overlay(account)
  if (isUsableInstead(held, unwanted, clock.now()))
    return { kind: 'refreshed', refreshed: { account: held, rotated: false } }
  throw new CodexError(
    'store_not_written',
    `${label(account)}: new tokens cannot be written to ${store.path}.`,
  )
}

function throwIfPending(
  context: RefreshContext,
  { account, fingerprint, reason }: SpendRequest,
  earlier: JournalEntry | undefined,
): void {
  const now = context.clock.now()
  if (
    earlier?.state === 'started' &&
    isStillRunning(earlier, now) &&
    !context.committer.isConcluded(fingerprint, earlier.startedAt)
  ) {
    const { pid, startedAt: sinceMs } = earlier
    context.onUnsaved({ uid: account.uid, place: 'memory', why: '', sinceMs, pid })
    throw new CodexError(
      'refresh_failed',
      `${context.label(account)}: process ${pid} started a refresh and has not saved the result yet.`,
      { hint: 'Check free space and permissions: {doctor}' },
    )
  }
  const isPaused = earlier?.state === 'failed' && now >= earlier.failedAt && now < earlier.retryAt
  if (isPaused && reason !== 'forced')
    throw pauseFor(context, account, earlier.failedAt, earlier.retryAt)
}

function pauseFor(
  { memory, label }: RefreshContext,
  account: Account,
  fromMs: number,
  untilMs: number,
): CodexError {
  const error = new CodexError(
    'refresh_failed',
    `${label(account)}: the login server did not refresh the token.`,
    { hint: 'Wait a moment and send the prompt again; if this keeps happening: {doctor}' },
  )
  memory.pause(account.uid, fromMs, untilMs, error)
  return error
}

/** A journal that cannot be read may hold the successor: nothing is spent then. */
async function readJournal(
  context: RefreshContext,
  { account, fingerprint }: SpendRequest,
): Promise<JournalEntry | undefined> {
  try {
    return await context.journal.read(fingerprint)
  } catch (error) {
    throw isCodexError(error)
      ? error
      : notRefreshed(context, account, 'the refresh journal cannot be read', error)
  }
}

function notRefreshed(
  { label }: RefreshContext,
  account: Account,
  why: string,
  error: unknown,
): CodexError {
  return new CodexError(
    'store_not_written',
    `${label(account)}: the token was not refreshed because ${why} (${reasonOf(error)}).`,
    { cause: error, hint: 'Check free space and permissions: {doctor}' },
  )
}
