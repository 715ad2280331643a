import os from 'node:os'
import * as z from 'zod'

import { type DataKey, openText, sealText } from '../accounts/seal.js'
import { systemCode } from '../kernel/errors.js'
import { parsedJson } from '../kernel/json.js'
import { isProvablyDead, ownIdentity, pidScope } from '../kernel/process-identity.js'
import type { LoginFacts } from './login-copies.js'
import type { RotatedTokens } from './refresh-rules.js'

/** A `started` entry of a process that cannot be looked up from here keeps others from spending the token for this long. */
export const RUNNING_GRACE_MS = 60_000
/** A number of a process says less and less where the system does not tell when it was given. */
const NUMBER_GOOD_FOR_MS = 24 * 3_600_000

/** A token that was lost before: what is known of it goes along until the login is renewed or ended. */
export interface EarlierLoss {
  /** `killed`: the process ended here between spending and storing. `unanswered`: the answer did not come. */
  readonly how: 'killed' | 'unanswered'
  /** Epoch ms. */
  readonly startedAt: number
}

interface Common {
  /** Account file the spent token came from. */
  readonly pool: string
  readonly uid: string
  /** When the refresh was started, epoch ms. */
  readonly startedAt: number
}

/**
 * What is known about the spending of one refresh token. The spent token is never in it: the file name is its hash.
 * Only `received` holds secrets, from the answer of the server until a record has them.
 */
export type JournalEntry =
  /** The token is about to be spent. */
  | (Common & {
      readonly state: 'started'
      readonly host: string
      readonly pid: number
      /** Which process that number was; see `ProcessIdentity`. Earlier versions do not say. */
      readonly scope?: string | undefined
      readonly born?: string | undefined
      readonly loss?: EarlierLoss | undefined
    })
  /** The new tokens are here, but perhaps not yet in the account file. */
  | (Common & {
      readonly state: 'received'
      readonly login?: LoginFacts | undefined
      readonly tokens: RotatedTokens
    })
  /** It did not work this time. */
  | (Common & {
      readonly state: 'failed'
      readonly failedAt: number
      readonly retryAt: number
      readonly attempts: number
      /** False when the server may have replaced the token all the same. */
      readonly answered: boolean
      readonly loss?: EarlierLoss | undefined
    })

export type StartedEntry = JournalEntry & { state: 'started' }
export type ReceivedEntry = JournalEntry & { state: 'received' }

const common = { pool: z.string(), uid: z.string(), startedAt: z.number() }
const text = z.string().optional().catch(undefined)
const time = z.number().optional().catch(undefined)
const loss = z
  .object({ how: z.enum(['killed', 'unanswered']), startedAt: z.number() })
  .optional()
  .catch(undefined)
const login = z
  .object({
    accountId: text,
    accountUserId: text,
    organizationId: text,
    email: text,
    issuedAt: time,
    rotatedAt: time,
    expiresAt: time,
  })
  .optional()
  .catch(undefined)
const tokensSchema = z.object({
  accessToken: text,
  refreshToken: z.string(),
  expiresAt: time,
  oauthScope: text,
  planType: text,
})
const sealedSchema = z.object({ keyId: z.string(), sealed: z.string() })

const entrySchema = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('started'),
    ...common,
    host: z.string(),
    pid: z.number(),
    scope: text,
    born: text,
    loss,
  }),
  z.object({
    state: z.literal('received'),
    ...common,
    login,
    tokens: z.union([tokensSchema, sealedSchema]),
  }),
  z.object({
    state: z.literal('failed'),
    ...common,
    failedAt: z.number(),
    retryAt: z.number(),
    attempts: z.number(),
    answered: z.boolean(),
    loss,
  }),
])

/** An entry as it lies on the disk: its tokens may be sealed. */
export type StoredEntry = z.infer<typeof entrySchema>

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
): RotatedTokens | undefined {
  const parsed = tokensSchema.safeParse(
    parsedJson(openText(key, placeOf(fingerprint), sealed) ?? ''),
  )
  return parsed.success ? (parsed.data as RotatedTokens) : undefined
}

/** The entry with which this process says that it is about to spend a token. */
export function intentOf(base: Common, earlier: EarlierLoss | undefined): StartedEntry {
  const { pid, scope, startedAt: born } = ownIdentity()
  return {
    state: 'started',
    ...base,
    host: os.hostname(),
    pid,
    ...(scope === undefined ? {} : { scope }),
    ...(born === undefined ? {} : { born }),
    ...(earlier === undefined ? {} : { loss: earlier }),
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
  if (isProvablyDead({ pid, scope, ...(born === undefined ? {} : { startedAt: born }) }))
    return false
  const isOfThisBoot = entry.startedAt > nowMs - os.uptime() * 1000
  return born !== undefined || (ageMs <= NUMBER_GOOD_FOR_MS && isOfThisBoot)
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}

function placeOf(fingerprint: string): string {
  return `refresh/${fingerprint}`
}
