import type { Account, AccountPool } from '../accounts/account.js'
import { withAccount } from '../accounts/edits.js'
import type { AccountStore } from '../accounts/store-types.js'
import type { Clock } from '../kernel/clock.js'
import type { Logger } from '../kernel/logger.js'
import { factsOf, isNewer, withSuccessor } from './login-copies.js'
import type { LoginCopies, LoginCopy } from './refresh-copies.js'
import type { RefreshMemory } from './refresh-memory.js'
import { isUsableInstead, type RotatedTokens } from './refresh-rules.js'

/** What another place of ours knows better about a login. */
export type Better =
  | { readonly kind: 'nothing' }
  /** The record was changed; look at it again. */
  | { readonly kind: 'taken' }
  /** A newer refresh token, to be spent in place of ours, which stays until that one has proved to be good. */
  | { readonly kind: 'spend'; readonly copy: LoginCopy }

/** Takes over tokens of the same login that lie in another file of ours, or in the journal, in place of spending one. */
export interface Adopter {
  /**
   * A token that was made after ours: ours is dead then, or about to be.
   * @throws the store's own when it cannot be written here
   */
  newer(account: Account, fingerprint: string, unwanted: string | undefined): Promise<Better>
  /**
   * Any token that the login server has not refused yet, after it refused ours.
   * @returns false when there is none
   * @throws as `newer`
   */
  other(account: Account, fingerprint: string): Promise<boolean>
}

export interface AdoptDeps {
  readonly store: AccountStore
  readonly copies: LoginCopies
  readonly memory: RefreshMemory
  readonly clock: Clock
  readonly log: Logger
  readonly label: (account: Account) => string
}

/** Creates an adopter. */
export function createAdopter(deps: AdoptDeps): Adopter {
  const { store, copies, memory, clock, log, label } = deps
  const isDead = (copy: LoginCopy): boolean => memory.refusalOf(copy.fingerprint) !== undefined

  async function take(
    account: Account,
    change: (pool: AccountPool) => AccountPool,
  ): Promise<boolean> {
    const changed: AccountPool[] = []
    await store.update((pool) => {
      const next = change(pool)
      if (next !== pool) changed.push(next)
      return next
    })
    const isTaken = changed.length > 0
    if (isTaken)
      log.log(
        'info',
        `${label(account)}: took over a token of the same login from another file of this plugin.`,
      )
    return isTaken
  }

  const takeWhole = (
    account: Account,
    fingerprint: string,
    { tokens, facts }: LoginCopy,
  ): Promise<boolean> =>
    take(account, (pool) => withSuccessor(pool, { fingerprint }, tokens, facts.rotatedAt ?? 0))

  /** Our refresh token stays: if the copy turns out to be dead, ours may still be good. */
  const takeAccess = (
    account: Account,
    { accessToken, expiresAt }: RotatedTokens,
  ): Promise<boolean> =>
    take(account, (pool) =>
      withAccount(pool, account.uid, (one) =>
        one.refreshToken !== account.refreshToken ||
        accessToken === undefined ||
        one.accessToken === accessToken
          ? one
          : { ...one, accessToken, ...(expiresAt === undefined ? {} : { expiresAt }) },
      ),
    )

  return {
    async newer(account, fingerprint, unwanted) {
      const own = factsOf(account)
      const found = newestFirst(
        (await copies.of(account)).filter(
          (copy) => !copy.isDoubtful && !isDead(copy) && isNewer(copy.facts, own),
        ),
      )
      const isOwnDead = account.needsLogin !== undefined
      for (const copy of found) {
        const isUsable = isUsableInstead({ ...account, ...copy.tokens }, unwanted, clock.now())
        if (copy.fingerprint === fingerprint && !isUsable) continue
        const isTaken =
          copy.isSure || isOwnDead || copy.fingerprint === fingerprint
            ? await takeWhole(account, fingerprint, copy)
            : isUsable && (await takeAccess(account, copy.tokens))
        if (isTaken) return { kind: 'taken' }
        if (copy.fingerprint !== fingerprint) return { kind: 'spend', copy }
      }
      return { kind: 'nothing' }
    },
    async other(account, fingerprint) {
      const found = newestFirst(
        (await copies.of(account)).filter(
          (copy) => copy.fingerprint !== fingerprint && !isDead(copy),
        ),
      )
      const next = found.find(({ isDoubtful }) => !isDoubtful) ?? found[0]
      return next !== undefined && takeWhole(account, fingerprint, next)
    },
  }
}

function newestFirst(found: readonly LoginCopy[]): LoginCopy[] {
  return [...found].sort((left, right) =>
    isNewer(left.facts, right.facts) ? -1 : isNewer(right.facts, left.facts) ? 1 : 0,
  )
}
