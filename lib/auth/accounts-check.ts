import * as z from 'zod'

import type { StoredAccount } from '../accounts/account.js'
import { plainText } from '../kernel/plain-text.js'
import type { Endpoints } from './endpoints.js'

/** What the backend adds to the claims of a login. */
export type WorkspaceFacts = Pick<StoredAccount, 'workspaceName' | 'routingOverride' | 'planType'>

/** A login is not held up for longer than this, ms. */
const ANSWER_TIMEOUT_MS = 5_000

const answerSchema = z.looseObject({
  accounts: z.array(
    z.looseObject({
      id: z.string(),
      name: z.string().nullable().optional().catch(undefined),
      plan_type: z.string().nullable().optional().catch(undefined),
      account_routing_override: z.string().nullable().optional().catch(undefined),
    }),
  ),
})

/** Values that ask for a routing header; everything else asks for none (wire facts second study §1a). */
const ROUTED = new Set(['us', 'us_cr'])

/**
 * Asks the backend about the workspace of a fresh login: its name, and whether requests must name a region. Never throws:
 * without an answer the login is as good.
 */
export async function checkWorkspace(
  deps: {
    readonly fetch: typeof globalThis.fetch
    readonly endpoints: Endpoints
    readonly userAgent: string
  },
  login: { readonly accessToken: string; readonly accountId: string | undefined },
): Promise<WorkspaceFacts> {
  if (login.accountId === undefined) return {}
  try {
    const response = await deps.fetch(`${deps.endpoints.backend}/wham/accounts/check`, {
      headers: {
        authorization: `Bearer ${login.accessToken}`,
        'chatgpt-account-id': login.accountId,
        'user-agent': deps.userAgent,
        accept: 'application/json',
      },
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    })
    return response.ok ? workspaceFacts(await response.json(), login.accountId) : {}
  } catch {
    return {}
  }
}

/** The facts of one workspace in the answer. Pure. */
export function workspaceFacts(answer: unknown, accountId: string): WorkspaceFacts {
  const entry = answerSchema.safeParse(answer).data?.accounts.find(({ id }) => id === accountId)
  if (entry === undefined) return {}
  const { name, plan_type: planType, account_routing_override: routing } = entry
  return {
    ...(name == null ? {} : { workspaceName: plainText(name) }),
    ...(planType == null ? {} : { planType: plainText(planType) }),
    ...(routing != null && ROUTED.has(routing) ? { routingOverride: routing } : {}),
  }
}
