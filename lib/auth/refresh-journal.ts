import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises'
import path from 'node:path'

import type { DataKey } from '../accounts/seal.js'
import { systemCode } from '../kernel/errors.js'
import { writeFileAtomic } from '../kernel/json-file.js'
import {
  entryLine,
  type JournalEntry,
  lastEntry,
  openedTokens,
  type StartedEntry,
  type StoredEntry,
} from './refresh-entry.js'

/**
 * Entries that hold no tokens are kept this long, those that do for much longer: their record may come back with a
 * backup, and after so long a refresh token that nobody used has ended by itself.
 */
export const JOURNAL_MAX_AGE_MS = 30 * 24 * 3_600_000
export const RECEIVED_MAX_AGE_MS = 120 * 24 * 3_600_000

/** Room behind an intent for the line that follows it: the disk gives it before the token is spent. Far more than a line needs. */
const ROOM_BYTES = 16 * 1024

/** The journal file of a token that is being spent, open since before it is. */
export interface OpenEntry {
  /** Writes the line that follows the intent, into the room kept for it; durable when it resolves. Makes, opens and renames nothing. @throws the system's error */
  follow(entry: JournalEntry): Promise<void>
  /** Closes the file. Never throws. */
  close(): Promise<void>
}

/** One small file per refresh token being spent. */
export interface RefreshJournal {
  /**
   * The entry, or undefined when there is none or it cannot be understood.
   * @throws CodexError `keychain_unreachable`: its tokens are sealed, and it is not as if there were none
   */
  read(fingerprint: string): Promise<JournalEntry | undefined>
  /** Puts the intent on the disk and keeps its file open. Nothing must be spent before it resolves. @throws the system's error, `keychain_unreachable` */
  begin(fingerprint: string, intent: StartedEntry): Promise<OpenEntry>
  /** Replaces the entry. Durable when it resolves. @throws the system's error */
  write(fingerprint: string, entry: JournalEntry): Promise<void>
  /** Puts an entry wherever a disk takes it. @returns the folder @throws the system's error of the last one */
  writeAnywhere(fingerprint: string, entry: JournalEntry): Promise<string>
  clear(fingerprint: string): Promise<void>
  /** The account file an entry belongs to, and the key its tokens are sealed with. Opens nothing. */
  ownerOf(
    fingerprint: string,
  ): Promise<{ readonly pool: string; readonly keyId?: string } | undefined>
  /** Fingerprints with an entry. */
  list(): Promise<readonly string[]>
  /** When a file of that name was last changed, epoch ms; for entries that cannot be understood. */
  changedAt(fingerprint: string): Promise<number | undefined>
}

/** Where the keys of sealed entries come from. */
export interface JournalKeys {
  /** The key that the account file is sealed with now; undefined for a plain one. */
  current(): Promise<DataKey | undefined>
  key(id: string): Promise<DataKey>
}

const SUFFIX = '.json'

/**
 * The journal in a folder, which is made when first needed. Tokens in it are sealed where the account file is.
 * @param spareDirs folders that take an entry when the disk of `dir` does not; private to this user
 */
export function createRefreshJournal(
  dir: string,
  keys?: JournalKeys,
  spareDirs: readonly string[] = [],
): RefreshJournal {
  const dirs = [dir, ...spareDirs]
  const fileIn = (folder: string, fingerprint: string): string =>
    path.join(folder, fingerprint + SUFFIX)
  const fileOf = (fingerprint: string): string => fileIn(dir, fingerprint)
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

  async function storedIn(folder: string, fingerprint: string): Promise<StoredEntry | undefined> {
    const found = await readFile(fileIn(folder, fingerprint), 'utf8').catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
      throw error
    })
    return found === undefined ? undefined : lastEntry(found)
  }

  /** Tokens that were received count, wherever they had to be put. */
  async function stored(fingerprint: string): Promise<StoredEntry | undefined> {
    const first = await storedIn(dir, fingerprint)
    if (first?.state === 'received') return first
    for (const folder of spareDirs) {
      const found = await storedIn(folder, fingerprint).catch(() => undefined)
      if (found?.state === 'received') return found
    }
    return first
  }

  async function writeIn(folder: string, fingerprint: string, entry: JournalEntry): Promise<void> {
    await writeFileAtomic(
      fileIn(folder, fingerprint),
      entryLine(fingerprint, entry, await keyFor(entry)),
    )
  }

  async function begin(fingerprint: string, intent: StartedEntry): Promise<OpenEntry> {
    const key = await keyFor(intent)
    const file = fileOf(fingerprint)
    const line = entryLine(fingerprint, intent, undefined)
    await mkdir(dir, { recursive: true, mode: 0o700 })
    await writeFileAtomic(file, `${line}${' '.repeat(ROOM_BYTES)}\n`)
    const handle = await open(file, 'r+')
    const offset = Buffer.byteLength(line)
    return {
      async follow(entry) {
        const bytes = Buffer.from(
          entryLine(fingerprint, entry, entry.state === 'received' ? key : undefined),
        )
        for (let done = 0; done < bytes.length;)
          done += (await handle.write(bytes, done, bytes.length - done, offset + done)).bytesWritten
        await handle.sync()
        // Written into a file that somebody put away meanwhile, it would be kept by nobody.
        const [ours, there] = [
          await handle.stat({ bigint: true }),
          await stat(file, { bigint: true }),
        ]
        if (ours.ino !== there.ino)
          throw Object.assign(new Error(`${file} was replaced`), { code: 'ESTALE' })
      },
      close: () => handle.close().catch(() => undefined),
    }
  }

  return {
    read: async (fingerprint) => {
      const entry = await stored(fingerprint)
      if (entry?.state !== 'received' || !('sealed' in entry.tokens))
        return entry as JournalEntry | undefined
      const key = await keys?.key(entry.tokens.keyId)
      const tokens =
        key === undefined ? undefined : openedTokens(fingerprint, entry.tokens.sealed, key)
      return tokens === undefined ? undefined : { ...entry, tokens }
    },
    begin,
    write: (fingerprint, entry) => writeIn(dir, fingerprint, entry),
    writeAnywhere: async (fingerprint, entry) => {
      let failure: unknown
      for (const folder of dirs) {
        try {
          await writeIn(folder, fingerprint, entry)
          return folder
        } catch (error) {
          failure = error
        }
      }
      throw failure
    },
    clear: async (fingerprint) => {
      // The spare ones first: one that stayed behind would bring back tokens that were spent since.
      for (const folder of spareDirs)
        await rm(fileIn(folder, fingerprint), { force: true }).catch(() => undefined)
      await rm(fileOf(fingerprint), { force: true })
    },
    ownerOf: async (fingerprint) => {
      const entry = await stored(fingerprint)
      if (entry === undefined) return undefined
      return {
        pool: entry.pool,
        ...(entry.state === 'received' && 'sealed' in entry.tokens
          ? { keyId: entry.tokens.keyId }
          : {}),
      }
    },
    list: async () => {
      const names = (
        await Promise.all(dirs.map((folder) => readdir(folder).catch(() => [])))
      ).flat()
      return [
        ...new Set(
          names
            .filter((name) => /^[0-9a-f]{32}\.json$/.test(name))
            .map((name) => name.slice(0, -SUFFIX.length)),
        ),
      ]
    },
    changedAt: async (fingerprint) => {
      const times = await Promise.all(
        dirs.map((folder) =>
          stat(fileIn(folder, fingerprint)).then(
            ({ mtimeMs }) => mtimeMs,
            () => 0,
          ),
        ),
      )
      return Math.max(...times) || undefined
    },
  }
}
