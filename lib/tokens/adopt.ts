import type { Account, AccountPool } from '../accounts/account.js'
import { withAccount } from '../accounts/edits.js'
import type { RefreshContext } from './context.js'
import type { LoginCopy } from './copies.js'
import { factsOf, isNewer, withSuccessor } from './login-facts.js'
import { isUsableInstead } from './token-rules.js'

/** What another place of ours knows better about a login. */
type Better =
  | { readonly kind: 'nothing' }
  /** The record was changed; look at it again. */
  | { readonly kind: 'taken' }
  /** A newer refresh token, to be spent in place of ours, which stays until that one has proved to be good. */
  | { readonly kind: 'spend'; readonly copy: LoginCopy }

/**
 * Takes over a token of the same login from another file of ours, or from the journal, that was made after ours: ours is
 * dead then, or about to be.
 * @throws the store's own when it cannot be written here
 */
export async function adoptNewer(
  context: RefreshContext,
  account: Account,
  fingerprint: string,
  unwanted: string | undefined,
): Promise<Better> {
  const own = factsOf(account)
  const isBetter = (copy: LoginCopy): boolean => !copy.isDoubtful && isNewer(copy.facts, own)
  const isOwnDead = account.needsLogin !== undefined
  for (const copy of await livingCopies(context, account, isBetter)) {
    const isOurs = copy.fingerprint === fingerprint
    const isUsable = isUsableInstead({ ...account, ...copy.tokens }, unwanted, context.clock.now())
    if (isOurs && !isUsable) continue
    const isTaken =
      copy.isSure || isOwnDead || isOurs
        ? await takeWhole(context, account, fingerprint, copy)
        : isUsable && (await takeAccess(context, account, copy))
    if (isTaken) return { kind: 'taken' }
    if (!isOurs) return { kind: 'spend', copy }
  }
  return { kind: 'nothing' }
}

/**
 * Takes over any token that the login server has not refused yet, after it refused ours.
 * @returns false when there is none
 * @throws as `adoptNewer`
 */
export async function adoptOther(
  context: RefreshContext,
  account: Account,
  fingerprint: string,
): Promise<boolean> {
  const found = await livingCopies(context, account, (copy) => copy.fingerprint !== fingerprint)
  const next = found.find(({ isDoubtful }) => !isDoubtful) ?? found[0]
  return next !== undefined && takeWhole(context, account, fingerprint, next)
}

/** Other tokens of the login that were not refused, the newest first. */
async function livingCopies(
  { copies, memory }: RefreshContext,
  account: Account,
  isWanted: (copy: LoginCopy) => boolean,
): Promise<readonly LoginCopy[]> {
  return (await copies.of(account))
    .filter((copy) => memory.refusalOf(copy.fingerprint) === undefined && isWanted(copy))
    .sort((left, right) =>
      isNewer(left.facts, right.facts) ? -1 : isNewer(right.facts, left.facts) ? 1 : 0,
    )
}

function takeWhole(
  context: RefreshContext,
  account: Account,
  fingerprint: string,
  { tokens, facts }: LoginCopy,
): Promise<boolean> {
  return take(context, account, (pool) =>
    withSuccessor(pool, { fingerprint }, tokens, facts.rotatedAt ?? 0),
  )
}

/** Our refresh token stays: if the copy turns out to be dead, ours may still be good. */
function takeAccess(
  context: RefreshContext,
  account: Account,
  { tokens: { accessToken, expiresAt } }: LoginCopy,
): Promise<boolean> {
  return take(context, account, (pool) =>
    withAccount(pool, account.uid, (one) =>
      one.refreshToken !== account.refreshToken ||
      accessToken === undefined ||
      one.accessToken === accessToken
        ? one
        : { ...one, accessToken, expiresAt: expiresAt ?? one.expiresAt },
    ),
  )
}

async function take(
  { store, log, label }: RefreshContext,
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
