import { plainLines, plainText } from './text/plain-text.js'

/**
 * Every error a user can meet, once: the request path answers the host with it, tools and the command
 * line print it, the troubleshooting guide is written from it.
 *
 * `status` is the HTTP status the host sees. OpenCode retries on 404, 408, 409, 429 and 5xx and on
 * certain words in the text (docs/development/facts/opencode-host.md#errors-and-retries), so an
 * error that a retry cannot mend carries 400, 401 or 403.
 */
export const ERROR_TABLE = {
  no_accounts: {
    status: 401,
    meaning: 'No account is signed in.',
    hint: 'Run: opencode auth login',
  },
  login_required: {
    status: 401,
    meaning: 'The sign-in of an account has ended and cannot be refreshed.',
    hint: 'Run: opencode auth login',
  },
  all_accounts_blocked: {
    status: 403,
    meaning: 'Every account is at a limit or blocked; the message says until when.',
    hint: 'See when each account is free again: codex-status --why',
  },
  account_not_allowed: {
    status: 403,
    meaning: 'A pin, fence or strict pool keeps every usable account out.',
    hint: 'Choose another account or lift the pin: codex-switch',
  },
  usage_not_included: {
    status: 403,
    meaning: 'The plan of the account does not include Codex.',
    hint: 'Use an account whose plan includes Codex: codex-switch',
  },
  workspace_deactivated: {
    status: 403,
    meaning: 'The workspace of the account was deactivated by its owner.',
    hint: 'Sign in to another workspace: opencode auth login',
  },
  model_not_supported: {
    status: 400,
    meaning: 'No account may use this model.',
    hint: 'Choose another model with /models',
  },
  policy_refused: {
    status: 400,
    meaning: 'The backend refuses the content of the request.',
    hint: 'Change the prompt',
  },
  bad_request: {
    status: 400,
    meaning: 'The backend refuses the form of the request.',
    hint: 'If this keeps happening, report it with: codex-diag',
  },
  context_too_long: {
    status: 413,
    meaning: 'The conversation is longer than the model allows.',
    hint: 'OpenCode compacts the session and continues',
  },
  backend_unreachable: {
    status: 403,
    meaning: 'No connection to the backend.',
    hint: 'Check the network or proxy: codex-doctor',
  },
  backend_failed: {
    status: 403,
    meaning: 'The backend failed, and retries did not help.',
    hint: 'Wait a little, then send the prompt again',
  },
  stream_broken: {
    status: 403,
    meaning: 'The answer broke off after it had begun; it is never repeated automatically.',
    hint: 'Send the prompt again',
  },
  destination_refused: {
    status: 403,
    meaning: 'A request or setting names a host that must not get a credential.',
    hint: 'Check the base URL in the configuration: codex-doctor',
  },
  request_not_json: {
    status: 400,
    meaning: 'The body of a request is not JSON.',
    hint: 'If this keeps happening, report it with: codex-diag',
  },
  answer_not_sse: {
    status: 403,
    meaning: 'The answer is not an event stream.',
    hint: 'A proxy may answer in place of the backend: codex-doctor',
  },
  refresh_failed: {
    status: 401,
    meaning: 'The access token could not be refreshed.',
    hint: 'Run: opencode auth login',
  },
  oauth_failed: {
    status: 401,
    meaning: 'The login was refused or its answer was incomplete.',
    hint: 'Start the login again: opencode auth login',
  },
  login_cancelled: {
    status: 401,
    meaning: 'The login was cancelled.',
    hint: 'Start the login again: opencode auth login',
  },
  login_timeout: {
    status: 401,
    meaning: 'The login was not completed in time.',
    hint: 'Start the login again: opencode auth login',
  },
  callback_port_busy: {
    status: 401,
    meaning: 'Ports 1455 and 1457 are both in use.',
    hint: 'Use the device code method, or close the program that holds the port',
  },
  invalid_input: {
    status: 400,
    meaning: 'An argument is wrong; the message says which.',
    hint: '',
  },
  store_unreadable: {
    status: 403,
    meaning: 'The account file cannot be read.',
    hint: 'Nothing was changed. Check the file: codex-doctor',
  },
  store_newer: {
    status: 403,
    meaning: 'The account file was written by a newer version.',
    hint: 'Update: npx -y oc-codex-multi-auth@latest update',
  },
  store_busy: {
    status: 403,
    meaning: 'The account file is locked by another process.',
    hint: 'Another process holds the file. Try once more in a moment',
  },
  store_not_written: {
    status: 403,
    meaning: 'The account file could not be written.',
    hint: 'Nothing was changed. Check free space and permissions: codex-doctor',
  },
  keychain_unreachable: {
    status: 403,
    meaning: 'The key of a sealed account file is not available from the OS keychain.',
    hint: 'Nothing was changed. Unlock the keychain of your desktop session and try again: codex-keychain',
  },
  config_invalid: {
    status: 400,
    meaning: 'A configuration file is broken; the message says where.',
    hint: 'See docs/configuration.md',
  },
  internal: { status: 400, meaning: 'A defect of the plugin.', hint: 'Report it with: codex-diag' },
} as const satisfies Record<string, { status: number; meaning: string; hint: string }>

/** Stable name of an error; part of the JSON output of tools. */
export type ErrorCode = keyof typeof ERROR_TABLE

const BRAND = Symbol.for('oc-codex-multi-auth.error')

/** The one error class: a stable code, a sentence for the user, and what to do about it. Never holds a secret. */
export class CodexError extends Error {
  override readonly name = 'CodexError'
  readonly [BRAND] = true
  readonly code: ErrorCode
  readonly hint: string

  /**
   * @param message one sentence: subject and fact ("Account 2 (work): weekly limit used up until Thu 14:20.")
   * @param options.hint replaces the hint of the table
   */
  constructor(code: ErrorCode, message: string, options: { cause?: unknown; hint?: string } = {}) {
    // Names, paths and words of a backend stand in it: whoever wrote those adds no line and no command of a terminal.
    super(plainText(message), options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = plainLines(options.hint ?? ERROR_TABLE[code].hint)
  }

  /** HTTP status the host sees. */
  get status(): number {
    return ERROR_TABLE[this.code].status
  }
}

/** A command or tool was called in a way it does not know: the command line ends with 2 then, not with 1. */
export class WrongUsage extends CodexError {
  constructor(message: string, hint = '') {
    super('invalid_input', message, { hint })
  }
}

/** True for errors of ours, also from another copy of the bundle. */
export function isCodexError(error: unknown): error is CodexError {
  return typeof error === 'object' && error !== null && BRAND in error
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The `code` of a Node system error (`ENOENT`, `EACCES`, …), if it is one. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
