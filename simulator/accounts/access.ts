import { unauthorized } from '../forced.js'
import { detail, type Reply } from '../reply.js'
import type { SimRequest, World } from '../world.js'
import type { SimAccount } from './account.js'

type Access =
  | { readonly account: SimAccount; readonly refused?: never }
  | { readonly account: SimAccount | undefined; readonly refused: Reply }

/** Whom the token of a request speaks for, or how the request is refused. */
export function accessOf(world: World, request: SimRequest): Access {
  const access = world.tokens.access((request.headers.authorization ?? '').replace(/^Bearer /, ''))
  if (access === undefined) return { account: undefined, refused: unauthorized('invalid_token') }
  const { account, state } = access
  if (state !== 'live')
    return {
      account,
      refused: unauthorized(state === 'expired' ? 'token_expired' : 'token_revoked'),
    }
  const named = request.headers['chatgpt-account-id']
  return named === undefined || named === account.accountId
    ? { account }
    : { account, refused: detail(403, 'The token is not for this workspace') }
}
