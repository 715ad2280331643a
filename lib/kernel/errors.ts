import { commandsIn, type Place } from './text/command-words.js'
import { plainLines, plainText } from './text/plain-text.js'

const SIGN_IN = 'Run: {login}'
const START_AGAIN = 'Start the login again: {login}'
const REPORT = 'If this keeps happening, report it with: {diag}'

/**
 * Every error a user can meet, once: the request path answers the host with it, tools and the command
 * line print it, the troubleshooting guide is written from it.
 *
 * `status` is the HTTP status the host sees. OpenCode retries on 404, 408, 409, 429 and 5xx and on
 * certain words in the text (docs/development/facts/opencode-host.md#errors-and-retries), so an
 * error that a retry cannot mend carries 400, 401 or 403.
 */
export const ERROR_TABLE = {
  no_accounts: row(401, 'No account is signed in.', SIGN_IN),
  login_required: row(401, 'The sign-in of an account has ended and cannot be refreshed.', SIGN_IN),
  all_accounts_blocked: row(
    403,
    'Every account is at a limit or blocked; the message says until when.',
    'See each account: {status --why}',
  ),
  account_not_allowed: row(
    403,
    'A pin, fence or strict pool keeps every usable account out.',
    'See which accounts may serve and why: {status --why}; lift a pin: {switch}',
  ),
  usage_not_included: row(
    403,
    'The plan of the account does not include Codex.',
    'Use an account whose plan includes Codex: {switch NUMBER}',
  ),
  workspace_deactivated: row(
    403,
    'The workspace of the account was deactivated by its owner.',
    'Sign in to another workspace: {login}',
  ),
  model_not_supported: row(400, 'No account may use this model.', 'Choose another model: {models}'),
  policy_refused: row(400, 'The backend refuses the content of the request.', 'Change the prompt'),
  bad_request: row(400, 'The backend refuses the form of the request.', REPORT),
  context_too_long: row(
    413,
    'The conversation is longer than the model allows.',
    'OpenCode compacts the session and continues',
  ),
  backend_unreachable: row(
    403,
    'No connection to the backend.',
    'Check the network or proxy: {doctor}',
  ),
  backend_failed: row(
    403,
    'The backend failed, and retries did not help.',
    'Wait a little, then send the prompt again',
  ),
  stream_broken: row(
    403,
    'The answer broke off after it had begun; it is never repeated automatically.',
    'Send the prompt again',
  ),
  destination_refused: row(
    403,
    'A request or setting names a host that must not get a credential.',
    'Check the base URL in the configuration: {doctor}',
  ),
  request_not_json: row(400, 'The body of a request is not JSON.', REPORT),
  answer_not_sse: row(
    403,
    'The answer is not an event stream.',
    'A proxy may answer in place of the backend: {doctor}',
  ),
  refresh_failed: row(401, 'The access token could not be refreshed.', SIGN_IN),
  oauth_failed: row(401, 'The login was refused or its answer was incomplete.', START_AGAIN),
  login_cancelled: row(401, 'The login was cancelled.', START_AGAIN),
  login_timeout: row(401, 'The login was not completed in time.', START_AGAIN),
  callback_port_busy: row(
    401,
    'Ports 1455 and 1457 are both in use.',
    'Use the device code method, or close the program that holds the port',
  ),
  invalid_input: row(400, 'An argument is wrong; the message says which.', ''),
  store_unreadable: row(
    403,
    'The account file cannot be read.',
    'Nothing was changed. Check the file: {doctor}',
  ),
  store_newer: row(403, 'The account file was written by a newer version.', 'Update: {update}'),
  store_busy: row(
    403,
    'The account file is locked by another process.',
    'Try once more in a moment',
  ),
  store_not_written: row(
    403,
    'The account file could not be written.',
    'Nothing was changed. Check free space and permissions: {doctor}',
  ),
  keychain_unreachable: row(
    403,
    'The key of a sealed account file is not available from the OS keychain.',
    'Nothing was changed. Unlock the keychain of your desktop session, then: {keychain}',
  ),
  config_invalid: row(
    400,
    'A configuration file is broken; the message says where.',
    'See: {config}',
  ),
  internal: row(400, 'A defect of the plugin.', 'Report it with: {diag}'),
}

function row(status: number, meaning: string, hint: string) {
  return { status, meaning, hint }
}

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

/** An error with its commands as they work where it is read. */
export function errorAt(error: CodexError, place: Place): CodexError {
  const { code, message, hint, cause } = error
  return new CodexError(code, commandsIn(message, place), { cause, hint: commandsIn(hint, place) })
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
