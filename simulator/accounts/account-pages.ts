import { type SimAccount, RESET_CREDIT_LIFE_MS } from './account.js'
import { modelList } from '../codex/catalogue.js'
import { forcedReply } from '../forced.js'
import { resetWindows, usageBody } from './quota.js'
import { json, type Reply } from '../reply.js'
import type { Endpoint } from '../scenario.js'
import { fieldsOf, firing, type SimRequest, type World } from '../world.js'

type Page = (world: World, account: SimAccount, request: SimRequest) => Reply

/**
 * The read-mostly endpoints of an account (docs/development/facts/codex-backend.md#usage-endpoint).
 */
export const ACCOUNT_PAGES: Readonly<
  Record<string, { readonly endpoint: Endpoint; readonly page: Page }>
> = {
  'GET /backend-api/codex/models': { endpoint: 'models', page: models },
  'GET /backend-api/wham/usage': { endpoint: 'usage', page: usage },
  'GET /backend-api/codex/usage': { endpoint: 'usage', page: usage },
  'GET /backend-api/wham/accounts/check': { endpoint: 'accounts_check', page: accountsCheck },
  'GET /backend-api/wham/rate-limit-reset-credits': {
    endpoint: 'reset_credits',
    page: resetCredits,
  },
  'POST /backend-api/wham/rate-limit-reset-credits/consume': { endpoint: 'consume', page: consume },
}

/** Answers one of those endpoints, or with what a rule demands. */
export function answerAccountPage(
  world: World,
  account: SimAccount,
  request: SimRequest,
  { endpoint, page }: (typeof ACCOUNT_PAGES)[string],
): Reply {
  const actions = firing(world, endpoint, { account: account.name })
  return {
    ...(forcedReply(actions, { now: world.now(), account, familyIndex: 0 }) ??
      page(world, account, request)),
    actions,
  }
}

function models(world: World, account: SimAccount, request: SimRequest): Reply {
  const { minimalClients } = world.settings
  const version = request.query.get('client_version') ?? undefined
  const { body, etag } = modelList(account, { version, minimalClients })
  if (request.headers['if-none-match'] === etag) return { status: 304, headers: { etag }, body: '' }
  return { status: 200, headers: { 'content-type': 'application/json', etag }, body }
}

function usage(world: World, account: SimAccount): Reply {
  return json(200, {
    user_id: account.userId,
    account_id: account.accountId,
    email: account.email,
    ...usageBody(account, world.now()),
    rate_limit_reset_credits: { available_count: available(account, world).length },
  })
}

function accountsCheck(world: World, account: SimAccount): Reply {
  const workspaces = world.accounts.filter(({ userId }) => userId === account.userId)
  const accounts = workspaces.map((workspace) => ({
    id: workspace.accountId,
    name: workspace.structure === 'personal' ? null : workspace.name,
    structure: workspace.structure,
    plan_type: workspace.plan,
    is_deactivated: workspace.deactivated,
    can_access_with_session: true,
    sso_connection_name: null,
    is_fedramp_compliant_workspace: workspace.fedramp,
    profile_picture_url: null,
    workspace_backend_origin: 'NO_CONSTRAINT',
    account_routing_override: workspace.accountRouting,
  }))
  return json(200, {
    accounts,
    default_account_id: account.accountId,
    account_ordering: accounts.map(({ id }) => id),
  })
}

function resetCredits(world: World, account: SimAccount): Reply {
  const credits = account.resetCredits.map((credit) => ({
    id: credit.id,
    reset_type: 'codex_rate_limits',
    status: credit.status,
    granted_at: new Date(credit.grantedAtMs).toISOString(),
    expires_at: new Date(credit.grantedAtMs + RESET_CREDIT_LIFE_MS).toISOString(),
    title: 'Rate limit reset',
    description: 'Resets the windows once',
  }))
  return json(200, { credits, available_count: available(account, world).length })
}

function consume(world: World, account: SimAccount, request: SimRequest): Reply {
  const { redeem_request_id: requestId = '', credit_id: creditId } = fieldsOf(request)
  const answer = (code: string, windows = 0): Reply => json(200, { code, windows_reset: windows })
  if (account.redeemed.has(requestId)) return answer('already_redeemed')
  const credit = available(account, world).find(
    ({ id }) => creditId === undefined || id === creditId,
  )
  if (credit === undefined) return answer('no_credit')
  const windows = resetWindows(account, world.now())
  if (windows === 0) return answer('nothing_to_reset')
  credit.status = 'redeemed'
  account.redeemed.add(requestId)
  return answer('reset', windows)
}

function available(account: SimAccount, world: World): SimAccount['resetCredits'] {
  return account.resetCredits.filter(
    ({ status, grantedAtMs }) =>
      status === 'available' && grantedAtMs + RESET_CREDIT_LIFE_MS > world.now(),
  )
}
