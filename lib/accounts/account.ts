import * as s from '../kernel/shape.js'
import { goodEntries, goodItems, moment } from '../kernel/text/odd-values.js'
import { isRecord } from '../kernel/text/json.js'

/** Whatever else stands in the place of an optional field counts as nothing: only a missing credential makes a record unreadable. */
const odd = <Value>(shape: s.AnyShape<Value>) => shape.optional().catch(undefined)
const text = odd(s.string())
/** Who a record belongs to: an empty text tells nobody apart. */
const identity = odd(s.string({ min: 1 }))
const flag = odd(s.boolean())
const time = odd(moment)
/**
 * One record of the pool file, V3: the earlier plugin's fields
 * (docs/development/facts/other-plugins.md#account-records) plus ours. Unknown fields survive a read–write round trip,
 * so a file written by a newer version loses nothing here.
 */
export const storedAccountSchema = s.looseObject({
  /**
   * Our own stable name of this record: all run-time state (blocks, health, affinity, leases) hangs on it, never on a
   * position or a token. Derived from the identity when an older file has none, and stored with the next write.
   */
  uid: identity,
  /** `oauth` when absent. API keys on third-party endpoints are members of the same pool. */
  kind: odd(s.oneOf(['oauth', 'api-key'])),
  refreshToken: text,
  accessToken: text,
  /** Expiry of the access token, epoch ms. */
  expiresAt: time,
  oauthScope: text,
  /** When the refresh token was last rotated, epoch ms, strictly increasing: the newest wins in every merge. */
  tokenRotatedAt: time,
  /** Workspace: claim `chatgpt_account_id`. */
  accountId: identity,
  /** Seat in the workspace: claim `chatgpt_account_user_id`. */
  accountUserId: identity,
  organizationId: identity,
  accountIdSource: odd(s.oneOf(['token', 'id_token', 'org', 'manual'])),
  email: identity,
  accountLabel: text,
  accountTags: odd(goodItems(s.string())),
  accountNote: text,
  planType: text,
  workspaceName: text,
  /** Residency for the `x-openai-internal-codex-residency` header, from the token's claims. */
  residency: text,
  /** Routing override for `X-OpenAI-Account-Routing-Override`, from accounts/check. */
  routingOverride: text,
  fedramp: flag,
  /** Only `false` is stored by the earlier plugin; absent means enabled. */
  enabled: flag,
  /** Set when the refresh token is permanently refused: not selectable until the next login of this account. */
  needsLogin: odd(
    s.looseObject({ since: moment.catch(0), reason: s.string().catch('its login was refused') }),
  ),
  addedAt: moment.catch(0),
  lastUsed: moment.catch(0),
  lastSwitchReason: text,
  /** Blocks of the earlier plugin: `<family>` or `<family>:<model>` → epoch ms. */
  rateLimitResetTimes: odd(goodEntries(moment)),
  coolingDownUntil: time,
  cooldownReason: text,
  /** API-key accounts only. */
  apiKey: text,
  /**
   * API-key accounts only: the endpoint this key belongs to; the key is sent nowhere else. What is no text becomes one
   * that is no address: without an endpoint of its own the key would go to the usual one.
   */
  baseUrl: s
    .string()
    .optional()
    .catch((value) => JSON.stringify(value)),
  /** In a sealed file, in place of `refreshToken`, `accessToken` and `apiKey`: all of them, encrypted (see seal.ts). */
  sealed: text,
})

/** A record as it lies in the file. */
export type StoredAccount = s.Infer<typeof storedAccountSchema>

/** A record after normalisation: it has a name of its own. */
export type Account = StoredAccount & { uid: string }

/** The pool as the program sees it. Unknown top-level fields survive. */
export interface AccountPool {
  readonly version: 3
  readonly accounts: readonly Account[]
  /** Position of the account last chosen by hand or rotation; kept for the earlier plugin. */
  readonly activeIndex: number
  readonly activeIndexByFamily?: Readonly<Record<string, number>>
  readonly [unknown: string]: unknown
}

/** A pool without accounts. */
export const EMPTY_POOL: AccountPool = { version: 3, accounts: [], activeIndex: 0 }

/** Switched on and with a login that was not refused: it may be asked, as far as the record says. */
export function isSignedIn({ enabled, needsLogin }: Account): boolean {
  return enabled !== false && needsLogin === undefined
}

/** Values of known fields that cannot be used wait under this key of their record: nothing of a file is lost. */
const SET_ASIDE = 'unreadFields'

/**
 * The account in a record of the file; undefined when no credential is in it. Any other field may hold anything: what
 * cannot be used is set aside and stays in the record. Pure.
 */
export function readAccount(record: unknown): StoredAccount | undefined {
  if (!isRecord(record)) return undefined
  const parsed = storedAccountSchema.safeParse(record)
  if (!parsed.success || !hasCredential(parsed.data)) return undefined
  const account = Object.fromEntries(
    Object.entries(parsed.data).filter(([, value]) => value !== undefined),
  ) as StoredAccount
  const odd = Object.entries(record).filter(
    ([field, value]) => value !== null && account[field] === undefined,
  )
  const earlier = isRecord(account[SET_ASIDE]) ? account[SET_ASIDE] : {}
  return {
    ...account,
    ...kindOf(account),
    ...(odd.length === 0 ? {} : { [SET_ASIDE]: { ...earlier, ...Object.fromEntries(odd) } }),
  }
}

/** A record with a key and no login is that of a key, whatever stands in the place of its kind: where it is sent hangs on it. */
function kindOf(account: StoredAccount): Pick<StoredAccount, 'kind'> {
  const { kind, apiKey, refreshToken, accessToken, sealed } = account
  const isKey =
    kind === undefined && isSaid(apiKey) && ![refreshToken, accessToken, sealed].some(isSaid)
  return isKey ? { kind: 'api-key' } : {}
}

function hasCredential({ refreshToken, accessToken, apiKey, sealed }: StoredAccount): boolean {
  return [refreshToken, accessToken, apiKey, sealed].some(isSaid)
}

function isSaid(value: string | undefined): boolean {
  return value !== undefined && value !== ''
}
