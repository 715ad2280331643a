import type { Account } from '../accounts/account.js'
import { CodexError, isCodexError } from '../kernel/errors.js'
import { destinationOf } from './endpoint.js'
import type { RoutedRequest } from './router.js'
import { lateOf, type RequestDeps, type RequestRun, type Target } from './run.js'

/** The request as the router sees it. @param uid an account that is counted among those tried */
export function routed(run: RequestRun, uid?: string): RoutedRequest {
  const { prepared, sessionId, tried, isCompacting } = run
  return {
    ...(sessionId !== undefined && isCompacting?.(sessionId) === true && { atCompaction: true }),
    model: prepared.model,
    sessionId,
    triedUids: uid === undefined ? tried : new Set([...tried, uid]),
  }
}

/**
 * The account that is asked next; undefined when one had to be waited for, after which the choice is a new one.
 * @throws CodexError that says who is kept out, why and until when
 */
export async function chooseTarget(run: RequestRun): Promise<Target | undefined> {
  const { router, clock } = run.runtime
  const decision = router.choose(run.pool, routed(run), clock.now())
  if (decision.uid === undefined) {
    await (await lateOf(run)).waitForAnyAccount(run, decision)
    return undefined
  }
  const account = router.account(run.pool, decision.uid)
  if (account === undefined)
    throw new CodexError('internal', 'The chosen account is not in the pool.')
  if (run.last !== undefined) (await lateOf(run)).noteSwitch(run, account)
  const destination = destinationOrError(run, account)
  const breaker = run.breakers.of(isCodexError(destination) ? '' : destination)
  return { account, choice: decision.reason, destination, breaker }
}

/** The address is settled before the attempt, which is where an error is recorded. */
function destinationOrError(
  { runtime, endpointForKeys }: RequestDeps,
  account: Account,
): Target['destination'] {
  try {
    return destinationOf(account, runtime.endpoints, endpointForKeys)
  } catch (error) {
    if (isCodexError(error)) return error
    throw error
  }
}
