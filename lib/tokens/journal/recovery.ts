import { stat } from 'node:fs/promises'
import path from 'node:path'

import { messageOf } from '../../kernel/errors.js'
import { isSamePath } from '../../kernel/files/same-path.js'
import { ANSWER_TIMEOUT_MS } from '../../oauth/login-server.js'
import { adoptNewer } from '../adopt.js'
import type { UnsavedTokens } from '../unsaved-notices.js'
import type { RefreshContext } from '../context.js'
import { underLease } from '../lease.js'
import { placeOfSuccessor } from '../login-facts.js'
import { fingerprintOf, holdsToken } from '../token-rules.js'
import { isStillRunning, type JournalEntry, type ReceivedEntry } from './entry.js'
import { JOURNAL_MAX_AGE_MS, RECEIVED_MAX_AGE_MS } from './journal.js'

/**
 * Looks after what earlier processes left in the journal: brings received tokens into records, revives logins that
 * another file knows better, and drops what nothing needs any more. Never throws.
 */
export async function recoverJournal(context: RefreshContext): Promise<void> {
  const warn = (error: unknown): void =>
    context.log.log('warn', 'An entry of the refresh journal could not be recovered.', {
      reason: messageOf(error),
    })
  for (const fingerprint of await context.journal.list())
    await recoverEntry(context, fingerprint).catch(warn)
  await revive(context).catch(warn)
}

/** New tokens that are not in the account file, here and in other processes of this machine. Never throws. */
export async function unsavedTokens(context: RefreshContext): Promise<readonly UnsavedTokens[]> {
  const held = context.committer.held()
  const ours = new Set(held.map(({ fingerprint }) => fingerprint))
  const others = (await context.journal.list()).filter((fingerprint) => !ours.has(fingerprint))
  const found = await Promise.all(
    others.map((fingerprint) => unsavedElsewhere(context, fingerprint)),
  )
  return [...held, ...found.filter((one) => one !== undefined)]
}

async function recoverEntry(context: RefreshContext, fingerprint: string): Promise<void> {
  const { journal, dir } = context
  const entry = await journal.read(fingerprint)
  await underLease(dir, fingerprint, async () => {
    if (entry?.state === 'received') await recoverReceived(context, fingerprint, entry)
    else if (await isOver(context, fingerprint, entry)) await journal.clear(fingerprint)
  })
}

/**
 * What was received stays until a record has it: a damaged account file may be repaired, and a removed account may come
 * back with a backup. It has to end some time, for the tokens are secrets.
 */
async function recoverReceived(
  { store, journal, committer, clock }: RefreshContext,
  fingerprint: string,
  entry: ReceivedEntry,
): Promise<void> {
  if (Math.abs(clock.now() - entry.startedAt) > RECEIVED_MAX_AGE_MS)
    return journal.clear(fingerprint)
  const spent = { fingerprint, login: entry.login }
  const pool = await store.read()
  const isWanted =
    isSamePath(entry.pool, store.path) ||
    holdsToken(pool, fingerprint) ||
    placeOfSuccessor(pool, spent, entry.tokens, entry.startedAt) !== 'missing'
  if (isWanted) await committer.commit(fingerprint, entry)
}

/** Entries without tokens explain a loss to whatever still has the token; those that cannot be read may be of a later version. */
async function isOver(
  { store, journal, clock }: RefreshContext,
  fingerprint: string,
  entry: Exclude<JournalEntry, ReceivedEntry> | undefined,
): Promise<boolean> {
  const sinceMs = entry?.startedAt ?? (await journal.changedAt(fingerprint)) ?? clock.now()
  if (entry?.state === 'started' && isStillRunning(entry, clock.now())) return false
  if (Math.abs(clock.now() - sinceMs) > JOURNAL_MAX_AGE_MS) return true
  if (entry === undefined || !isSamePath(entry.pool, store.path)) return false
  const pool = await store.read()
  return pool.accounts.length > 0 && !holdsToken(pool, fingerprint)
}

/** An account that had to sign in again need not, where another file of ours has a token of it that works. */
async function revive(context: RefreshContext): Promise<void> {
  for (const account of (await context.store.read()).accounts) {
    const { needsLogin, refreshToken, accessToken } = account
    if (needsLogin !== undefined)
      await adoptNewer(context, account, fingerprintOf(refreshToken), accessToken)
  }
}

async function unsavedElsewhere(
  { journal, clock, committer, dir }: RefreshContext,
  fingerprint: string,
): Promise<UnsavedTokens | undefined> {
  const entry = await journal.read(fingerprint).catch(() => undefined)
  if (
    entry?.state !== 'started' ||
    !isStillRunning(entry, clock.now()) ||
    committer.isConcluded(fingerprint, entry.startedAt)
  )
    return undefined
  const { uid, pid, startedAt: sinceMs } = entry
  // While the lease is held the answer may still be on its way; on a disk that takes nothing its end does not show.
  const isUnderWay =
    Math.abs(clock.now() - sinceMs) < ANSWER_TIMEOUT_MS &&
    (await stat(path.join(dir, `${fingerprint}.lock`)).then(
      () => true,
      () => false,
    ))
  return isUnderWay ? undefined : { uid, place: 'memory', why: '', sinceMs, pid }
}
