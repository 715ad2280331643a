import { CodexError } from '../../kernel/errors.js'
import type { HostPort } from '../../kernel/host-port.js'

/** Where the OS keeps secrets for the user who is logged in. Errors of an implementation are its own; see `guarded`. */
export interface Keychain {
  /** Name of the way to it, for messages: `Bun.secrets`, `secret-tool`. */
  readonly via: string
  /** The secret of that name; undefined when there is none, or when a locked keychain does not say. */
  get(name: string): Promise<string | undefined>
  /** Whether there is an item of that name, without its secret: for that macOS asks nobody. Absent where it saves nothing. */
  readonly has?: (name: string) => Promise<boolean>
  set(name: string, secret: string): Promise<void>
  /** True when there was one. */
  delete(name: string): Promise<boolean>
}

/** Every item of ours has this service name, whichever way it is reached. */
export const KEYCHAIN_SERVICE = 'oc-codex-multi-auth'

/** What a choice depends on; the fields of the running process by default. */
export interface KeychainPlace {
  readonly env: NodeJS.ProcessEnv
  readonly platform: NodeJS.Platform
  /** `Bun.secrets` of the host, where there is one. */
  readonly secrets: unknown
}

/** Who waits. */
export interface Waiting {
  /** Hears the question when a call takes long, once for all calls within a minute. */
  readonly onWait?: ((question: string) => void) | undefined
  /** Shows it where nobody hears it. */
  readonly host?: HostPort
  /** Ends every wait. */
  readonly signal?: AbortSignal | undefined
}

/** An error about the keychain; the hint of the table says what to do, unless there is a better one. */
export function unavailable(
  message: string,
  options: { cause?: unknown; hint?: string } = {},
): CodexError {
  return new CodexError('keychain_unreachable', message, options)
}

/** The owner of the keychain said no. Asked again at once, they would only have to say it again. */
export class KeychainRefused extends CodexError {}
