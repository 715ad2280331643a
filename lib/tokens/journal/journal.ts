import { open, readdir, readFile, rm, stat } from 'node:fs/promises'
import path from 'node:path'

import type { DataKey } from '../../accounts/keychain/data-key.js'
import { dropUndefined } from '../../kernel/drop-undefined.js'
import { systemCode } from '../../kernel/system-code.js'
import { makeFolders } from '../../kernel/make-folders.js'
import { patiently } from '../../kernel/files/patience.js'
import { syncFile, writeFileAtomic } from '../../kernel/files/replace-file.js'
import {
  entryLine,
  type JournalEntry,
  lastEntry,
  openedTokens,
  type StartedEntry,
  type StoredEntry,
} from './entry.js'

/**
 * Entries that hold no tokens are kept this long, those that do for much longer: their record may come back with a
 * backup, and after so long an unused refresh token has expired.
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

/** Where the keys of sealed entries come from. */
interface JournalKeys {
  /** The key that the account file is sealed with now; undefined for a plain one. */
  current(): Promise<DataKey | undefined>
  key(id: string): Promise<DataKey>
}

const SUFFIX = '.json'

/** One small file per refresh token being spent, in a folder that is made when first needed. Tokens in it are sealed where the account file is. */
export class RefreshJournal {
  readonly #dir: string
  readonly #keys: JournalKeys | undefined
  readonly #spareDirs: readonly string[]
  /** The key of the last intent. */
  #known: DataKey | undefined

  /** @param spareDirs folders that take an entry when the disk of `dir` does not; private to this user */
  constructor(dir: string, keys?: JournalKeys, spareDirs: readonly string[] = []) {
    this.#dir = dir
    this.#keys = keys
    this.#spareDirs = spareDirs
  }

  /**
   * The entry, or undefined when there is none or it cannot be understood.
   * @throws CodexError `keychain_unreachable`: its tokens are sealed, and it is not as if there were none
   */
  async read(fingerprint: string): Promise<JournalEntry | undefined> {
    const entry = await this.#stored(fingerprint)
    if (entry?.state !== 'received') return entry
    const { tokens } = entry
    if (!('sealed' in tokens)) return { ...entry, tokens: dropUndefined(tokens) }
    const key = await this.#keys?.key(tokens.keyId)
    const opened = key === undefined ? undefined : openedTokens(fingerprint, tokens.sealed, key)
    return opened === undefined ? undefined : { ...entry, tokens: opened }
  }

  /** Puts the intent on the disk and keeps its file open. Nothing must be spent before it resolves. @throws the system's error, `keychain_unreachable` */
  async begin(fingerprint: string, intent: StartedEntry): Promise<OpenEntry> {
    const key = await this.#keyFor(intent)
    const file = fileIn(this.#dir, fingerprint)
    const line = entryLine(fingerprint, intent, undefined)
    await makeFolders(this.#dir)
    await writeFileAtomic(file, `${line}${' '.repeat(ROOM_BYTES)}\n`)
    const handle = await patiently('change', () => open(file, 'r+'))
    const offset = Buffer.byteLength(line)
    return {
      async follow(entry) {
        const bytes = Buffer.from(
          entryLine(fingerprint, entry, entry.state === 'received' ? key : undefined),
        )
        for (let done = 0; done < bytes.length;)
          done += (await handle.write(bytes, done, bytes.length - done, offset + done)).bytesWritten
        await syncFile(handle)
        // Written into a file that was moved away meanwhile, it would be lost.
        const ours = await handle.stat({ bigint: true })
        const there = await stat(file, { bigint: true })
        if (ours.ino !== there.ino)
          throw Object.assign(new Error(`${file} was replaced`), { code: 'ESTALE' })
      },
      close: () => handle.close().catch(() => undefined),
    }
  }

  /** Replaces the entry. Durable when it resolves. @throws the system's error */
  write(fingerprint: string, entry: JournalEntry): Promise<void> {
    return this.#writeIn(this.#dir, fingerprint, entry)
  }

  /** Puts an entry wherever a disk takes it. @returns the folder @throws the system's error of the last one */
  async writeAnywhere(fingerprint: string, entry: JournalEntry): Promise<string> {
    let failure: unknown
    for (const folder of this.#dirs()) {
      try {
        await this.#writeIn(folder, fingerprint, entry)
        return folder
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  async clear(fingerprint: string): Promise<void> {
    // The spare ones first: one that stayed behind would bring back tokens that were spent since.
    for (const folder of this.#spareDirs)
      await patiently('change', () => rm(fileIn(folder, fingerprint), { force: true })).catch(
        () => undefined,
      )
    const main = fileIn(this.#dir, fingerprint)
    await patiently('change', () => rm(main, { force: true }))
  }

  /** The account file an entry belongs to, and the key its tokens are sealed with. Opens nothing. */
  async ownerOf(
    fingerprint: string,
  ): Promise<{ readonly pool: string; readonly keyId?: string } | undefined> {
    const entry = await this.#stored(fingerprint)
    if (entry === undefined) return undefined
    const isSealed = entry.state === 'received' && 'sealed' in entry.tokens
    return { pool: entry.pool, ...(isSealed ? { keyId: entry.tokens.keyId } : {}) }
  }

  /** Fingerprints with an entry. */
  async list(): Promise<readonly string[]> {
    const names = await Promise.all(this.#dirs().map((folder) => readdir(folder).catch(() => [])))
    const entries = names.flat().filter((name) => /^[0-9a-f]{32}\.json$/.test(name))
    return [...new Set(entries.map((name) => name.slice(0, -SUFFIX.length)))]
  }

  /** When a file of that name was last changed, epoch ms; for entries that cannot be understood. */
  async changedAt(fingerprint: string): Promise<number | undefined> {
    const files = this.#dirs().map((folder) => fileIn(folder, fingerprint))
    const found = await Promise.all(files.map((file) => stat(file).catch(() => undefined)))
    return Math.max(...found.map((one) => one?.mtimeMs ?? 0)) || undefined
  }

  #dirs(): readonly string[] {
    return [this.#dir, ...this.#spareDirs]
  }

  /** With the intent the key must be had, or nothing is spent; the tokens it brings are kept whatever happens to the file. */
  async #keyFor(entry: JournalEntry): Promise<DataKey | undefined> {
    if (this.#keys === undefined || entry.state === 'failed') return undefined
    this.#known = await this.#keys.current().catch((error: unknown) => {
      if (entry.state === 'started') throw error
      return this.#known
    })
    return this.#known
  }

  /** Tokens that were received count, wherever they had to be put. */
  async #stored(fingerprint: string): Promise<StoredEntry | undefined> {
    const first = await storedIn(this.#dir, fingerprint)
    if (first?.state === 'received') return first
    for (const folder of this.#spareDirs) {
      const found = await storedIn(folder, fingerprint).catch(() => undefined)
      if (found?.state === 'received') return found
    }
    return first
  }

  async #writeIn(folder: string, fingerprint: string, entry: JournalEntry): Promise<void> {
    const line = entryLine(fingerprint, entry, await this.#keyFor(entry))
    await writeFileAtomic(fileIn(folder, fingerprint), line)
  }
}

function fileIn(folder: string, fingerprint: string): string {
  return path.join(folder, fingerprint + SUFFIX)
}

async function storedIn(folder: string, fingerprint: string): Promise<StoredEntry | undefined> {
  const file = fileIn(folder, fingerprint)
  const read = patiently('read', () => readFile(file, 'utf8'))
  const found = await read.catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw error
  })
  return found === undefined ? undefined : lastEntry(found)
}
