import os from 'node:os'
import * as s from '../../kernel/shape.js'

import type { DataKey } from '../../accounts/keychain/data-key.js'
import { openText, sealText } from '../../accounts/keychain/seal.js'
import { dropUndefined } from '../../kernel/drop-undefined.js'
import { parsedJson } from '../../kernel/text/json.js'
import {
  exists,
  isProvablyDead,
  ownIdentity,
  pidScope,
} from '../../kernel/lock/process-identity.js'
import type { TokenSet } from '../../oauth/token-set.js'
import { loginFactsSchema } from '../login-facts.js'

/** A `started` entry of a process that cannot be looked up from here keeps others from spending the token for this long. */
export const RUNNING_GRACE_MS = 60_000
/** A process number is trusted this long where the system does not say when the process started. */
const NUMBER_GOOD_FOR_MS = 24 * 3_600_000

const common = {
  /** Account file the spent token came from. */
  pool: s.string(),
  uid: s.string(),
  /** When the refresh was started, epoch ms. */
  startedAt: s.number(),
}
const text = s.string().optional().catch(undefined)
const lossSchema = s.object({
  /** `killed`: the process ended here between spending and storing. `unanswered`: the answer did not come. */
  how: s.oneOf(['killed', 'unanswered']),
  /** Epoch ms. */
  startedAt: s.number(),
})
/** A token that was lost before: what is known of it goes along until the login is renewed or ended. */
const loss = lossSchema.optional().catch(undefined)
const tokensSchema = s.object({
  accessToken: text,
  refreshToken: s.string(),
  expiresAt: s.number().optional().catch(undefined),
  oauthScope: text,
  planType: text,
})

/**
 * What is known about the spending of one refresh token. The spent token is never in it: the file name is its hash.
 * Only `received` holds secrets, from the answer of the server until a record has them.
 */
const entrySchema = s.union([
  /** The token is about to be spent. */
  s.object({
    state: s.literal('started'),
    ...common,
    host: s.string(),
    pid: s.number(),
    /** Which process that number was; see `ProcessIdentity`. Earlier versions do not say. */
    scope: text,
    born: text,
    loss,
  }),
  /** The new tokens are here, but perhaps not yet in the account file. */
  s.object({
    state: s.literal('received'),
    ...common,
    login: loginFactsSchema.optional().catch(undefined),
    tokens: s.union([tokensSchema, s.object({ keyId: s.string(), sealed: s.string() })]),
  }),
  /** It did not work this time. */
  s.object({
    state: s.literal('failed'),
    ...common,
    failedAt: s.number(),
    retryAt: s.number(),
    attempts: s.number(),
    /** False when the server may have replaced the token all the same. */
    answered: s.boolean(),
    loss,
  }),
])

export type EarlierLoss = Readonly<s.Infer<typeof lossSchema>>
/** An entry as it lies on the disk: its tokens may be sealed. */
export type StoredEntry = Readonly<s.Infer<typeof entrySchema>>
export type StartedEntry = Extract<StoredEntry, { state: 'started' }>
export type ReceivedEntry = Omit<Extract<StoredEntry, { state: 'received' }>, 'tokens'> & {
  readonly tokens: TokenSet
}
export type JournalEntry = Exclude<StoredEntry, { state: 'received' }> | ReceivedEntry

/** One line of a journal file. Tokens are sealed where there is a key. */
export function entryLine(
  fingerprint: string,
  entry: JournalEntry,
  key: DataKey | undefined,
): string {
  const isSealed = key !== undefined && entry.state === 'received'
  const written = isSealed
    ? {
        ...entry,
        tokens: {
          keyId: key.id,
          sealed: sealText(key, placeOf(fingerprint), JSON.stringify(entry.tokens)),
        },
      }
    : entry
  return `${JSON.stringify(written)}\n`
}

/**
 * What a journal file says: its last whole line. A line that was cut off by a kill, and the blanks that keep room for the
 * next one, are as if they were not there. Files of earlier versions are one line. Pure.
 */
export function lastEntry(fileText: string): StoredEntry | undefined {
  for (const line of fileText.split('\n').reverse()) {
    if (line.trim() === '') continue
    const parsed = entrySchema.safeParse(parsedJson(line))
    if (parsed.success) return parsed.data
  }
  return undefined
}

/** The tokens of an entry that was sealed; undefined when they do not open. Pure. */
export function openedTokens(
  fingerprint: string,
  sealed: string,
  key: DataKey,
): TokenSet | undefined {
  const text = openText(key, placeOf(fingerprint), sealed) ?? ''
  const tokens = tokensSchema.safeParse(parsedJson(text)).data
  return tokens === undefined ? undefined : dropUndefined(tokens)
}

/** The entry with which this process says that it is about to spend a token. */
export function intentOf(
  base: Pick<StartedEntry, keyof typeof common>,
  loss: EarlierLoss | undefined,
): StartedEntry {
  const { pid, scope, startedAt: born } = ownIdentity()
  return {
    state: 'started',
    ...base,
    host: os.hostname(),
    pid,
    ...dropUndefined({ scope, born, loss }),
  }
}

/** What an entry of the past says about a token that was lost. */
export function lossIn(earlier: JournalEntry | undefined): EarlierLoss | undefined {
  if (earlier === undefined || earlier.state === 'received') return undefined
  if (earlier.loss !== undefined) return earlier.loss
  if (earlier.state === 'started') return { how: 'killed', startedAt: earlier.startedAt }
  return earlier.answered ? undefined : { how: 'unanswered', startedAt: earlier.startedAt }
}

/**
 * True while the process that wrote a `started` entry may still hold the answer to it in memory. As long as it lives,
 * whatever the time: it keeps new tokens that no disk takes.
 */
export function isStillRunning(entry: StartedEntry, nowMs: number): boolean {
  const { scope, pid, born } = entry
  const ageMs = Math.abs(nowMs - entry.startedAt)
  if (scope === undefined)
    return entry.host === os.hostname() && ageMs <= RUNNING_GRACE_MS && exists(pid)
  if (scope !== pidScope()) return ageMs <= RUNNING_GRACE_MS
  if (isProvablyDead(dropUndefined({ pid, scope, startedAt: born }))) return false
  const isOfThisBoot = entry.startedAt > nowMs - os.uptime() * 1000
  return born !== undefined || (ageMs <= NUMBER_GOOD_FOR_MS && isOfThisBoot)
}

function placeOf(fingerprint: string): string {
  return `refresh/${fingerprint}`
}
