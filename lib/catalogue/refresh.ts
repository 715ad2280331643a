import * as fs from 'node:fs'

import type { Account } from '../accounts/account.js'
import type { AccountStore } from '../accounts/store/store.js'
import { type BackendDeps, callBackend } from '../kernel/backend-call.js'
import { dropUndefined } from '../kernel/drop-undefined.js'
import {
  MAX_FOREIGN_BYTES,
  readBoundedFile,
  readBoundedFileSync,
} from '../kernel/files/bounded-file.js'
import type { Clock } from '../kernel/clock.js'
import { messageOf } from '../kernel/errors.js'
import type { Logger } from '../kernel/logger.js'
import { type CachedCatalogue, type Catalogues, parseCatalogues } from './catalogue-file.js'
import type { ClientVersions } from './client-versions.js'

/** How long after a start, or after an account was chosen, its list is looked at: requests come first, ms. */
const LOOK_DELAY_MS = 1_000
/** A catalogue this young is not asked for again, ms. */
export const FRESH_MS = 6 * 3_600_000
const ANSWER_TIMEOUT_MS = 20_000
/** One look asks no more accounts than this, so many at once. */
export const MAX_ASKED = 24
const ASKED_AT_ONCE = 6
/** Who wants to know waits no longer than this; what comes later is known the next time, ms. */
const WANTED_WAIT_MS = 3_000
/** A catalogue of an account that is not in this pool stays this long: pools of projects share the file, ms. */
export const KEEP_OTHERS_MS = 3 * 86_400_000

/** What is known of the models of the accounts, and how it is brought up to date. */
export type ModelCatalogue = ReturnType<typeof createModelCatalogue>

interface CatalogueDeps extends BackendDeps {
  readonly file: string
  readonly store: AccountStore
  readonly clock: Clock
  readonly log: Logger
  /** As which client the backend is asked: it lists models by that. */
  readonly client: () => Promise<ClientVersions>
}

/** Creates the book over its cache file. */
export function createModelCatalogue(deps: CatalogueDeps) {
  const { file, clock, log } = deps
  const ended = new AbortController()
  /** Accounts that are looked after by themselves, each once. */
  const inUse = new Set<string>()
  let wanted: readonly string[] = []
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> = Promise.resolve()
  let learning: Promise<void> = Promise.resolve()
  let known: Catalogues = {}
  let ids = new Map<string, ReadonlySet<string>>()
  let everyId: ReadonlySet<string> = new Set()

  const take = (next: Catalogues): void => {
    known = next
    ids = new Map(
      Object.entries(next).map(([uid, { models }]) => [uid, new Set(models.map(({ id }) => id))]),
    )
    everyId = new Set([...ids.values()].flatMap((list) => [...list]))
  }

  async function bringUpToDate(isWanted: (uid: string) => boolean): Promise<void> {
    try {
      const pool = deps.store.peek() ?? (await deps.store.read())
      const nowMs = clock.now()
      const client = await deps.client()
      const due = pool.accounts.filter(
        (account) => isWanted(account.uid) && isDue(account, known[account.uid], client, nowMs),
      )
      // Who could not be asked is asked when it serves again.
      for (const { uid } of due) inUse.delete(uid)
      const answers: Record<string, CachedCatalogue> = {}
      const asked = due.filter((one) => hasGoodToken(one, nowMs)).slice(0, MAX_ASKED)
      while (asked.length > 0) {
        const some = asked.splice(0, ASKED_AT_ONCE)
        const found = await Promise.all(
          some.map((one) =>
            askedFor(deps, one, known[one.uid], client, ended.signal).catch(() => undefined),
          ),
        )
        if (ended.signal.aborted) return
        for (const [index, { uid }] of some.entries()) {
          const catalogue = found[index]
          if (catalogue === undefined) continue
          answers[uid] = catalogue
          inUse.add(uid)
        }
      }
      if (Object.keys(answers).length === 0) return
      // Read again: windows of other pools may have written theirs meanwhile.
      const everyone = { ...known, ...(await storedLater(file)) }
      const uids = new Set(pool.accounts.map(({ uid }) => uid))
      const kept = Object.entries(everyone).filter(
        ([uid, { fetchedAtMs }]) => uids.has(uid) || Math.abs(nowMs - fetchedAtMs) < KEEP_OTHERS_MS,
      )
      const next: Catalogues = { ...Object.fromEntries(kept), ...answers }
      take(next)
      await write(file, next)
    } catch (error) {
      log.log('debug', 'The model catalogue could not be brought up to date.', {
        reason: messageOf(error),
      })
    }
  }

  /** Behind a look that is under way: what that one learns is not asked for twice. */
  function look(isWanted: (uid: string) => boolean): Promise<void> {
    const next = () =>
      (looking = looking.then(() => (ended.signal.aborted ? undefined : bringUpToDate(isWanted))))
    // Nobody waits for what is learned: the lists are asked for as the client that is known now, and again as a newer one.
    learning = learning
      .then(async () => !ended.signal.aborted && (await deps.client()).learn(ended.signal))
      .then((isAnother) => (isAnother ? next() : undefined))
      .catch(() => undefined)
    return next()
  }

  return {
    /** Models the backend shows to the account; undefined when its list is not known. */
    modelsOf: (uid: string): readonly string[] | undefined =>
      known[uid]?.models.filter(({ listed }) => listed).map(({ id }) => id),
    /**
     * True when the account's list names the model. For an account whose list is not known, because it was not in use yet,
     * when any list does: nobody is preferred for having been asked.
     */
    lists: (uid: string, model: string) => (ids.get(uid) ?? everyId).has(model),
    load: async () => take(storedNow(file)),
    /** The account serves: what is old of its list is asked for soon, in the background, once. Costs memory only. */
    serves(uid: string): void {
      if (inUse.has(uid) || ended.signal.aborted) return
      inUse.add(uid)
      wanted = [...wanted, uid]
      timer ??= setTimeout(() => {
        const uids = new Set(wanted)
        timer = undefined
        wanted = []
        void look((one) => uids.has(one))
      }, LOOK_DELAY_MS).unref()
    },
    /**
     * Somebody wants to know: asks for what is old, of every account with a good token, also of idle ones. Waits for the
     * answers for a moment only. Never throws.
     */
    async refresh(): Promise<void> {
      let limit: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        limit = setTimeout(resolve, WANTED_WAIT_MS).unref()
      })
      await Promise.race([look(() => true), late])
      clearTimeout(limit)
    },
    /** Ends a look that is under way; nothing is written after it. Never throws. */
    async close() {
      ended.abort()
      clearTimeout(timer)
      await learning
      await looking
    },
  }
}

/** The list of an account, as the backend has it now; undefined when it gives none. @throws what `callBackend` throws */
async function askedFor(
  deps: CatalogueDeps,
  { accessToken: token = '', accountId }: Account,
  cached: CachedCatalogue | undefined,
  versions: ClientVersions,
  signal: AbortSignal,
): Promise<CachedCatalogue | undefined> {
  const { version: client } = versions.inForce()
  const request = {
    // The backend lists models by the client that asks.
    path: `/codex/models?client_version=${encodeURIComponent(client)}`,
    what: 'request for models',
    timeoutMs: ANSWER_TIMEOUT_MS,
    headers: dropUndefined({
      'if-none-match': cached?.client === client ? cached.etag : undefined,
    }),
    signal,
  }
  const { status, headers, body } = await callBackend(deps, { token, accountId }, request)
  const fetchedAtMs = deps.clock.now()
  if (status === 304 && cached !== undefined) return { ...cached, fetchedAtMs, client }
  const { parseCatalogue } = await import('./catalogue.js')
  const models = status >= 200 && status < 300 ? parseCatalogue(body) : undefined
  return models === undefined
    ? undefined
    : { models, etag: headers.get('etag') ?? undefined, fetchedAtMs, client }
}

/** A list is also old that was asked for as an older client: the newer one may see more. */
function isDue(
  { kind, enabled }: Account,
  cached: CachedCatalogue | undefined,
  client: ClientVersions,
  nowMs: number,
): boolean {
  if (kind === 'api-key' || enabled === false) return false
  return (
    cached === undefined ||
    Math.abs(nowMs - cached.fetchedAtMs) > FRESH_MS ||
    client.isPast(cached.client)
  )
}

function hasGoodToken({ accessToken, expiresAt = 0 }: Account, nowMs: number): boolean {
  return accessToken !== undefined && expiresAt > nowMs
}

async function write(file: string, catalogues: Catalogues): Promise<void> {
  const [{ writeFileAtomic }, { formatCatalogues }] = await Promise.all([
    import('../kernel/files/writing.js'),
    import('./catalogue-text.js'),
  ])
  await writeFileAtomic(file, formatCatalogues(catalogues), { isLosable: true })
}

/** Never throws. */
async function storedLater(file: string): Promise<Catalogues> {
  return parseCatalogues((await readBoundedFile(file, MAX_FOREIGN_BYTES).catch(() => '')) ?? '')
}

/** A start waits for it: read at once, since that takes less than to ask for it and wait. Never throws. */
function storedNow(file: string): Catalogues {
  try {
    return parseCatalogues(readBoundedFileSync(fs, file, MAX_FOREIGN_BYTES) ?? '')
  } catch {
    return {}
  }
}
