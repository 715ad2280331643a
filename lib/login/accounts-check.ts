import * as s from '../kernel/shape.js'

import type { StoredAccount } from '../accounts/account.js'
import { type BackendDeps, callBackend } from '../kernel/backend-call.js'
import { dropUndefined } from '../kernel/drop-undefined.js'
import { plainText } from '../kernel/text/plain-text.js'

/** What the backend adds to the claims of a login. */
type WorkspaceFacts = Pick<StoredAccount, 'workspaceName' | 'routingOverride' | 'planType'>

/** A login is not held up for longer than this, ms. */
const ANSWER_TIMEOUT_MS = 5_000

const answerSchema = s.looseObject({
  accounts: s.array(
    s.looseObject({
      id: s.string(),
      name: s.string().nullish().catch(undefined),
      plan_type: s.string().nullish().catch(undefined),
      account_routing_override: s.string().nullish().catch(undefined),
    }),
  ),
})

/** Values that ask for a routing header; everything else asks for none. See docs/development/facts/codex-backend.md#workspace-routing. */
const ROUTED = new Set(['us', 'us_cr'])

/**
 * Asks the backend about the workspace of a fresh login: its name, and whether requests must name a region. Never throws:
 * without an answer the login is as good.
 */
export async function checkWorkspace(
  deps: BackendDeps,
  { accessToken, accountId }: { accessToken: string; accountId: string | undefined },
): Promise<WorkspaceFacts> {
  if (accountId === undefined) return {}
  try {
    const { status, body } = await callBackend(
      deps,
      { token: accessToken, accountId },
      { path: '/wham/accounts/check', what: 'account check', timeoutMs: ANSWER_TIMEOUT_MS },
    )
    return status >= 200 && status < 300 ? workspaceFacts(body, accountId) : {}
  } catch {
    return {}
  }
}

/** The facts of one workspace in the answer. Pure. */
function workspaceFacts(answer: unknown, accountId: string): WorkspaceFacts {
  const entry = answerSchema.safeParse(answer).data?.accounts.find(({ id }) => id === accountId)
  if (entry === undefined) return {}
  const { name, plan_type: planType, account_routing_override: routing } = entry
  return dropUndefined({
    workspaceName: name == null ? undefined : plainText(name),
    planType: planType == null ? undefined : plainText(planType),
    routingOverride: routing != null && ROUTED.has(routing) ? routing : undefined,
  })
}
