/**
 * What stands in OpenCode's own login file for accounts of ours: a mark, never a token, because a refresh token must not
 * lie in two files. Without this plugin the host's own login finds the mark refused and asks to sign in again.
 */
export const MANAGED_MARKER = 'managed-by-oc-codex-multi-auth'

/** Far in the future, so that the host never tries to renew the mark. */
const NEVER_MS = 4_102_444_800_000

/** The whole entry, in the host's shape; see docs/development/facts/opencode-host.md#login-file. */
export const MANAGED_AUTH = {
  type: 'oauth',
  refresh: MANAGED_MARKER,
  access: MANAGED_MARKER,
  expires: NEVER_MS,
} as const
