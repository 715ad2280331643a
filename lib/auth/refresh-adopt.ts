import type { Account, AccountPool } from '../accounts/account.js'
import type { AccountStore } from '../accounts/store-types.js'
import type { Clock } from '../kernel/clock.js'
import type { Logger } from '../kernel/logger.js'
import { factsOf, isNewer, withSuccessor } from './login-copies.js'
import type { LoginCopies, LoginCopy } from './refresh-copies.js'
import type { RefreshMemory } from './refresh-memory.js'
import { isUsableInstead } from './refresh-rules.js'

/** Takes over tokens of the same login that lie in another file of ours, or in the journal, in place of spending one. */
export interface Adopter {
  /**
   * A token that was made after ours: ours is dead then, or about to be.
   * @returns false when there is none
   * @throws the store's own when it cannot be written here
   */
  newer(account: Account, fingerprint: string, unwanted: string | undefined): Promise<boolean>
  /** Any token that the login server has not refused yet, after it refused ours. @returns and @throws as `newer` */
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

  async function adopt(account: Account, fingerprint: string, found: readonly LoginCopy[]): Promise<boolean> {
    const [newest] = [...found].sort((left, right) => (isNewer(left.facts, right.facts) ? -1 : isNewer(right.facts, left.facts) ? 1 : 0))
    if (newest === undefined) return false
    const changed: AccountPool[] = []
    await store.update((pool) => {
      const next = withSuccessor(pool, { fingerprint }, newest.tokens, newest.facts.rotatedAt ?? 0)
      if (next !== pool) changed.push(next)
      return next
    })
    const isTaken = changed.length > 0
    if (isTaken) log.log('info', `${label(account)}: took over a token of the same login from another file of this plugin.`)
    return isTaken
  }

  return {
    async newer(account, fingerprint, unwanted) {
      const own = factsOf(account)
      const isWanted = (copy: LoginCopy): boolean => {
        if (copy.isDoubtful || isDead(copy) || !isNewer(copy.facts, own)) return false
        // The same refresh token with another access token: of use only while that one is good.
        return copy.fingerprint !== fingerprint || isUsableInstead({ ...account, ...copy.tokens }, unwanted, clock.now())
      }
      return adopt(account, fingerprint, (await copies.of(account)).filter(isWanted))
    },
    async other(account, fingerprint) {
      const found = (await copies.of(account)).filter((copy) => copy.fingerprint !== fingerprint && !isDead(copy))
      const sure = found.filter(({ isDoubtful }) => !isDoubtful)
      return adopt(account, fingerprint, sure.length > 0 ? sure : found)
    },
  }
}
