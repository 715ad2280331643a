/** Claims as the login server puts them into tokens; nothing in here is or was a credential. */
export interface Person {
  readonly name: string
  readonly accountId?: string
  readonly userId?: string
  /** Epoch ms. */
  readonly issuedAt?: number
  readonly expiresAt?: number
}

/** An unsigned token about somebody. */
export function tokenOf({
  name,
  accountId = `ws-${name}`,
  userId = `user-${name}`,
  issuedAt = 1_700_000_000_000,
  expiresAt = 1_900_000_000_000,
}: Person): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = {
    iat: issuedAt / 1000,
    exp: expiresAt / 1000,
    'https://api.openai.com/profile': { email: `${name}@example.test` },
    'https://api.openai.com/auth': {
      chatgpt_account_id: accountId,
      chatgpt_account_user_id: userId,
      chatgpt_plan_type: 'plus',
    },
  }
  return `${part({ alg: 'none' })}.${part(claims)}.made-up`
}

/** Codex CLI's `auth.json` after a ChatGPT login. */
export function codexAuth(
  person: Person,
  change: Record<string, unknown> = {},
): Record<string, unknown> {
  const token = tokenOf(person)
  return {
    auth_mode: 'chatgpt',
    OPENAI_API_KEY: null,
    tokens: {
      id_token: token,
      access_token: token,
      refresh_token: `rt_made-up-${person.name}`,
      account_id: person.accountId ?? `ws-${person.name}`,
    },
    last_refresh: '2026-11-20T10:00:00.123456Z',
    ...change,
  }
}

/** OpenCode's `auth.json` with a ChatGPT login and a provider of no concern. */
export function opencodeAuth(person: Person): Record<string, unknown> {
  return {
    anthropic: { type: 'api', key: 'sk-made-up-of-another-provider' },
    openai: {
      type: 'oauth',
      refresh: `rt_made-up-${person.name}`,
      access: tokenOf(person),
      expires: 1_900_000_000_000,
      accountId: `ws-${person.name}`,
    },
  }
}

/** `codex-accounts.json` of opencode-codex-auth: the list of all repeats those of its two modes. */
export function opencodeCodexAuth(...people: Person[]): Record<string, unknown> {
  const accounts = people.map((person) => ({
    identityKey: `ws-${person.name}|${person.name}@example.test|plus`,
    accountId: `ws-${person.name}`,
    email: `${person.name}@example.test`,
    plan: 'plus',
    authTypes: ['native'],
    enabled: true,
    access: tokenOf(person),
    refresh: `rt_made-up-${person.name}`,
    expires: 1_900_000_000_000,
  }))
  return { openai: { type: 'oauth', accounts, native: { accounts } } }
}

/** The account file, version 3, of oc-chatgpt-multi-auth and codex-multi-auth. */
export function forerunnerPool(...people: Person[]): Record<string, unknown> {
  const accounts = people.map((person) => ({
    accountId: `ws-${person.name}`,
    email: `${person.name}@example.test`,
    refreshToken: `rt_made-up-${person.name}`,
    accessToken: tokenOf(person),
    expiresAt: 1_900_000_000_000,
    addedAt: 1,
    lastUsed: 2,
  }))
  return { version: 3, accounts, activeIndex: 0, activeIndexByFamily: {} }
}

/** `accounts.json` beside Codex CLI's own file. */
export function codexAccounts(...people: Person[]): Record<string, unknown> {
  return {
    accounts: people.map((person) => ({
      email: `${person.name}@example.test`,
      accountId: `ws-${person.name}`,
      auth: {
        tokens: {
          access_token: tokenOf(person),
          refresh_token: `rt_made-up-${person.name}`,
          id_token: tokenOf(person),
        },
      },
    })),
  }
}
