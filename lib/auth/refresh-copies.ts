import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'

import type { Account, AccountPool } from '../accounts/account.js'
import { readPoolFile } from '../accounts/pool-file.js'
import { parsePool } from '../accounts/pool-format.js'
import type { AccountStore } from '../accounts/store-types.js'
import type { Vault } from '../accounts/vault.js'
import type { Clock } from '../kernel/clock.js'
import { messageOf } from '../kernel/errors.js'
import { isRecord, parsedJson } from '../kernel/json.js'
import { readTextFile, writeFileAtomic } from '../kernel/json-file.js'
import { withFileLock } from '../kernel/lock.js'
import type { Logger } from '../kernel/logger.js'
import { ACCOUNTS_FILE, FLAGGED_FILE, type Paths } from '../kernel/paths.js'
import { factsAfter, factsOf, isSameLogin, type LoginFacts } from './login-copies.js'
import type { RefreshJournal } from './refresh-journal.js'
import { fingerprintOf, type RotatedTokens } from './refresh-rules.js'

/** A token of the same login that lies in another place of ours. */
export interface LoginCopy {
  readonly tokens: RotatedTokens
  readonly fingerprint: string
  readonly facts: LoginFacts
  /** Set aside by an earlier version: nothing to be preferred. */
  readonly isDoubtful: boolean
  /** Received from the login server by a process of ours, which had no time to store it. */
  readonly isSure: boolean
}

/** Other files that may hold copies of a login: those of projects, made by earlier versions, above all. */
export interface PoolFiles {
  /** Paths of the files that exist now. Never throws. */
  list(): Promise<readonly string[]>
  /** A store for one of them, to write to it. */
  store(file: string): AccountStore
}

/** What our other files and the journal know about a login. Nothing here blocks for long or throws. */
export interface LoginCopies {
  /** Every other token of the login but those marked as refused, in no order. */
  of(account: Account): Promise<readonly LoginCopy[]>
  /** Applies a change to every other file that it changes; the same pool means that there is nothing to change. */
  change(change: (pool: AccountPool) => AccountPool): Promise<void>
}

export interface CopiesDeps {
  /** The file in use here; not one of the others. */
  readonly ownPath: string
  readonly files?: PoolFiles | undefined
  readonly journal: RefreshJournal
  readonly vault?: Vault | undefined
  readonly clock: Clock
  readonly log: Logger
}

/** A keychain or a disk that takes longer for a copy is not waited for, ms. */
const PATIENCE_MS = 1_000
/** More project pools than anybody has; a folder that was filled by accident must not hold up a renewal. */
const MAX_FILES = 500

/** Our files beside the one in use: the global pool, those of projects, and what earlier versions set aside. */
export function poolFilesOf(
  paths: Pick<Paths, 'accountsFile' | 'flaggedFile' | 'projectsDir'>,
  store: (file: string) => AccountStore,
): PoolFiles {
  return {
    async list() {
      const projects = await readdir(paths.projectsDir).catch(() => [])
      const inProjects = projects
        .slice(0, MAX_FILES)
        .flatMap((key) =>
          [ACCOUNTS_FILE, FLAGGED_FILE].map((name) => path.join(paths.projectsDir, key, name)),
        )
      const candidates = [paths.accountsFile, paths.flaggedFile, ...inProjects]
      // Asked first: opening what is no file, a pipe for example, could wait for ever.
      const are = await Promise.all(
        candidates.map((file) =>
          stat(file).then(
            (found) => found.isFile(),
            () => false,
          ),
        ),
      )
      return candidates.filter((_, index) => are[index])
    },
    store,
  }
}

/** Creates the view of other copies of a login. Nothing is listed or read before it is asked for. */
export function createLoginCopies(deps: CopiesDeps): LoginCopies {
  const { files, journal, vault, clock, log } = deps

  async function otherFiles(): Promise<readonly string[]> {
    return ((await files?.list()) ?? []).filter((file) => file !== deps.ownPath)
  }

  /** The pool of a file, opened; undefined for whatever reason it cannot be had now. */
  async function poolOf(file: string): Promise<AccountPool | undefined> {
    const over = new AbortController()
    const late = clock.sleep(PATIENCE_MS, over.signal).then(
      () => undefined,
      () => undefined,
    )
    const read = readPoolFile(file, undefined, vault).then(
      ({ pool }) => pool,
      () => undefined,
    )
    return Promise.race([read, late]).finally(() => over.abort())
  }

  async function inFiles(account: Account): Promise<LoginCopy[]> {
    const own = factsOf(account)
    const found = await Promise.all(
      (await otherFiles()).map(async (file) => {
        const pool = await poolOf(file)
        const isAside = path.basename(file) === FLAGGED_FILE
        return (pool?.accounts ?? []).flatMap((one) => copyIn(one, account, own, isAside))
      }),
    )
    return found.flat()
  }

  async function inJournal(account: Account): Promise<LoginCopy[]> {
    const own = factsOf(account)
    const found: LoginCopy[] = []
    for (const fingerprint of await journal.list()) {
      const entry = await journal.read(fingerprint).catch(() => undefined)
      if (
        entry?.state !== 'received' ||
        entry.login === undefined ||
        !isSameLogin(own, entry.login)
      )
        continue
      const { tokens } = entry
      found.push({
        tokens,
        fingerprint: fingerprintOf(tokens.refreshToken),
        facts: factsAfter(entry.login, tokens, entry.startedAt),
        isDoubtful: false,
        isSure: true,
      })
    }
    return found
  }

  return {
    of: async (account) => (await Promise.all([inFiles(account), inJournal(account)])).flat(),
    async change(change) {
      await Promise.all(
        (await otherFiles()).map(async (file) => {
          try {
            const pool = await poolOf(file)
            // Looked at without its lock first: most files have nothing to do with this login.
            if (pool === undefined || change(pool) === pool) return
            if (path.basename(file) === FLAGGED_FILE) await changeSetAside(file, change)
            else await files?.store(file).update(change)
          } catch (error) {
            log.log('warn', 'Another account file with the same login could not be updated.', {
              reason: messageOf(error),
            })
          }
        }),
      )
    },
  }
}

/** What earlier versions set aside keeps their form: only the tokens in it are replaced. */
async function changeSetAside(
  file: string,
  change: (pool: AccountPool) => AccountPool,
): Promise<void> {
  await withFileLock(
    `${file}.transaction`,
    { staleMs: 4_000, waitMs: PATIENCE_MS, what: 'the list of accounts set aside' },
    async () => {
      const text = (await readTextFile(file))?.text ?? ''
      const parsed = parsePool(text)
      const content = parsedJson(text)
      if (parsed.kind !== 'pool' || !isRecord(content) || !Array.isArray(content.accounts)) return
      const before = parsed.pool.accounts
      const after = change(parsed.pool).accounts
      const accounts = content.accounts.map((record: unknown): unknown => {
        const position = isRecord(record)
          ? before.findIndex(
              ({ refreshToken }) =>
                refreshToken !== undefined && refreshToken === record.refreshToken,
            )
          : -1
        const { refreshToken, tokenRotatedAt } = after[position] ?? {}
        return position < 0 || !isRecord(record)
          ? record
          : { ...record, refreshToken, tokenRotatedAt }
      })
      await writeFileAtomic(file, `${JSON.stringify({ ...content, accounts }, undefined, 2)}\n`)
    },
  )
}

function copyIn(one: Account, account: Account, own: LoginFacts, isAside: boolean): LoginCopy[] {
  const { refreshToken, accessToken, expiresAt, oauthScope } = one
  if (
    one.kind === 'api-key' ||
    one.needsLogin !== undefined ||
    refreshToken === undefined ||
    refreshToken === ''
  )
    return []
  const facts = factsOf(one)
  if (refreshToken !== account.refreshToken && !isSameLogin(facts, own)) return []
  const tokens: RotatedTokens = {
    refreshToken,
    ...(accessToken === undefined || accessToken === ''
      ? {}
      : { accessToken, ...(expiresAt === undefined ? {} : { expiresAt }) }),
    ...(oauthScope === undefined ? {} : { oauthScope }),
  }
  return [
    { tokens, fingerprint: fingerprintOf(refreshToken), facts, isDoubtful: isAside, isSure: false },
  ]
}
