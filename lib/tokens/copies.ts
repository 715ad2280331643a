import { stat } from 'node:fs/promises'
import path from 'node:path'

import type { Account, AccountPool } from '../accounts/account.js'
import { projectHomes } from '../accounts/project/own-folders.js'
import { readPoolFile } from '../accounts/store/pool-file.js'
import { parsePool } from '../accounts/store/pool-format.js'
import type { AccountStore } from '../accounts/store/store.js'
import type { Vault } from '../accounts/keychain/vault.js'
import type { Clock } from '../kernel/clock.js'
import { dropUndefined } from '../kernel/drop-undefined.js'
import { messageOf } from '../kernel/errors.js'
import { isRecord, parsedJson } from '../kernel/text/json.js'
import { readTextFile } from '../kernel/files/json-file.js'
import { writeFileAtomic } from '../kernel/files/replace-file.js'
import { withFileLock } from '../kernel/lock/lock.js'
import type { Logger } from '../kernel/logger.js'
import { ACCOUNTS_FILE, FLAGGED_FILE, type Paths } from '../kernel/files/paths.js'
import type { TokenSet } from '../oauth/token-set.js'
import type { RefreshJournal } from './journal/journal.js'
import { factsAfter, factsOf, isSameLogin, type LoginFacts } from './login-facts.js'
import { fingerprintOf } from './token-rules.js'

/** A token of the same login that lies in another place of ours. */
export interface LoginCopy {
  readonly tokens: TokenSet
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

interface CopiesDeps {
  /** The file in use here; not one of the others. */
  readonly ownPath: string
  readonly files?: PoolFiles | undefined
  readonly journal: RefreshJournal
  readonly vault?: Vault | undefined
  readonly clock: Clock
  readonly log: Logger
}

/** A keychain or a disk that takes longer for a copy is not waited for, ms. */
const COPY_WAIT_MS = 1_000
/** More project pools than any user has; a folder that was filled by accident must not hold up a renewal. */
const MAX_FILES = 500

/**
 * Our files beside the one in use that exist now: the global pool, those of projects, and what earlier versions set
 * aside. Never throws.
 */
export async function listPoolFiles(
  paths: Pick<Paths, 'accountsFile' | 'flaggedFile' | 'projectsDir'>,
): Promise<readonly string[]> {
  const projects = (await projectHomes(paths)).slice(0, MAX_FILES)
  const inProjects = projects.flatMap((home) =>
    [ACCOUNTS_FILE, FLAGGED_FILE].map((name) => path.join(home, name)),
  )
  const candidates = [paths.accountsFile, paths.flaggedFile, ...inProjects]
  // Asked first: opening what is no file, a pipe for example, could wait for ever.
  const found = await Promise.all(candidates.map((file) => stat(file).catch(() => undefined)))
  return candidates.filter((_, index) => found[index]?.isFile() === true)
}

/** What our other files and the journal know about a login. Nothing is read before it is asked for; nothing blocks for long or throws. */
export class LoginCopies {
  readonly #deps: CopiesDeps

  constructor(deps: CopiesDeps) {
    this.#deps = deps
  }

  /** Every other token of the login but those marked as refused, in no order. */
  async of(account: Account): Promise<readonly LoginCopy[]> {
    return (await Promise.all([this.#inFiles(account), this.#inJournal(account)])).flat()
  }

  /** Applies a change to every other file that it changes; the same pool means that there is nothing to change. */
  async change(change: (pool: AccountPool) => AccountPool): Promise<void> {
    const changeFile = async (file: string): Promise<void> => {
      const pool = await this.#poolOf(file)
      // Looked at without its lock first: most files have nothing to do with this login.
      if (pool === undefined || change(pool) === pool) return
      if (path.basename(file) === FLAGGED_FILE) await changeSetAside(file, change)
      else await this.#deps.files?.store(file).update(change)
    }
    const warn = (error: unknown): void =>
      this.#deps.log.log('warn', 'Another account file with the same login could not be updated.', {
        reason: messageOf(error),
      })
    await Promise.all((await this.#otherFiles()).map((file) => changeFile(file).catch(warn)))
  }

  async #otherFiles(): Promise<readonly string[]> {
    const { files, ownPath } = this.#deps
    return ((await files?.list()) ?? []).filter((file) => file !== ownPath)
  }

  /** The pool of a file, opened; undefined when it cannot be read now, for any reason. */
  async #poolOf(file: string): Promise<AccountPool | undefined> {
    const over = new AbortController()
    const read = readPoolFile(file, undefined, { vault: this.#deps.vault })
      .then(({ pool }) => pool)
      .catch(() => undefined)
    const late = this.#deps.clock.sleep(COPY_WAIT_MS, over.signal).catch(() => undefined)
    return Promise.race([read, late.then(() => undefined)]).finally(() => over.abort())
  }

  async #inFiles(account: Account): Promise<LoginCopy[]> {
    const own = factsOf(account)
    const inFile = async (file: string): Promise<LoginCopy[]> => {
      const pool = await this.#poolOf(file)
      const isAside = path.basename(file) === FLAGGED_FILE
      return (pool?.accounts ?? []).flatMap((one) => copyIn(one, account, own, isAside))
    }
    return (await Promise.all((await this.#otherFiles()).map(inFile))).flat()
  }

  async #inJournal(account: Account): Promise<LoginCopy[]> {
    const { journal } = this.#deps
    const own = factsOf(account)
    const found: LoginCopy[] = []
    for (const fingerprint of await journal.list()) {
      const entry = await journal.read(fingerprint).catch(() => undefined)
      if (entry?.state !== 'received' || entry.login === undefined) continue
      if (!isSameLogin(own, entry.login)) continue
      const facts = factsAfter(entry.login, entry.tokens, entry.startedAt)
      found.push(copyWith(entry.tokens, facts, false, true))
    }
    return found
  }
}

/** What earlier versions set aside keeps their form: only the tokens in it are replaced. */
async function changeSetAside(
  file: string,
  change: (pool: AccountPool) => AccountPool,
): Promise<void> {
  await withFileLock(
    `${file}.transaction`,
    { staleMs: 4_000, waitMs: COPY_WAIT_MS, what: 'the list of accounts set aside' },
    async () => {
      const text = (await readTextFile(file))?.text ?? ''
      const parsed = parsePool(text)
      const content = parsedJson(text)
      if (parsed.kind !== 'pool' || !isRecord(content) || !Array.isArray(content.accounts)) return
      const before = parsed.pool.accounts
      const after = change(parsed.pool).accounts
      const accounts = content.accounts.map((record: unknown): unknown => {
        if (!isRecord(record) || record.refreshToken === undefined) return record
        const position = before.findIndex((one) => one.refreshToken === record.refreshToken)
        const { refreshToken, tokenRotatedAt } = after[position] ?? {}
        return position < 0 ? record : { ...record, refreshToken, tokenRotatedAt }
      })
      await writeFileAtomic(file, `${JSON.stringify({ ...content, accounts }, undefined, 2)}\n`)
    },
  )
}

function copyIn(one: Account, account: Account, own: LoginFacts, isAside: boolean): LoginCopy[] {
  const { refreshToken = '', accessToken, expiresAt, oauthScope } = one
  if (one.kind === 'api-key' || one.needsLogin !== undefined || refreshToken === '') return []
  const facts = factsOf(one)
  if (refreshToken !== account.refreshToken && !isSameLogin(facts, own)) return []
  const access = (accessToken ?? '') === '' ? {} : { accessToken, expiresAt }
  const tokens = dropUndefined({ refreshToken, ...access, oauthScope })
  return [copyWith(tokens, facts, isAside, false)]
}

function copyWith(
  tokens: TokenSet,
  facts: LoginFacts,
  isDoubtful: boolean,
  isSure: boolean,
): LoginCopy {
  return { tokens, fingerprint: fingerprintOf(tokens.refreshToken), facts, isDoubtful, isSure }
}
