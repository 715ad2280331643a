import { drain, quotaHeaders, usageLimitBody } from './accounts/quota.js'
import { apiError, detail, html, json, type Reply } from './reply.js'
import type { SimAccount } from './accounts/account.js'
import type { Action } from './scenario.js'

interface ForcedContext {
  readonly now: number
  readonly account: SimAccount | undefined
  readonly familyIndex: number
}

/**
 * The answer that the first replacing action demands, or undefined when none does.
 * Shapes of errors, and what clients make of them: docs/development/facts/codex-backend.md#errors.
 */
export function forcedReply(actions: readonly Action[], context: ForcedContext): Reply | undefined {
  for (const action of actions) {
    const reply = replyFor(action, context)
    if (reply) return reply
  }
  return undefined
}

function replyFor(action: Action, { account, familyIndex, now }: ForcedContext): Reply | undefined {
  switch (action.type) {
    case 'respond': {
      const type = action.json === undefined ? 'text/plain; charset=utf-8' : 'application/json'
      const body = action.json === undefined ? (action.text ?? '') : JSON.stringify(action.json)
      return {
        status: action.status,
        headers: { 'content-type': type, ...lowerCase(action.headers) },
        body,
      }
    }
    case 'usage_limit': {
      const family = account?.families[familyIndex]
      if (!account || !family) return rateLimited(undefined)
      if (action.drain) drain(family, now)
      return json(429, usageLimitBody(account, family, now, action), {
        ...quotaHeaders(account, family, now),
        'x-codex-rate-limit-reached-type': 'rate_limit_reached',
      })
    }
    case 'usage_not_included':
      return json(429, {
        error: {
          type: 'usage_not_included',
          message: 'Codex is not part of this plan',
          plan_type: account?.plan ?? 'free',
        },
      })
    case 'rate_limit':
      return rateLimited(action.retryAfterSec, action.message, action.code)
    case 'unauthorized':
      return unauthorized(action.code, action.message)
    case 'payment_required':
      return deactivatedWorkspace()
    case 'forbidden':
      return detail(403, action.detail)
    case 'server_error':
      return apiError(
        action.status,
        {
          message: action.message ?? 'The simulated backend has failed',
          type: 'server_error',
          code: action.code ?? null,
        },
        retryAfter(action.retryAfterSec),
      )
    case 'token_error':
      return action.code === 'invalid_grant'
        ? json(400, { error: 'invalid_grant' })
        : refreshRefused(action.code)
    case 'json_200':
      return json(200, action.json)
    case 'html':
      return html(
        action.status,
        '<!doctype html><title>Network sign-in</title><h1>Sign in to use this network</h1>',
      )
    case 'empty':
      return {
        status: 200,
        headers: { 'content-type': 'text/event-stream; charset=utf-8' },
        body: '',
      }
    default:
      return undefined
  }
}

/** 401 of the backend for a token it does not honour. */
export function unauthorized(code: string, message?: string): Reply {
  const text =
    code === 'token_expired'
      ? 'The access token has expired'
      : 'The access token is no longer honoured'
  return json(401, {
    error: { message: message ?? text, type: 'invalid_request_error', param: null, code },
    status: 401,
  })
}

/**
 * 402 of a workspace that its owner switched off (docs/development/facts/codex-backend.md#errors).
 */
export function deactivatedWorkspace(): Reply {
  return detail(402, { code: 'deactivated_workspace' })
}

/**
 * 401 of the token endpoint for a refresh token it does not take
 * (docs/development/facts/oauth.md#refresh-errors).
 */
export function refreshRefused(code: string): Reply {
  const texts: Record<string, string> = {
    refresh_token_reused: 'This refresh token was already used',
    refresh_token_expired: 'This refresh token has expired',
  }
  return apiError(401, { message: texts[code] ?? 'This refresh token was revoked', code })
}

function rateLimited(
  retryAfterSec: number | undefined,
  message = 'Rate limit reached, slow down',
  code = 'rate_limit_exceeded',
): Reply {
  return apiError(429, { message, type: 'requests', code }, retryAfter(retryAfterSec))
}

function retryAfter(seconds: number | undefined): Record<string, string> {
  return seconds === undefined ? {} : { 'retry-after': String(seconds) }
}

function lowerCase(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  )
}
