import * as z from 'zod'

/**
 * One record of the pool file, V3: the earlier plugin's fields (peer facts §2.2) plus ours. Unknown fields survive a
 * read–write round trip, so a file written by a newer version loses nothing here.
 */
export const storedAccountSchema = z.looseObject({
  /**
   * Our own stable name of this record: all run-time state (blocks, health, affinity, leases) hangs on it, never on a
   * position or a token. Derived from the identity when an older file has none, and stored with the next write.
   */
  uid: z.string().optional(),
  /** `oauth` when absent. API keys on third-party endpoints are members of the same pool. */
  kind: z.enum(['oauth', 'api-key']).optional(),
  refreshToken: z.string().optional(),
  accessToken: z.string().optional(),
  /** Expiry of the access token, epoch ms. */
  expiresAt: z.number().optional(),
  oauthScope: z.string().optional(),
  /** When the refresh token was last rotated, epoch ms, strictly increasing: the newest wins in every merge. */
  tokenRotatedAt: z.number().optional(),
  /** Workspace: claim `chatgpt_account_id`. */
  accountId: z.string().optional(),
  /** Seat in the workspace: claim `chatgpt_account_user_id`. */
  accountUserId: z.string().optional(),
  organizationId: z.string().optional(),
  accountIdSource: z.enum(['token', 'id_token', 'org', 'manual']).optional().catch(undefined),
  email: z.string().optional(),
  accountLabel: z.string().optional(),
  accountTags: z.array(z.string()).optional(),
  accountNote: z.string().optional(),
  planType: z.string().optional(),
  workspaceName: z.string().optional(),
  /** Residency for the `x-openai-internal-codex-residency` header, from the token's claims. */
  residency: z.string().optional(),
  /** Routing override for `X-OpenAI-Account-Routing-Override`, from accounts/check. */
  routingOverride: z.string().optional(),
  fedramp: z.boolean().optional(),
  /** Only `false` is stored by the earlier plugin; absent means enabled. */
  enabled: z.boolean().optional(),
  /** Set when the refresh token is permanently refused: not selectable until the next login of this account. */
  needsLogin: z.looseObject({ since: z.number(), reason: z.string() }).optional(),
  addedAt: z.number().catch(0),
  lastUsed: z.number().catch(0),
  lastSwitchReason: z.string().optional(),
  /** Blocks of the earlier plugin: `<family>` or `<family>:<model>` → epoch ms. */
  rateLimitResetTimes: z.record(z.string(), z.number()).optional(),
  coolingDownUntil: z.number().optional(),
  cooldownReason: z.string().optional(),
  /** API-key accounts only. */
  apiKey: z.string().optional(),
  /** API-key accounts only: the endpoint this key belongs to; the key is sent nowhere else. */
  baseUrl: z.string().optional(),
  /** In a sealed file, in place of `refreshToken`, `accessToken` and `apiKey`: all of them, encrypted (see seal.ts). */
  sealed: z.string().optional(),
})

/** A record as it lies in the file. */
export type StoredAccount = z.infer<typeof storedAccountSchema>

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
