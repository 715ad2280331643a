import { dropUndefined } from '../kernel/drop-undefined.js'
import * as s from '../kernel/shape.js'

import { parsedJson } from '../kernel/text/json.js'
import { plainText } from '../kernel/text/plain-text.js'

const text = s.string({ min: 1 }).optional().catch(undefined)

/** A text that is shown. */
const name = text.transform((value) => (value === undefined ? undefined : plainText(value)))

const payloadSchema = s.looseObject({
  exp: s.unknown().optional(),
  iat: s.unknown().optional(),
  email: name,
  'https://api.openai.com/profile': s.looseObject({ email: name }).optional().catch(undefined),
  'https://api.openai.com/auth': s
    .looseObject({
      chatgpt_account_id: text,
      chatgpt_account_user_id: text,
      chatgpt_plan_type: name,
      chatgpt_compute_residency: text,
      chatgpt_account_is_fedramp: s.boolean().optional().catch(undefined),
      organizations: s
        .array(s.looseObject({ id: text, is_default: s.boolean().optional().catch(undefined) }))
        .optional()
        .catch(undefined),
    })
    .optional()
    .catch(undefined),
})

/** A residency of this value asks for no header. */
const NO_RESIDENCY = 'no_constraint'

/**
 * What a JWT says about its owner; nothing for any other text. Read, never verified: the backend is the judge. Pure, never
 * throws. See docs/development/facts/oauth.md#token-claims.
 */
export function readClaims(token: string) {
  const payload = payloadSchema.safeParse(payloadOf(token)).data
  const profile = payload?.['https://api.openai.com/profile']
  const auth = payload?.['https://api.openai.com/auth']
  const organizations = auth?.organizations ?? []
  const organization = organizations.find((one) => one.is_default === true) ?? organizations[0]
  const residency = auth?.chatgpt_compute_residency
  return dropUndefined({
    /** Workspace. */
    accountId: auth?.chatgpt_account_id,
    /** Seat: user × workspace. */
    accountUserId: auth?.chatgpt_account_user_id,
    organizationId: organization?.id,
    email: payload?.email ?? profile?.email,
    planType: auth?.chatgpt_plan_type,
    /** Value of the residency header, where the workspace has one. */
    residency: residency === NO_RESIDENCY ? undefined : residency,
    fedramp: auth?.chatgpt_account_is_fedramp === true ? true : undefined,
    expiresAtMs: epochMs(payload?.exp),
    issuedAtMs: epochMs(payload?.iat),
  })
}

/** Seconds after which no date can be shown. */
const LAST_SECOND = 8.64e12

/** Epoch ms from seconds, also written as text; undefined for what is no time. */
function epochMs(seconds: unknown): number | undefined {
  const value =
    typeof seconds === 'string' && /^\d+(?:\.\d+)?$/.test(seconds) ? Number(seconds) : seconds
  return typeof value === 'number' && value > 0 && value <= LAST_SECOND
    ? Math.floor(value * 1000)
    : undefined
}

function payloadOf(token: string): unknown {
  const part = token.split('.')[1] ?? ''
  return parsedJson(Buffer.from(part, 'base64url').toString('utf8'))
}
