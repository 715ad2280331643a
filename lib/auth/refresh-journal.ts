import os from 'node:os'
import path from 'node:path'
import { readdir, readFile, rm } from 'node:fs/promises'
import * as z from 'zod'
import { type DataKey, openText, sealText } from '../accounts/seal.js'
import { systemCode } from '../kernel/errors.js'
import { writeFileAtomic } from '../kernel/json-file.js'
import type { RotatedTokens } from './refresh-rules.js'
import { parsedJson } from '../kernel/json.js'

/** A `started` entry of a process that still runs keeps others from spending the token for this long. */
export const RUNNING_GRACE_MS = 2 * 60_000
/** Entries of account files that are not open here are kept this long; their projects may come back. */
export const JOURNAL_MAX_AGE_MS = 30 * 24 * 3_600_000

const common = {
  /** Account file the spent token came from. */
  pool: z.string(),
  uid: z.string(),
  /** When the refresh was started, epoch ms. */
  startedAt: z.number(),
}

const tokensSchema = z.object({
  accessToken: z.string(),
  refreshToken: z.string(),
  expiresAt: z.number(),
  oauthScope: z.string().optional(),
  planType: z.string().optional(),
})

const sealedSchema = z.object({ keyId: z.string(), sealed: z.string() })

const entrySchema = z.discriminatedUnion('state', [
  /** The token is about to be spent. */
  z.object({ state: z.literal('started'), ...common, host: z.string(), pid: z.number() }),
  /** The new tokens are here, but perhaps not yet in the account file. */
  z.object({ state: z.literal('received'), ...common, tokens: z.union([tokensSchema, sealedSchema]) }),
  /** It did not work this time. */
  z.object({
    state: z.literal('failed'),
    ...common,
    failedAt: z.number(),
    retryAt: z.number(),
    attempts: z.number(),
    /** False when no answer came: the server may have replaced the token all the same. */
    answered: z.boolean(),
  }),
])

/**
 * What is known about the spending of one refresh token. The spent token is never in it: the file name is its hash.
 * Only `received` holds secrets, from the answer of the server until the account file has them.
 */
export type JournalEntry =
  | { state: 'started'; pool: string; uid: string; startedAt: number; host: string; pid: number }
  | { state: 'received'; pool: string; uid: string; startedAt: number; tokens: RotatedTokens }
  | {
      state: 'failed'
      pool: string
      uid: string
      startedAt: number
      failedAt: number
      retryAt: number
      attempts: number
      answered: boolean
    }

/** One small file per refresh token being spent. */
export interface RefreshJournal {
  /**
   * The entry, or undefined when there is none or it cannot be understood.
   * @throws CodexError `keychain_unreachable`: its tokens are sealed, and it is not as if there were none
   */
  read(fingerprint: string): Promise<JournalEntry | undefined>
  /** Durable when it resolves. @throws the system's error */
  write(fingerprint: string, entry: JournalEntry): Promise<void>
  clear(fingerprint: string): Promise<void>
  /** The account file an entry belongs to, and the key its tokens are sealed with. Opens nothing. */
  ownerOf(fingerprint: string): Promise<{ readonly pool: string; readonly keyId?: string } | undefined>
  /** Fingerprints with an entry. */
  list(): Promise<readonly string[]>
}

/** Where the keys of sealed entries come from. */
export interface JournalKeys {
  /** The key that the account file is sealed with now; undefined for a plain one. */
  current(): Promise<DataKey | undefined>
  key(id: string): Promise<DataKey>
}

const SUFFIX = '.json'

/** The journal in a folder, which is made when first needed. Tokens in it are sealed where the account file is. */
export function createRefreshJournal(dir: string, keys?: JournalKeys): RefreshJournal {
  const fileOf = (fingerprint: string): string => path.join(dir, fingerprint + SUFFIX)
  let known: DataKey | undefined

  /** With the intent the key must be had, or nothing is spent; the tokens it brings are kept whatever happens to the file. */
  async function keyFor(entry: JournalEntry): Promise<DataKey | undefined> {
    if (keys === undefined || entry.state === 'failed') return undefined
    known = await keys.current().catch((error: unknown) => {
      if (entry.state === 'started') throw error
      return known
    })
    return known
  }

  async function stored(fingerprint: string): Promise<z.infer<typeof entrySchema> | undefined> {
    const text = await readFile(fileOf(fingerprint), 'utf8').catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    })
    return text === undefined ? undefined : parse(text)
  }

  return {
    read: async (fingerprint) => {
      const entry = await stored(fingerprint)
      if (entry?.state !== 'received' || !('sealed' in entry.tokens)) return entry as JournalEntry | undefined
      const key = await keys?.key(entry.tokens.keyId)
      const tokens = key === undefined ? undefined : tokensFrom(openText(key, placeOf(fingerprint), entry.tokens.sealed))
      return tokens === undefined ? undefined : { ...entry, tokens }
    },
    write: async (fingerprint, entry) => {
      const key = await keyFor(entry)
      const isSealed = key !== undefined && entry.state === 'received'
      const written = isSealed ? { ...entry, tokens: { keyId: key.id, sealed: sealText(key, placeOf(fingerprint), JSON.stringify(entry.tokens)) } } : entry
      await writeFileAtomic(fileOf(fingerprint), JSON.stringify(written))
    },
    clear: (fingerprint) => rm(fileOf(fingerprint), { force: true }),
    ownerOf: async (fingerprint) => {
      const entry = await stored(fingerprint)
      if (entry === undefined) return undefined
      return { pool: entry.pool, ...(entry.state === 'received' && 'sealed' in entry.tokens ? { keyId: entry.tokens.keyId } : {}) }
    },
    list: async () => {
      const names = await readdir(dir).catch(() => [])
      return names.filter((name) => /^[0-9a-f]{32}\.json$/.test(name)).map((name) => name.slice(0, -SUFFIX.length))
    },
  }
}

function placeOf(fingerprint: string): string {
  return `refresh/${fingerprint}`
}

function parse(text: string): z.infer<typeof entrySchema> | undefined {
  const parsed = entrySchema.safeParse(parsedJson(text))
  return parsed.success ? parsed.data : undefined
}

function tokensFrom(text: string | undefined): RotatedTokens | undefined {
  const parsed = tokensSchema.safeParse(parsedJson(text ?? ''))
  return parsed.success ? (parsed.data as RotatedTokens) : undefined
}

/** True while the process that wrote a `started` entry may still hold the answer to it in memory. */
export function isStillRunning(entry: JournalEntry & { state: 'started' }, nowMs: number): boolean {
  const ageMs = nowMs - entry.startedAt
  if (entry.host !== os.hostname() || ageMs < 0 || ageMs > RUNNING_GRACE_MS) return false
  try {
    process.kill(entry.pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}
